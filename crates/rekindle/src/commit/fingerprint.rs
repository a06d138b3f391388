//! Fingerprints: one short text for all values, by which two instances compare what they run with.
//!
//! In: values and the pointers of those that are secret. Out: a SHA-256 that is safe to log. Pure. The form is that of
//! [`Snapshot::fingerprint`](super::Snapshot::fingerprint), which says how another language makes it.

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::validate::Secrets;

/// Stands where a secret does. No JSON looks like it.
const MASK: &str = "***";

/// The fingerprint of one configuration's value.
pub(super) fn of_value(value: &Value, secrets: &Secrets) -> String {
    hex(&canonical(value, secrets))
}

/// The fingerprint of configurations, each with its name and the pointers of its secrets.
pub(super) fn of_all<'a>(configs: impl IntoIterator<Item = (&'a str, &'a Value, Secrets)>) -> String {
    let mut configs: Vec<_> = configs.into_iter().collect();
    configs.sort_unstable_by_key(|(name, ..)| *name);
    let parts = configs.iter().map(|(name, value, secrets)| {
        let name = Value::from(*name);
        format!("{name}:{}", canonical(value, secrets))
    });
    hex(&format!("{{{}}}", parts.collect::<Vec<_>>().join(",")))
}

fn hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        // Writing into a string cannot fail.
        let _cannot_fail = write!(hex, "{byte:02x}");
        hex
    })
}

/// JSON without blanks, the keys sorted, and the mask in the place of every secret.
fn canonical(value: &Value, secrets: &Secrets) -> String {
    let mut out = String::new();
    write_canonical(value, &mut String::new(), secrets, &mut out);
    out
}

fn write_canonical(value: &Value, pointer: &mut String, secrets: &Secrets, out: &mut String) {
    match value {
        _ if secrets.is_secret(pointer) => out.push_str(MASK),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            let members = members.into_iter().map(|(key, value)| {
                (
                    Value::from(key.as_str()).to_string() + ":",
                    key.replace('~', "~0").replace('/', "~1"),
                    value,
                )
            });
            write_branch(('{', '}'), members, (pointer, secrets, out));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate().map(|(at, item)| (String::new(), at.to_string(), item));
            write_branch(('[', ']'), items, (pointer, secrets, out));
        }
        plain => out.push_str(&plain.to_string()),
    }
}

/// Writes the parts of a table or a list: what stands before each, its step of the pointer, and its value.
fn write_branch<'a>(
    (open, close): (char, char),
    parts: impl Iterator<Item = (String, String, &'a Value)>,
    (pointer, secrets, out): (&mut String, &Secrets, &mut String),
) {
    out.push(open);
    for (count, (before, step, value)) in parts.enumerate() {
        if count > 0 {
            out.push(',');
        }
        out.push_str(&before);
        let above = pointer.len();
        pointer.push('/');
        pointer.push_str(&step);
        write_canonical(value, pointer, secrets, out);
        pointer.truncate(above);
    }
    out.push(close);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::validate::Fields;

    fn secrets<const N: usize>(pointers: [&str; N]) -> Secrets {
        Fields::secret(pointers.map(str::to_owned)).secrets()
    }

    #[test]
    fn the_canonical_form_is_sorted_tight_and_masked() {
        let value = json!({"b": [1, 1.0, -2.5e30, "é\n\"/\u{1}"], "a": {"y/z": null, "x": true}, "": {}});
        assert_eq!(
            canonical(&value, &secrets(["/a/y~1z", "/b/1"])),
            "{\"\":{},\"a\":{\"x\":true,\"y/z\":***},\"b\":[1,***,-2.5e+30,\"é\\n\\\"/\\u0001\"]}"
        );
        assert_eq!(canonical(&json!({"a": "***"}), &secrets([])), r#"{"a":"***"}"#);
    }

    /// A change of this form would make instances differ that are of two builds of one program.
    #[test]
    fn numbers_are_as_serde_json_writes_them() {
        let numbers = json!([0.0, -0.0, 1e-5, 1e-6, 1e15, 1e16, 1.5e300, 0.1, u64::MAX, i64::MIN]);
        assert_eq!(
            canonical(&numbers, &secrets([])),
            "[0.0,-0.0,0.00001,1e-6,1000000000000000.0,1e+16,1.5e+300,0.1,18446744073709551615,-9223372036854775808]"
        );
    }

    /// The figures are those of `printf '%s' ... | sha256sum`.
    #[test]
    fn a_fingerprint_is_the_sha_256_of_that_form() {
        assert_eq!(
            of_value(&json!({}), &secrets([])),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
        let (one, two) = (json!({"x": 1}), json!({"k": "s"}));
        let configs = [("b", &one, secrets([])), ("a", &two, secrets(["/k"]))];
        assert_eq!(of_all(configs), hex(r#"{"a":{"k":***},"b":{"x":1}}"#));
        assert_eq!(of_all([]), of_value(&json!({}), &secrets([])));
    }
}
