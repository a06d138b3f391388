//! JSON pointers as lists of steps, and the changes that they name, made to plain values.

use serde_json::{Map, Value};

use crate::load::{Data, Node};

/// The keys and indexes that lead to a value.
pub(super) type Steps = Vec<String>;

/// One thing to do to a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Edit {
    pub(super) steps: Steps,
    pub(super) change: Change,
}

/// What to do where the steps of an [`Edit`] lead to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// The value becomes this one; it and the tables on the way to it may be new.
    Set(Value),
    /// There is no such value any more.
    Remove,
    /// The list gets one more item.
    Append(Value),
}

/// The steps of a pointer as RFC 6901 has it. `None` when it is none.
pub(super) fn steps(pointer: &str) -> Option<Steps> {
    if pointer.is_empty() {
        return Some(Steps::new());
    }
    pointer.strip_prefix('/')?.split('/').map(unescape).collect()
}

fn unescape(step: &str) -> Option<String> {
    let valid = step.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    valid.then(|| step.replace("~1", "/").replace("~0", "~"))
}

/// The pointer of some steps.
pub(super) fn pointer(steps: &[String]) -> String {
    steps.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

/// The index that a step is in a list: decimal, with no zero in front.
pub(super) fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with(['0', '+']);
    step.parse().ok().filter(|_| plain)
}

/// What a step leads to.
pub(super) fn child<'v>(value: &'v Value, step: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(step),
        Value::Array(items) => items.get(index(step)?),
        _ => None,
    }
}

/// What some steps lead to.
pub(super) fn get<'v>(value: &'v Value, steps: &[String]) -> Option<&'v Value> {
    steps.iter().try_fold(value, |here, step| child(here, step))
}

fn child_mut<'v>(value: &'v mut Value, step: &str) -> Option<&'v mut Value> {
    match value {
        Value::Object(members) => members.get_mut(step),
        Value::Array(items) => items.get_mut(index(step)?),
        _ => None,
    }
}

/// What some steps lead to in a tree.
pub(super) fn node<'n>(root: &'n Node, steps: &[String]) -> Option<&'n Node> {
    steps.iter().try_fold(root, |here, step| child_node(here, step))
}

/// What a step leads to in a tree.
fn child_node<'n>(node: &'n Node, step: &str) -> Option<&'n Node> {
    match &node.data {
        Data::Object(table) => table.get(step).map(|member| &member.node),
        Data::Array(items) => items.get(index(step)?),
        _ => None,
    }
}

/// The table or list that holds what the steps lead to, or the deepest on the way, and the steps left.
pub(super) fn descend<'n, 's>(root: &'n Node, steps: &'s [String]) -> (&'n Node, &'s [String]) {
    let (mut here, mut rest) = (root, steps);
    while let [step, further @ ..] = rest
        && !further.is_empty()
        && let Some(next) = child_node(here, step)
        && matches!(next.data, Data::Object(_) | Data::Array(_))
    {
        (here, rest) = (next, further);
    }
    (here, rest)
}

/// Makes an edit to a value. `None` when its steps lead through something that has none such.
pub(super) fn apply(value: &mut Value, edit: &Edit) -> Option<()> {
    match &edit.change {
        Change::Set(new) => set(value, &edit.steps, new),
        Change::Remove => remove(value, &edit.steps),
        Change::Append(item) => {
            let list = edit.steps.iter().try_fold(value, |here, step| child_mut(here, step))?;
            list.as_array_mut().map(|items| items.push(item.clone()))
        }
    }
}

/// Sets a value, and makes the tables on the way to it that are missing.
pub(super) fn set(value: &mut Value, steps: &[String], new: &Value) -> Option<()> {
    let Some((first, rest)) = steps.split_first() else {
        *value = new.clone();
        return Some(());
    };
    if let Value::Object(members) = value {
        let missing = || Value::Object(Map::new());
        return set(members.entry(first.clone()).or_insert_with(missing), rest, new);
    }
    set(child_mut(value, first)?, rest, new)
}

/// Removes a value.
pub(super) fn remove(value: &mut Value, steps: &[String]) -> Option<()> {
    let (last, way) = steps.split_last()?;
    match way.iter().try_fold(value, |here, step| child_mut(here, step))? {
        Value::Object(members) => members.remove(last).map(drop),
        Value::Array(items) => {
            let at = index(last).filter(|at| *at < items.len())?;
            items.remove(at);
            Some(())
        }
        _ => None,
    }
}

/// A value under the keys that lead to it.
pub(super) fn nested(steps: &[String], value: Value) -> Value {
    steps.iter().rev().fold(value, |value, step| Value::Object(Map::from_iter([(step.clone(), value)])))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_and_its_steps() {
        let cases: [(&str, Option<&[&str]>); 8] = [
            ("", Some(&[])),
            ("/", Some(&[""])),
            ("/a/b", Some(&["a", "b"])),
            ("/a~1b/~0/~01", Some(&["a/b", "~", "~1"])),
            ("/é/ /\"", Some(&["é", " ", "\""])),
            ("a", None),
            ("/a~", None),
            ("/~2", None),
        ];
        for (text, expected) in cases {
            let found = steps(text);
            assert_eq!(
                found.as_ref().map(|steps| steps.iter().map(String::as_str).collect()),
                expected.map(<[&str]>::to_vec),
                "{text}"
            );
            if let Some(found) = found {
                assert_eq!(pointer(&found), text);
            }
        }
    }

    #[test]
    fn an_index_is_decimal() {
        let found = ["0", "10", "01", "+1", "-", "-1", "", "1e1"].map(index);
        assert_eq!(found, [Some(0), Some(10), None, None, None, None, None, None]);
    }

    #[test]
    fn what_is_missing_on_the_way_is_made_and_what_is_in_the_way_is_kept() {
        let mut value = json!({"a": 1, "l": [{"x": 1}]});
        let steps = |pointer| steps(pointer).unwrap();
        assert_eq!(set(&mut value, &steps("/b/c"), &json!(2)), Some(()));
        assert_eq!(set(&mut value, &steps("/l/0/y"), &json!(3)), Some(()));
        assert_eq!(set(&mut value, &steps("/a/c"), &json!(2)), None);
        assert_eq!(set(&mut value, &steps("/l/1"), &json!(2)), None);
        assert_eq!(remove(&mut value, &steps("/l/0/x")), Some(()));
        assert_eq!(remove(&mut value, &steps("/none")), None);
        assert_eq!(value, json!({"a": 1, "b": {"c": 2}, "l": [{"y": 3}]}));
        assert_eq!(nested(&steps("/a/b"), json!(1)), json!({"a": {"b": 1}}));
    }
}
