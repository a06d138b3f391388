//! [`Key`]: where a document is.

use std::fmt;

use super::Digest;

/// The name of a document, below the prefix of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// What all instances are to use.
    pub fn head() -> Self {
        Self("head".to_owned())
    }

    /// Who coordinates.
    pub fn coordinator() -> Self {
        Self("coord".to_owned())
    }

    /// What an instance says of itself.
    pub fn instance(id: &str) -> Self {
        Self(format!("{}{id}", Self::INSTANCES))
    }

    /// The contents of a release.
    pub fn payload(digest: Digest) -> Self {
        Self(format!("{}{digest}", Self::PAYLOADS))
    }

    /// What the keys of the contents of all releases begin with.
    pub const PAYLOADS: &str = "payload/";

    /// What somebody who signed the contents of a release wrote, by the hash of the key that it was done with.
    pub fn signature(payload: Digest, signer: Digest) -> Self {
        Self(format!("signature/{payload}/{signer}"))
    }

    /// What the keys of all instances begin with.
    pub const INSTANCES: &str = "inst/";

    /// A name as a store gave it.
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The instance that this is the key of.
    pub fn instance_id(&self) -> Option<&str> {
        self.0.strip_prefix(Self::INSTANCES)
    }

    /// The contents of a release that this is the key of.
    pub fn payload_digest(&self) -> Option<Digest> {
        self.0.strip_prefix(Self::PAYLOADS)?.parse().ok()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
