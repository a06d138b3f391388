//! What differs between two values, as JSON pointers.

use serde_json::Value;

/// The pointers of what differs, in order. Tables and lists of equal length are gone into; anything
/// else that differs is named as a whole.
pub(crate) fn changed_pointers(old: &Value, new: &Value) -> Vec<String> {
    let mut changed = Vec::new();
    collect(old, new, &mut String::new(), &mut changed);
    changed
}

/// Whether one of two pointers names a part of what the other names, or the same.
pub(crate) fn overlaps(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn collect(old: &Value, new: &Value, here: &mut String, changed: &mut Vec<String>) {
    match (old, new) {
        _ if old == new => {}
        (Value::Object(a), Value::Object(b)) => {
            let added = b.keys().filter(|key| !a.contains_key(*key));
            let mut keys: Vec<&String> = a.keys().chain(added).collect();
            keys.sort();
            for key in keys {
                let step = key.replace('~', "~0").replace('/', "~1");
                descend(a.get(key), b.get(key), &step, here, changed);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (old, new)) in a.iter().zip(b).enumerate() {
                descend(Some(old), Some(new), &index.to_string(), here, changed);
            }
        }
        _ => changed.push(here.clone()),
    }
}

fn descend(
    old: Option<&Value>,
    new: Option<&Value>,
    step: &str,
    here: &mut String,
    changed: &mut Vec<String>,
) {
    let length = here.len();
    here.push('/');
    here.push_str(step);
    match (old, new) {
        (Some(old), Some(new)) => collect(old, new, here, changed),
        _ => changed.push(here.clone()),
    }
    here.truncate(length);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_overlap_step_by_step() {
        let cases = [
            ("", "/a", true),
            ("/a", "/a", true),
            ("/a", "/a/b", true),
            ("/a/b", "/a", true),
            ("/a", "/ab", false),
            ("/a/b", "/a/c", false),
        ];
        for (a, b, expected) in cases {
            assert_eq!(overlaps(a, b), expected, "{a:?} and {b:?}");
        }
    }

    #[test]
    fn the_smallest_pointers_that_differ() {
        let cases = [
            (json!({"a": 1}), json!({"a": 1}), vec![]),
            (json!({"a": 1}), json!({"a": 2}), vec!["/a"]),
            (json!({"a": {"x": 1, "y": 1}}), json!({"a": {"x": 2, "z": 1}}), vec!["/a/x", "/a/y", "/a/z"]),
            (json!({"l": [1, 2]}), json!({"l": [1, 3]}), vec!["/l/1"]),
            (json!({"l": [1, 2]}), json!({"l": [1]}), vec!["/l"]),
            (json!({"a/b": 1, "~": 1}), json!({"a/b": 2, "~": 2}), vec!["/a~1b", "/~0"]),
            (Value::Null, json!({"a": 1}), vec![""]),
            (json!({"a": null}), json!({}), vec!["/a"]),
        ];
        for (old, new, expected) in cases {
            assert_eq!(changed_pointers(&old, &new), expected, "{old} → {new}");
        }
    }
}
