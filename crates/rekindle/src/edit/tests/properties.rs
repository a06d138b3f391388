//! What holds for any file and any patch: the files say afterwards what the patch makes of what they
//! said before, what stands beside a change stays, and a file that is not concerned is not touched.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::write::{json, toml, yaml};
use super::*;

/// Few keys, so that files and patches meet, and difficult ones among them.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "c", "d"]),
        1 => prop::sample::select(vec!["", "k/1", "~k", "k.1", "\"k\"", "é 😀", "yes", "1", "# k", "k'"]),
    ]
    .prop_map(str::to_owned)
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        "[a-z #:'\"\\\\\n\t,\\[\\]{}é-]{0,8}".prop_map(Value::from),
        prop::sample::select(vec!["2020-01-01", "null", "12", "- a", "true"]).prop_map(Value::from),
    ]
}

fn object(of: impl Strategy<Value = Value>, size: std::ops::Range<usize>) -> impl Strategy<Value = Value> {
    prop::collection::btree_map(key(), of, size)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

fn tree_of(leaf: BoxedStrategy<Value>, lists: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    let tree =
        leaf.prop_recursive(3, 16, 4, move |inner| prop_oneof![3 => object(inner, 0..4), 1 => lists.clone()]);
    object(tree, 0..5)
}

fn table() -> impl Strategy<Value = Value> {
    let item = prop_oneof![leaf(), object(leaf(), 0..3), object(object(leaf(), 1..3), 1..3)];
    tree_of(leaf().boxed(), prop::collection::vec(item, 0..4).prop_map(Value::from).boxed())
}

/// A merge patch: a table with nulls in it, which remove.
fn patch() -> impl Strategy<Value = Value> {
    let item = prop_oneof![leaf(), object(leaf(), 0..3)];
    let leaf = prop_oneof![2 => leaf(), 1 => Just(Value::Null)];
    tree_of(leaf.boxed(), prop::collection::vec(item, 0..4).prop_map(Value::from).boxed())
}

/// Which of the ways to write a thing is taken, one after the other.
fn style() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..12)
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Toml,
    Json,
    Yaml,
}

impl Form {
    fn file(self, value: &Value, style: &[u8]) -> (&'static str, String) {
        match self {
            Form::Toml => ("app.toml", toml(value, style)),
            Form::Json => ("app.jsonc", json(value, style)),
            Form::Yaml => ("app.yaml", yaml(value, style)),
        }
    }
}

fn form() -> impl Strategy<Value = Form> {
    prop::sample::select(vec![Form::Toml, Form::Json, Form::Yaml])
}

/// What files say together.
fn said(files: &[Written<'_>]) -> Value {
    overlaid(&files.iter().map(|(name, text)| tree(name, text).to_value()).collect::<Vec<_>>())
}

/// The comments that stand at the left edge, on lines of their own. The writers put them before the keys of the top.
fn edge_comments(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("#!") || line.starts_with("//!")).collect()
}

/// Whether a file may be refused: YAML that only its author can edit.
fn only_by_hand(error: &Error) -> bool {
    error.to_string().contains("app.yaml") && error.advice() == Some("edit it by hand, here")
}

fn hold(files: &[Written<'_>], patch: &Value) -> std::result::Result<(), TestCaseError> {
    let before = said(files);
    let wanted = Patch::merge(patch.clone()).apply(&before).unwrap();
    let made = match patched(files, &Patch::merge(patch.clone())) {
        Ok(made) => made,
        Err(error) if only_by_hand(&error) => return Ok(()),
        Err(error) => return Err(TestCaseError::fail(format!("{error}\n{files:#?}\n{patch}"))),
    };
    let after: Vec<Written<'_>> =
        files.iter().zip(&made).map(|((name, _), text)| (*name, text.as_str())).collect();
    prop_assert_eq!(said(&after), wanted.clone());
    for ((name, old), (_, new)) in files.iter().zip(&after) {
        let same = tree(name, old).to_value() == tree(name, new).to_value();
        prop_assert!(!same || old == new, "touched for nothing:\n{old}\n---\n{new}");
        prop_assert_eq!(edge_comments(old), edge_comments(new), "{}\n---\n{}", old, new);
        let crlf = |text: &str| text.matches('\n').count() == text.matches("\r\n").count();
        prop_assert!(!crlf(old) || !old.contains('\n') || crlf(new), "{old:?}\n{new:?}");
    }
    if before == wanted {
        prop_assert!(files.iter().zip(&made).all(|((_, old), new)| old == new));
    }
    Ok(())
}

fn with_crlf(text: &str, crlf: bool) -> String {
    if crlf { text.replace('\n', "\r\n") } else { text.to_owned() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn one_file_says_what_the_patch_makes_of_it(
        value in table(), patch in patch(), style in style(), form in form(), crlf in any::<bool>(),
    ) {
        let (name, text) = form.file(&value, &style);
        let text = with_crlf(&text, crlf);
        if tree(name, &text).to_value() == value {
            hold(&[(name, &text)], &patch)?;
        }
    }

    #[test]
    fn two_files_say_together_what_the_patch_makes_of_them(
        base in table(), over in table(), patch in patch(), styles in (style(), style()), forms in (form(), form()),
    ) {
        let below = forms.0.file(&base, &styles.0);
        let above = forms.1.file(&over, &styles.1);
        hold(&[(below.0, &below.1), (above.0, &above.1)], &patch)?;
    }

    #[test]
    fn single_edits_of_json_and_toml_keep_every_other_line(value in table(), style in style(), form in form()) {
        let (name, text) = form.file(&value, &style);
        let made = one(name, &text, &Patch::set("/new key", json!({"x": [1]})));
        match made {
            Ok(made) => {
                let mut rest = made.lines();
                for line in text.lines().filter(|line| !line.trim_end_matches([',', '}']).is_empty()) {
                    let kept = line.split(" //").next().unwrap_or(line).trim_end_matches(['}', ',']);
                    prop_assert!(rest.any(|other| other.starts_with(kept)), "{line:?} is missing\n{text}\n---\n{made}");
                }
            }
            Err(error) => prop_assert!(only_by_hand(&error), "{error}"),
        }
    }
}
