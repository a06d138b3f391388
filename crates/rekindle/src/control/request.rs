//! What can be asked for: one JSON object in, a [`Request`] out. Pure.

use serde::Deserialize;
use serde_json::Value;

use super::VERSION;

/// What a client asks for. The names of its fields are those of the protocol.
#[derive(Debug, Deserialize)]
#[serde(tag = "cmd", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    /// How the engine and every configuration is.
    Status {},
    /// The configurations, in short.
    List {},
    /// A value.
    Get {
        config_name: Option<String>,
        #[serde(default)]
        pointer: String,
    },
    /// Values and where each is from.
    Explain {
        config_name: Option<String>,
        #[serde(default)]
        pointer: String,
    },
    /// What runs against what is on disk, or one revision against another.
    Diff { config_name: Option<String>, revisions: Option<(u64, u64)> },
    /// The revisions that are kept.
    History { config_name: Option<String> },
    /// Bring a revision back.
    Restore { config_name: String, revision: u64 },
    /// Set one value.
    Set { config_name: String, pointer: String, value: Value, expect: Option<u64> },
    /// Remove one value.
    Remove { config_name: String, pointer: String, expect: Option<u64> },
    /// Change several values: by a merge patch, or by a list of operations.
    Patch { config_name: String, merge: Option<Value>, operations: Option<Value>, expect: Option<u64> },
    /// What came of the last reloads.
    Receipts {},
    /// Look at everything now.
    Reload {},
    /// Tell of everything from now on.
    Events {},
    /// The JSON Schema that the program exports.
    Schema { config_name: Option<String> },
}

/// What is wrong with a request, and the `id` of it if it has one.
pub(crate) type Refused = (String, Option<Value>);

impl Request {
    /// The request that an object is, and the `id` that its answer is to have.
    pub(crate) fn read(object: Value) -> Result<(Self, Option<Value>), Refused> {
        let Value::Object(mut fields) = object else {
            return Err(("a request is a JSON object".to_owned(), None));
        };
        let id = fields.remove("id");
        match fields.remove("rekindle") {
            Some(version) if version == VERSION => {}
            Some(other) => {
                return Err((format!("version {other} is not spoken here, only {VERSION}"), id));
            }
            None => return Err((format!("`\"rekindle\": {VERSION}` is missing, the version"), id)),
        }
        match serde_json::from_value(Value::Object(fields)) {
            Ok(request) => Ok((request, id)),
            Err(fault) => Err((fault.to_string(), id)),
        }
    }

    /// The request that a line is.
    #[cfg(unix)]
    pub(crate) fn read_line(line: &[u8]) -> Result<(Self, Option<Value>), Refused> {
        let object = serde_json::from_slice(line);
        Self::read(object.map_err(|fault| (format!("this line is no JSON: {fault}"), None))?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(request: Value) -> String {
        Request::read(request).expect_err("it is none").0
    }

    #[test]
    fn a_request_has_a_version_a_command_and_perhaps_an_id() {
        let (request, id) =
            Request::read(json!({"rekindle": 1, "id": [7], "cmd": "get", "pointer": "/a"})).expect("one");
        assert!(matches!(request, Request::Get { config_name: None, pointer } if pointer == "/a"));
        assert_eq!(id, Some(json!([7])));
        assert!(matches!(
            Request::read(json!({"rekindle": 1, "cmd": "status"})),
            Ok((Request::Status {}, None))
        ));
    }

    #[test]
    fn what_is_no_request_is_told_why() {
        assert_eq!(refused(json!([])), "a request is a JSON object");
        assert_eq!(refused(json!({"cmd": "status"})), "`\"rekindle\": 1` is missing, the version");
        assert_eq!(refused(json!({"rekindle": 2, "cmd": "status"})), "version 2 is not spoken here, only 1");
        assert!(refused(json!({"rekindle": 1, "cmd": "dance"})).starts_with("unknown variant `dance`"));
        assert!(refused(json!({"rekindle": 1, "cmd": "status", "x": 1})).starts_with("unknown field `x`"));
        assert!(
            refused(json!({"rekindle": 1, "cmd": "set", "config_name": "app", "pointer": "/x"}))
                .starts_with("missing field `value`")
        );
    }
}
