//! Values that are set one by one: by a secret's file, a variable, a line of a dotenv file, an override.
//!
//! In: the keys that a name leads through, and a text. Out: a node, laid into a configuration's tree.
//! Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::merge::merge;
use super::origin::Origin;
use super::tree::{Data, Entry, MAX_DEPTH, Member, Node, Place, Table};

/// One value of a configuration, and who sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// The keys that lead to it.
    pub(crate) steps: Vec<String>,
    pub(crate) given: Given,
    pub(crate) origin: Origin,
}

/// What is to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    /// A text that stays one where it replaces a text; else what is JSON is that.
    Typed(String),
    /// A text that stays one, unless it can be read as the number, flag, list or table that it replaces.
    Text(String),
    /// A value as it is.
    Exact(Value),
}

/// Assignments by the configuration that they are for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Assignments(BTreeMap<String, Vec<Arc<Assignment>>>);

impl Assignments {
    /// Adds one for the configuration that a [`split`] name begins with.
    pub(crate) fn push(&mut self, part: String, assignment: Assignment) {
        self.0.entry(part).or_default().push(Arc::new(assignment));
    }

    /// Those of a configuration, in the order in which they are to be laid over it.
    pub(crate) fn of(&self, name: &str) -> &[Arc<Assignment>] {
        self.0.get(&folded(name)).map_or(&[], Vec::as_slice)
    }
}

/// A configuration's name as variables spell it: case does not count, and `-` and `/` are `_`.
pub(crate) fn folded(name: &str) -> String {
    name.to_lowercase().replace(['-', '/'], "_")
}

/// Parts `APP__SERVER__PORT` into the configuration, [`folded`], and the keys. `None` for a name that is
/// not meant for a configuration: without a key, with an empty one, or with more than can be nested.
pub(crate) fn split(name: &str) -> Option<(String, Vec<String>)> {
    let lower = name.to_lowercase();
    let mut parts = lower.split("__").map(str::to_owned);
    let config = parts.next().filter(|name| !name.is_empty())?;
    let steps: Vec<String> = parts.take(MAX_DEPTH + 1).collect();
    let is_path = (1..=MAX_DEPTH).contains(&steps.len()) && steps.iter().all(|step| !step.is_empty());
    is_path.then_some((config, steps))
}

/// The JSON pointer of a list of keys.
pub(crate) fn pointer(steps: &[String]) -> String {
    steps.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

impl Assignment {
    /// Lays itself over a tree. Gives what it made of that, and the same as a tree of its own.
    pub(crate) fn lay_over(&self, tree: Node, source: usize) -> (Node, Node) {
        let value = self.given.value(tree.find(&pointer(&self.steps)));
        let node = node(value, &Place { source, span: 0..0 });
        let own = wrap(&self.steps, node.clone());
        (lay(tree, &self.steps, node), own)
    }
}

impl Given {
    /// What it means where it replaces that.
    fn value(&self, replaced: Option<&Node>) -> Value {
        match self {
            Self::Exact(value) => value.clone(),
            Self::Typed(text) if replaced.is_some_and(|node| matches!(node.data, Data::String(_))) => {
                Value::String(text.clone())
            }
            Self::Typed(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())),
            Self::Text(text) => {
                let read = serde_json::from_str(text).ok();
                let alike = read.filter(|value| replaced.is_some_and(|node| is_alike(node, value)));
                alike.unwrap_or_else(|| Value::String(text.clone()))
            }
        }
    }
}

/// Whether both are numbers, flags, lists or tables.
fn is_alike(node: &Node, value: &Value) -> bool {
    match node.data {
        Data::Number(_) => value.is_number(),
        Data::Bool(_) => value.is_boolean(),
        Data::Array(_) => value.is_array(),
        Data::Object(_) => value.is_object(),
        Data::String(_) | Data::Null => false,
    }
}

/// The tree of a plain value, all of it at one place.
pub(crate) fn node(value: Value, place: &Place) -> Node {
    let data = match value {
        Value::Null => Data::Null,
        Value::Bool(flag) => Data::Bool(flag),
        Value::Number(number) => Data::Number(number),
        Value::String(text) => Data::String(text.into()),
        Value::Array(items) => Data::Array(items.into_iter().map(|item| node(item, place)).collect()),
        Value::Object(members) => {
            let member = |value| Member { key: place.clone(), node: node(value, place) };
            Data::Object(members.into_iter().map(|(key, value)| (key.into(), member(value))).collect())
        }
    };
    Node { data, place: place.clone() }
}

/// A node under the keys that lead to it.
fn wrap(steps: &[String], node: Node) -> Node {
    steps.iter().rev().fold(node, |node, step| {
        let place = node.place.clone();
        let member = Member { key: place.clone(), node };
        Node { data: Data::Object(Table::from_iter([(step.as_str().into(), member)])), place }
    })
}

/// Lays a node over what is under these keys. Where they lead into a list, a number is the place in it.
///
/// The tables on the way keep their places: what they lack is to be added where they are written.
fn lay(base: Node, steps: &[String], over: Node) -> Node {
    let Some((step, rest)) = steps.split_first() else { return merge(base, over) };
    let data = match base.data {
        Data::Object(members) => Data::Object(lay_member(members, step, rest, over)),
        Data::Array(items) if index(step, items.len()).is_some() => {
            let at = index(step, items.len()).unwrap_or_default();
            let mut items = items.into_vec();
            let item = items.remove(at);
            items.insert(at, lay(item, rest, over));
            Data::Array(items.into_boxed_slice())
        }
        _ => return wrap(steps, over),
    };
    Node { data, place: base.place }
}

fn lay_member(members: Table, step: &str, rest: &[String], over: Node) -> Table {
    let key = over.place.clone();
    let mut entries: Vec<Entry> = members.into_iter().collect();
    match entries.binary_search_by(|(other, _)| (**other).cmp(step)) {
        Ok(at) => {
            let (name, member) = entries.remove(at);
            entries.insert(at, (name, Member { key, node: lay(member.node, rest, over) }));
        }
        Err(at) => entries.insert(at, (step.into(), Member { key, node: wrap(rest, over) })),
    }
    entries.into_iter().collect()
}

/// The place in a list of this length that a key names.
fn index(step: &str, length: usize) -> Option<usize> {
    let plain = step == "0" || step.starts_with(|first: char| ('1'..='9').contains(&first));
    step.parse().ok().filter(|at| plain && *at < length)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::load::origin::LayerKind;

    fn laid(base: Value, name: &str, given: Given) -> Value {
        let (_, steps) = split(name).unwrap();
        let assignment = Assignment { steps, given, origin: Origin::code(LayerKind::Override) };
        assignment.lay_over(node(base, &Place { source: 0, span: 0..0 }), 1).0.to_value()
    }

    fn typed(text: &str) -> Given {
        Given::Typed(text.into())
    }

    fn text(text: &str) -> Given {
        Given::Text(text.into())
    }

    #[test]
    fn a_name_parts_into_a_configuration_and_keys() {
        let parts = |name| split(name).map(|(config, steps)| (config, pointer(&steps)));
        assert_eq!(parts("APP__Server__PORT"), Some(("app".into(), "/server/port".into())));
        assert_eq!(parts("sub_app__k"), Some(("sub_app".into(), "/k".into())));
        for other in ["APP", "", "__X", "APP__", "APP____X", &"A__".repeat(200), "HOME"] {
            assert_eq!(parts(other), None, "{other}");
        }
    }

    #[test]
    fn a_typed_text_takes_the_type_it_replaces_or_reads_as_json() {
        let base = || json!({"s": "old", "n": 1});
        assert_eq!(laid(base(), "A__S", typed("123")), json!({"s": "123", "n": 1}));
        assert_eq!(laid(base(), "A__N", typed("123")), json!({"s": "old", "n": 123}));
        assert_eq!(laid(base(), "A__N", typed("[1, 2]")), json!({"s": "old", "n": [1, 2]}));
        assert_eq!(laid(base(), "A__N", typed("plain")), json!({"s": "old", "n": "plain"}));
        assert_eq!(laid(base(), "A__NEW__K", typed("true")), json!({"s": "old", "n": 1, "new": {"k": true}}));
        assert_eq!(laid(base(), "A__S__K", typed("8")), json!({"s": {"k": 8}, "n": 1}));
    }

    #[test]
    fn a_secret_stays_a_text_unless_it_reads_as_what_it_replaces() {
        let base = || json!({"n": 1, "b": true, "l": [1], "t": {"k": 1}, "z": null});
        let of = |name: &str, given: &str| laid(base(), name, text(given));
        assert_eq!(of("A__N", "5")["n"], 5);
        assert_eq!(of("A__N", "five")["n"], "five");
        assert_eq!(of("A__N", "true")["n"], "true");
        assert_eq!(of("A__B", "false")["b"], false);
        assert_eq!(of("A__L", "[2]")["l"], json!([2]));
        assert_eq!(of("A__T", r#"{"j": 2}"#)["t"], json!({"k": 1, "j": 2}));
        assert_eq!(of("A__Z", "5")["z"], "5");
        assert_eq!(of("A__NEW", "5")["new"], "5");
    }

    #[test]
    fn a_number_leads_into_a_list() {
        let base = || json!({"l": [{"p": 1}, {"p": 2}]});
        assert_eq!(laid(base(), "A__L__1__P", typed("9")), json!({"l": [{"p": 1}, {"p": 9}]}));
        assert_eq!(laid(base(), "A__L__2", typed("9")), json!({"l": {"2": 9}}));
        assert_eq!(laid(base(), "A__L__01", typed("9")), json!({"l": {"01": 9}}));
    }

    #[test]
    fn tables_on_the_way_keep_their_places() {
        let base = node(json!({"t": {"k": 1}}), &Place { source: 0, span: 3..4 });
        let steps = vec!["t".to_owned(), "j".to_owned()];
        let assignment = Assignment { steps, given: typed("2"), origin: Origin::code(LayerKind::Override) };
        let (tree, own) = assignment.lay_over(base, 7);
        assert_eq!(tree.nearest("/t/missing").place, Place { source: 0, span: 3..4 });
        assert_eq!(tree.nearest("/t/j").place.source, 7);
        assert_eq!(own.to_value(), json!({"t": {"j": 2}}));
    }
}
