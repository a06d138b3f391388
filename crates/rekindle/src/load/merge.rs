//! How layers combine: tables merge key by key, everything else replaces.
//!
//! | below | above | result |
//! |---|---|---|
//! | table | table | both, key by key; where both have a key, this table again |
//! | anything | anything else | the one above |

use super::tree::{Data, Member, Node, Place};

/// Lays `over` upon `base`. Every value keeps the place it came from.
pub(crate) fn merge(base: Node, over: Node) -> Node {
    match (base.data, over.data) {
        (Data::Object(below), Data::Object(above)) => {
            let join =
                |below: Member, above: Member| Member { key: above.key, node: merge(below.node, above.node) };
            Node { data: Data::Object(below.overlaid(above, join)), place: over.place }
        }
        (_, data) => Node { data, place: over.place },
    }
}

/// A copy of a tree whose places name another source.
pub(crate) fn placed(node: &Node, source: usize) -> Node {
    let place = |place: &Place| Place { source, span: place.span.clone() };
    let data = match &node.data {
        Data::Array(items) => Data::Array(items.iter().map(|item| placed(item, source)).collect()),
        Data::Object(members) => {
            let moved =
                |member: &Member| Member { key: place(&member.key), node: placed(&member.node, source) };
            Data::Object(members.iter().map(|(key, member)| (key.clone(), moved(member))).collect())
        }
        plain => plain.clone(),
    };
    Node { data, place: place(&node.place) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(value: &Value, source: usize) -> Node {
        let place = Place { source, span: 0..1 };
        let data = match value {
            Value::Null => Data::Null,
            Value::Bool(flag) => Data::Bool(*flag),
            Value::Number(number) => Data::Number(number.clone()),
            Value::String(text) => Data::String(text.as_str().into()),
            Value::Array(items) => Data::Array(items.iter().map(|item| node(item, source)).collect()),
            Value::Object(members) => {
                let member = |value| Member { key: place.clone(), node: node(value, source) };
                Data::Object(members.iter().map(|(k, v)| (k.as_str().into(), member(v))).collect())
            }
        };
        Node { data, place }
    }

    #[test]
    fn tables_merge_and_everything_else_replaces() {
        let cases = [
            (json!({"a": 1}), json!({"b": 2}), json!({"a": 1, "b": 2})),
            (json!({"a": {"x": 1, "y": 2}}), json!({"a": {"y": 3}}), json!({"a": {"x": 1, "y": 3}})),
            (json!({"a": [1, 2, 3]}), json!({"a": [4]}), json!({"a": [4]})),
            (json!({"a": {"x": 1}}), json!({"a": 5}), json!({"a": 5})),
            (json!({"a": 5}), json!({"a": {"x": 1}}), json!({"a": {"x": 1}})),
            (json!({"a": 5}), json!({"a": null}), json!({"a": null})),
        ];
        for (base, over, expected) in cases {
            assert_eq!(merge(node(&base, 0), node(&over, 1)).to_value(), expected, "{base} < {over}");
        }
    }

    #[test]
    fn each_value_keeps_its_source() {
        let merged = merge(node(&json!({"a": {"x": 1, "y": 2}}), 0), node(&json!({"a": {"y": 3}}), 1));
        assert_eq!(merged.nearest("/a/x").place.source, 0);
        assert_eq!(merged.nearest("/a/y").place.source, 1);
        assert_eq!(placed(&merged, 7).nearest("/a/x").place.source, 7);
    }
}
