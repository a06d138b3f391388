use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Bytes, Candidate, Externals, Node, Source, understand};
use super::{Data, Layer};
use crate::error::Error;
use crate::validate::{Declared, Fields, Rule};

/// A configuration of one file that holds this.
fn candidate(file: &str, value: &Value, pointers: &[&str]) -> Candidate {
    let path = Path::new("/root").join(file);
    let content: Arc<[u8]> = value.to_string().into_bytes().into();
    let (text, node) = understand(&content, &path, Path::new("/root")).expect("JSON");
    let permissions = std::fs::metadata(".").expect("a directory").permissions();
    let hash = blake3::hash(&content);
    let source =
        Arc::new(Source::new(Bytes { path, content, hash, permissions }, text, node, Path::new("/root")));
    let declared = |pointer: &&str| Declared {
        config: "app".into(),
        rule: Rule::Restart,
        pointer: (*pointer).to_owned(),
    };
    let fields = Fields::declared("app", &pointers.iter().map(declared).collect());
    Candidate::layered("app", &[source], &Externals::default(), &fields).expect("a layer")
}

fn changed(fields: &Fields, old: &Candidate, new: &Candidate) -> Vec<String> {
    fields.changed(Rule::Restart, &old.value, &new.value)
}

fn holding(on_disk: &Candidate, running: &Candidate) -> Candidate {
    on_disk.holding(running, &changed(&on_disk.fields, running, on_disk))
}

/// The sources that a tree names.
fn sources(node: &Node) -> Vec<usize> {
    let below: Vec<usize> = match &node.data {
        Data::Object(members) => {
            members.iter().flat_map(|(_, one)| [sources(&one.node), vec![one.key.source]].concat()).collect()
        }
        Data::Array(items) => items.iter().flat_map(sources).collect(),
        _ => Vec::new(),
    };
    [below, vec![node.place.source]].concat()
}

#[test]
fn what_is_held_brings_its_origin_along_and_nothing_else() {
    let rules = ["/a/x", "/b"];
    let mut running = candidate("first.json", &json!({"a": {"x": 1}, "b": 1, "c": 1}), &rules);
    for round in 0..5 {
        let on_disk =
            candidate("later.json", &json!({"a": {"y": round}, "b": round + 2, "c": round}), &rules);
        running = holding(&on_disk, &running);
        assert_eq!(running.value, json!({"a": {"x": 1, "y": round}, "b": 1, "c": round}));
        let names = running.layers.iter().map(|layer| match layer {
            Layer::File(source, _) => source.bytes.path.file_name().expect("a name").to_string_lossy(),
            Layer::Defaults(_) | Layer::Assigned(..) => "no file".into(),
        });
        assert_eq!(
            names.collect::<Vec<_>>(),
            ["later.json", "first.json"],
            "however many changes lie between"
        );
        assert_eq!(running.files().count(), 1);
    }
    let place = |pointer| running.point(Error::from("here"), pointer, Path::new("/root")).to_string();
    assert_eq!(place("/c"), "later.json:1:24: here");
    assert_eq!(place("/b"), "first.json: here", "where it stood the file says something else now");
}

/// Tables and lists of few keys, so that two of them often meet.
fn value() -> impl Strategy<Value = Value> {
    let leaf = (0..3).prop_map(Value::from);
    let tree = leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[abx]", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[abx]", tree, 0..4)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

proptest! {
    #[test]
    fn what_is_held_is_what_runs_and_stays_so(
        running in value(),
        on_disk in value(),
        pointers in prop::collection::vec("(/[abx01*]){1,3}", 1..4),
    ) {
        let pointers: Vec<&str> = pointers.iter().map(String::as_str).collect();
        let running = candidate("running.json", &running, &pointers);
        let on_disk = candidate("disk.json", &on_disk, &pointers);
        let mixed = holding(&on_disk, &running);
        let fields = &mixed.fields;
        for held in &mixed.held {
            prop_assert_eq!(mixed.value.pointer(&held.pointer), running.value.pointer(&held.pointer));
            prop_assert_eq!(held.running.as_ref(), running.value.pointer(&held.pointer));
            prop_assert_eq!(held.on_disk.as_ref(), on_disk.value.pointer(&held.pointer));
        }
        prop_assert_eq!(changed(fields, &running, &mixed), Vec::<String>::new(), "no rule is broken");
        let again = holding(&on_disk, &mixed);
        prop_assert_eq!(&again.value, &mixed.value, "the same bytes once more");
        prop_assert_eq!(&again.held, &mixed.held);
        prop_assert_eq!(&mixed.tree.to_value(), &mixed.value);
        prop_assert!(sources(&mixed.tree).into_iter().all(|source| source < mixed.layers.len()));
        prop_assert_eq!(holding(&running, &mixed).held.len(), 0, "put back, nothing is pending");
    }
}
