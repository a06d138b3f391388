//! [`Patch`]: what is to change in a configuration, as its program sees it.

use std::fmt;

use json_patch::{PatchError, PatchErrorKind, PatchOperation};
use serde_json::Value;

use super::pointer::{self, Steps};
use crate::error::{Error, ErrorKind, Result};

/// A change to a configuration, in terms of the value that the program sees: which file holds what
/// is found out when it is applied.
///
/// ```
/// use rekindle::Patch;
/// use serde_json::json;
///
/// // One value; tables that are missing on the way to it are made.
/// let port = Patch::set("/server/port", 8080);
/// // Several at once (RFC 7396); null removes.
/// let server = Patch::merge(json!({"server": {"port": 8080, "proxy": null}}));
/// // Step by step, with conditions (RFC 6902).
/// let exact = Patch::json(json!([
///     {"op": "test", "path": "/server/port", "value": 80},
///     {"op": "replace", "path": "/server/port", "value": 8080},
/// ]))?;
/// # Ok::<(), rekindle::Error>(())
/// ```
///
/// Its `Debug` names pointers and no values, since some may be secret.
#[derive(Clone)]
pub struct Patch(Kind);

#[derive(Clone)]
enum Kind {
    Merge(Value),
    Json(json_patch::Patch),
    Set(String, Value),
    Remove(String),
}

impl Patch {
    /// A JSON merge patch (RFC 7396): tables are merged key by key, null removes a key, everything
    /// else replaces.
    pub fn merge(patch: impl Into<Value>) -> Self {
        Self(Kind::Merge(patch.into()))
    }

    /// A JSON patch (RFC 6902): a list of operations `add`, `remove`, `replace`, `move`, `copy` and
    /// `test`, which all apply or none of which does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Check`] when `operations` is no such list.
    pub fn json(operations: Value) -> Result<Self> {
        serde_json::from_value(operations).map(|patch| Self(Kind::Json(patch))).map_err(|cause| {
            Error::new(ErrorKind::Check, format!("this is no JSON patch: {cause}"))
                .help("RFC 6902 says what one looks like: a list of operations with `op` and `path`")
        })
    }

    /// Sets the value at a JSON pointer (RFC 6901), whether there is one or not. Tables that are
    /// missing on the way are made; items of lists are not.
    pub fn set(pointer: impl Into<String>, value: impl Into<Value>) -> Self {
        Self(Kind::Set(pointer.into(), value.into()))
    }

    /// Removes the value at a JSON pointer (RFC 6901), which must be there.
    pub fn remove(pointer: impl Into<String>) -> Self {
        Self(Kind::Remove(pointer.into()))
    }

    /// What becomes of a value.
    pub(crate) fn apply(&self, value: &Value) -> Result<Value> {
        let mut new = value.clone();
        match &self.0 {
            Kind::Merge(patch) => json_patch::merge(&mut new, patch),
            // Of a copy, so that what was done before an operation fails need not be undone.
            Kind::Json(patch) => {
                json_patch::patch_unsafe(&mut new, patch).map_err(|error| refused(patch, &error))?;
            }
            Kind::Set(at, value) => pointer::set(&mut new, &steps(at)?, value).ok_or_else(|| no_place(at))?,
            Kind::Remove(at) => pointer::remove(&mut new, &steps(at)?).ok_or_else(|| missing(at))?,
        }
        match new {
            Value::Object(_) => Ok(new),
            _ => Err(Error::new(
                ErrorKind::Check,
                "a configuration is a table of keys at its top level, the patch makes it something else",
            )),
        }
    }
}

fn steps(at: &str) -> Result<Steps> {
    pointer::steps(at).ok_or_else(|| {
        Error::new(ErrorKind::Check, format!("`{at}` is no JSON pointer"))
            .help("write `/` before each key; `~1` is a slash and `~0` a tilde in a key")
            .about(at)
    })
}

fn conflict(at: &str, message: String) -> Error {
    Error::new(ErrorKind::Conflict, message).about(at)
}

fn missing(at: &str) -> Error {
    conflict(at, format!("there is no value at `{at}`"))
}

fn no_place(at: &str) -> Error {
    conflict(
        at,
        format!(
            "nothing can be set at `{at}`: something on the way is neither a table nor a list with such an item"
        ),
    )
}

/// The error of the operation that stopped a JSON patch. It quotes no value.
fn refused(patch: &[PatchOperation], error: &PatchError) -> Error {
    let from = match patch.get(error.operation) {
        Some(PatchOperation::Move(operation)) => operation.from.as_str(),
        Some(PatchOperation::Copy(operation)) => operation.from.as_str(),
        _ => error.path.as_str(),
    };
    let at = error.path.as_str();
    let (at, what) = match error.kind {
        PatchErrorKind::TestFailed => (at, format!("the value at `{at}` is not what was tested for")),
        PatchErrorKind::InvalidFromPointer => (from, format!("there is no value at `{from}`")),
        PatchErrorKind::CannotMoveInsideItself => {
            (at, format!("`{from}` cannot move into itself, to `{at}`"))
        }
        _ => (at, format!("there is nothing to change at `{at}`")),
    };
    conflict(at, format!("operation {} of the patch: {what}", error.operation + 1))
}

impl fmt::Debug for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Merge(_) => f.write_str("Patch::merge(..)"),
            Kind::Json(patch) => {
                f.write_str("Patch::json ")?;
                f.debug_list().entries(patch.iter().map(|operation| operation.path().as_str())).finish()
            }
            Kind::Set(at, _) => write!(f, "Patch::set({at:?}, ..)"),
            Kind::Remove(at) => write!(f, "Patch::remove({at:?})"),
        }
    }
}
