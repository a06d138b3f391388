//! What is in the store: the documents of `docs/protocol.md`, as types.
//!
//! In and out: bytes of values, names of keys. Pure.

mod digest;
mod head;
mod instance;
mod key;
mod payload;
mod plan;

pub use digest::Digest;
pub use head::{Candidate, Ended, Head, Outcome, Pause, Release, Stage};
pub use instance::{Answer, Instance, Verdict};
pub use key::Key;
pub use payload::{Document, Payload};
pub use plan::{Label, Plan, Step};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// The version of all documents that this crate writes.
pub(crate) const FORMAT: u32 = 1;

/// A document's bytes. All of them can be said in JSON.
pub(crate) fn to_bytes<T: Serialize>(document: &T) -> Vec<u8> {
    serde_json::to_vec(document).unwrap_or_default()
}

/// A document, unless a later version wrote it, or it is none.
pub(crate) fn from_bytes<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T> {
    #[derive(serde::Deserialize)]
    struct Version {
        format: u32,
    }
    let malformed = |cause: serde_json::Error| Error::malformed(key, cause.to_string());
    let Version { format } = serde_json::from_slice(bytes).map_err(malformed)?;
    if format > FORMAT {
        return Err(Error::malformed(key, format!("a later version wrote it, in format {format}")));
    }
    serde_json::from_slice(bytes).map_err(malformed)
}
