//! Environment variables as the strongest layer: `PREFIX_APP__SERVER__PORT=80` is `/server/port` of `app`.
//!
//! In: the variables of one moment. Out: the nodes to lay over a configuration. Pure: the process's
//! environment is read by the caller.

use std::collections::BTreeMap;

use serde_json::Value;

use super::tree::{Data, Member, Node, Place, Table};

/// The variables that begin with the prefix, by configuration, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Variables(BTreeMap<String, Vec<Variable>>);

/// The variable's name, the keys it leads through, and its text.
type Variable = (String, Vec<String>, String);

impl Variables {
    /// Sorts out the variables that concern a configuration.
    ///
    /// `_` parts the prefix from the name, `__` the name and the keys from each other; case does not count.
    pub(crate) fn new(prefix: &str, all: impl IntoIterator<Item = (String, String)>) -> Self {
        let prefix = format!("{}_", prefix.trim_end_matches('_').to_lowercase());
        let mut found = BTreeMap::<String, Vec<Variable>>::new();
        for (variable, text) in all {
            let lower = variable.to_lowercase();
            let Some(rest) = lower.strip_prefix(&prefix) else { continue };
            let mut parts = rest.split("__").map(str::to_owned);
            let Some(name) = parts.next().filter(|name| !name.is_empty()) else { continue };
            let steps: Vec<String> = parts.collect();
            if !steps.is_empty() && steps.iter().all(|step| !step.is_empty()) {
                found.entry(name).or_default().push((variable, steps, text));
            }
        }
        found.values_mut().for_each(|variables| variables.sort());
        Self(found)
    }

    /// The variables of a configuration. In its name `-` and `/` count as `_`.
    pub(crate) fn of(&self, name: &str) -> &[Variable] {
        self.0.get(&name.to_lowercase().replace(['-', '/'], "_")).map_or(&[], Vec::as_slice)
    }
}

/// The JSON pointer of a list of keys.
pub(crate) fn pointer(steps: &[String]) -> String {
    steps.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

/// What a variable's text means. It stays a text where it replaces a text; else what is JSON is that.
pub(crate) fn node(text: &str, replaced: &Node, source: usize) -> Node {
    let place = || Place { source, span: 0..0 };
    let string = || Node { data: Data::String(text.into()), place: place() };
    if matches!(replaced.data, Data::String(_)) {
        return string();
    }
    serde_json::from_str::<Value>(text).map_or_else(|_| string(), |value| from_value(value, &place()))
}

fn from_value(value: Value, place: &Place) -> Node {
    let data = match value {
        Value::Null => Data::Null,
        Value::Bool(flag) => Data::Bool(flag),
        Value::Number(number) => Data::Number(number),
        Value::String(text) => Data::String(text.into()),
        Value::Array(items) => Data::Array(items.into_iter().map(|item| from_value(item, place)).collect()),
        Value::Object(members) => {
            let member = |value| Member { key: place.clone(), node: from_value(value, place) };
            Data::Object(members.into_iter().map(|(key, value)| (key.into(), member(value))).collect())
        }
    };
    Node { data, place: place.clone() }
}

/// A node under the keys that lead to it.
pub(crate) fn wrap(steps: &[String], node: Node) -> Node {
    steps.iter().rev().fold(node, |node, step| {
        let place = node.place.clone();
        let member = Member { key: place.clone(), node };
        Node { data: Data::Object(Table::from_iter([(step.as_str().into(), member)])), place }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        Variables::new("MY", pairs.iter().map(|(name, text)| (name.to_string(), text.to_string())))
    }

    #[test]
    fn only_the_prefix_and_only_with_a_key() {
        let found = variables(&[
            ("MY_APP__PORT", "1"),
            ("MY_APP__SERVER__HOST", "h"),
            ("my_app__lower", "x"),
            ("MY_SUB_APP__K", "v"),
            ("MYAPP__X", "no"),
            ("MY_APP", "no key"),
            ("MY_APP____X", "empty key"),
            ("OTHER_APP__X", "no"),
        ]);
        let names = |name| found.of(name).iter().map(|(variable, ..)| variable.as_str()).collect::<Vec<_>>();
        assert_eq!(names("app"), ["MY_APP__PORT", "MY_APP__SERVER__HOST", "my_app__lower"]);
        assert_eq!(names("sub/app"), ["MY_SUB_APP__K"]);
        assert!(names("other").is_empty());
    }

    #[test]
    fn the_text_takes_the_type_it_replaces_or_reads_as_json() {
        let string = Node { data: Data::String("old".into()), place: Place { source: 0, span: 0..0 } };
        let number = Node { data: Data::Number(1.into()), place: Place { source: 0, span: 0..0 } };
        assert_eq!(node("123", &string, 1).to_value(), json!("123"));
        assert_eq!(node("123", &number, 1).to_value(), json!(123));
        assert_eq!(node("[1, 2]", &number, 1).to_value(), json!([1, 2]));
        assert_eq!(node("plain", &number, 1).to_value(), json!("plain"));
        let steps = ["server".to_owned(), "port".to_owned()];
        assert_eq!(wrap(&steps, node("8", &number, 1)).to_value(), json!({"server": {"port": 8}}));
        assert_eq!(pointer(&steps), "/server/port");
    }
}
