//! Several files and variables as the layers of one configuration.
//!
//! ```text
//! === app.toml
//! port = 80
//! === app.local.yaml
//! port: 81
//! === X_APP__PORT=82
//! ```
//!
//! Later wins, key by key. Every value is what the layer says that it is from. A layer upon itself
//! changes nothing, and it does not matter which of three are layered first as long as they agree on
//! what is a table.

use rekindle::internals::{self, Tree};
use serde_json::Value;

const NAME: &str = "app";
const PREFIX: &str = "X";

/// How deep tables and lists may be nested.
const MAX_DEPTH: usize = 128;

/// The layers that an input describes, those that are good files.
#[derive(Default)]
struct Layers {
    trees: Vec<Tree>,
    variables: Vec<(String, String)>,
}

impl Layers {
    fn of(input: &[u8]) -> Self {
        let mut layers = Self::default();
        for section in String::from_utf8_lossy(input).split("=== ").skip(1) {
            let (heading, body) = section.split_once('\n').unwrap_or((section, ""));
            match heading.split_once('=') {
                Some((variable, text)) => layers.variables.push((variable.into(), text.into())),
                None => layers.trees.extend(internals::parse(heading.trim(), body.as_bytes()).ok()),
            }
        }
        layers
    }

    fn layered(&self) -> Option<Tree> {
        internals::layer(NAME, &self.trees, PREFIX, &self.variables)
    }
}

pub(crate) fn check(input: &[u8]) {
    let layers = Layers::of(input);
    let Some(all) = layers.layered() else {
        assert!(layers.trees.is_empty(), "layers came to nothing");
        return;
    };
    check_variables(&layers, &all.value());
    let Some(files) = internals::layer(NAME, &layers.trees, PREFIX, &[]) else { return };
    check_later_wins(&layers.trees, &files);
    check_origins(&layers.trees, &files);
    check_same_upon_itself(&files);
    check_order_of_layering(&layers.trees);
}

/// The rule once more, on plain values.
fn check_later_wins(trees: &[Tree], layered: &Tree) {
    let expected = trees.iter().map(Tree::value).reduce(overlaid);
    assert_eq!(Some(layered.value()), expected);
}

fn overlaid(below: Value, above: Value) -> Value {
    match (below, above) {
        (Value::Object(mut below), Value::Object(above)) => {
            for (key, above) in above {
                let value = match below.remove(&key) {
                    Some(below) => overlaid(below, above),
                    None => above,
                };
                below.insert(key, value);
            }
            Value::Object(below)
        }
        (_, above) => above,
    }
}

/// A leaf is word for word what its own layer has in its place.
fn check_origins(trees: &[Tree], layered: &Tree) {
    let (all, values): (Value, Vec<Value>) = (layered.value(), trees.iter().map(Tree::value).collect());
    for place in layered.places().iter().filter(|place| !place.is_branch) {
        let own = values.get(place.source).and_then(|value| value.pointer(&place.pointer));
        assert_eq!(all.pointer(&place.pointer), own, "{place:?}");
    }
}

fn check_same_upon_itself(tree: &Tree) {
    let twice = internals::layer(NAME, &[tree.clone(), tree.clone()], PREFIX, &[]);
    assert_eq!(twice.map(|twice| twice.value()), Some(tree.value()));
}

fn check_order_of_layering(trees: &[Tree]) {
    let [first, second, third] = trees else { return };
    let values = [first.value(), second.value(), third.value()];
    let agree = |one: usize, other: usize| agree(&values[one], &values[other]);
    if !(agree(0, 1) && agree(1, 2) && agree(0, 2)) {
        return;
    }
    let two = |below: &Tree, above: &Tree| {
        let layered = internals::layer(NAME, &[below.clone(), above.clone()], PREFIX, &[]);
        layered.expect("two layers make a tree")
    };
    let (left, right) = (two(&two(first, second), third), two(first, &two(second, third)));
    assert_eq!(left.value(), right.value());
}

/// Whether what is a table in one is none in the other nowhere.
fn agree(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.iter().all(|(key, one)| other.get(key).is_none_or(|other| agree(one, other)))
        }
        _ => !one.is_object() && !other.is_object(),
    }
}

/// The last variable of all has the last word: what it says, as JSON or as a text, is in its place.
fn check_variables(layers: &Layers, all: &Value) {
    let prefix = format!("{PREFIX}_{NAME}__").to_lowercase();
    let steps = |name: &str| name.to_lowercase().strip_prefix(&prefix).map(str::to_owned);
    let mut ours: Vec<&(String, String)> =
        layers.variables.iter().filter(|(name, _)| steps(name).is_some()).collect();
    ours.sort();
    let Some((name, text)) = ours.last() else { return };
    let steps = steps(name).unwrap_or_default();
    // Such a name is nobody's: it has no key, or more than can be nested.
    if steps.split("__").any(str::is_empty) || steps.split("__").count() > MAX_DEPTH {
        return;
    }
    let steps: Vec<String> =
        steps.split("__").map(|step| step.replace('~', "~0").replace('/', "~1")).collect();
    let found = all.pointer(&format!("/{}", steps.join("/")));
    let said: Option<Value> = serde_json::from_str(text).ok();
    // One table upon another is both.
    if said.as_ref().is_some_and(Value::is_object) && found.is_some_and(Value::is_object) {
        return;
    }
    let as_text = found.and_then(Value::as_str) == Some(text.as_str());
    assert!(as_text || (said.is_some() && found == said.as_ref()), "{name}={text}: {found:?}");
}
