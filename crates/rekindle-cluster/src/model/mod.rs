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
pub(crate) fn from_bytes<T: Versioned>(key: &str, bytes: &[u8]) -> Result<T> {
    #[derive(serde::Deserialize)]
    struct Version {
        format: u32,
    }
    let read: serde_json::Result<T> = serde_json::from_slice(bytes);
    // What a later version writes may be anything.
    let format = match &read {
        Ok(document) => document.format(),
        Err(_) => serde_json::from_slice(bytes).map_or(FORMAT, |Version { format }| format),
    };
    if format > FORMAT {
        return Err(Error::malformed(key, format!("a later version wrote it, in format {format}")));
    }
    read.map_err(|cause| Error::malformed(key, cause.to_string()))
}

/// A document that says which version wrote it.
pub(crate) trait Versioned: DeserializeOwned {
    /// Of its kind.
    fn format(&self) -> u32;
}

impl Versioned for Head {
    fn format(&self) -> u32 {
        self.format
    }
}

impl Versioned for Instance {
    fn format(&self) -> u32 {
        self.format
    }
}

impl Versioned for Payload {
    fn format(&self) -> u32 {
        self.format
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The blocks of JSON in the documentation.
    fn documented() -> Vec<&'static str> {
        let text = include_str!("../../../../docs/cluster.md");
        let blocks = text.split("```json\n").skip(1);
        blocks.filter_map(|block| block.split("```").next()).collect()
    }

    /// With a whole digest in the place of the beginning of one.
    fn whole(block: &str) -> String {
        let digest = |start: &str| format!("{start}{}", "0".repeat(64 - start.len()));
        block.replace("9f86d0…", &digest("9f86d0")).replace("60303a…", &digest("60303a"))
    }

    #[test]
    fn documents_are_as_documented() {
        let [head, instance] = documented()[..] else { panic!("two of them") };
        let (head, instance) = (whole(head), whole(instance));
        let same = |text: &str, bytes: Vec<u8>| {
            let (text, bytes): (serde_json::Value, serde_json::Value) =
                (serde_json::from_str(text).expect("JSON"), serde_json::from_slice(&bytes).expect("JSON"));
            assert_eq!(text, bytes);
        };
        same(&head, to_bytes(&from_bytes::<Head>("head", head.as_bytes()).expect("a head")));
        same(
            &instance,
            to_bytes(&from_bytes::<Instance>("inst/a", instance.as_bytes()).expect("an instance")),
        );
    }

    #[test]
    fn a_later_format_is_left_alone_and_so_is_what_is_none() {
        let error =
            |text: &str| from_bytes::<Head>("head", text.as_bytes()).expect_err("it is none").to_string();
        assert!(error(r#"{"format": 2}"#).contains("a later version wrote it, in format 2"));
        assert!(error("[]").starts_with("head: "));
        assert!(error("").starts_with("head: "));
    }

    #[test]
    fn a_payload_is_what_its_name_says_or_none() {
        let payload = Payload::new([Document::new("b", "toml", "x = 1"), Document::new("a", "json", "{}")]);
        assert_eq!(payload.documents[0].config, "a");
        let bytes = payload.to_bytes();
        assert!(Payload::read(Digest::of(b"other"), &bytes).is_err());
        let twice = Payload {
            documents: vec![Document::new("a", "toml", ""), Document::new("a", "json", "{}")],
            ..payload
        };
        let error = Payload::read(twice.digest(), &twice.to_bytes()).expect_err("it is none").to_string();
        assert!(error.contains("twice"), "{error}");
        assert!(!format!("{twice:?}").contains("{}"), "what it holds is not shown");
    }
}
