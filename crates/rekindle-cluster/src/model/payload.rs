//! [`Payload`]: the contents of a release, which never change.

use serde::{Deserialize, Serialize};

use super::{Digest, FORMAT, from_bytes, to_bytes};
use crate::error::{Error, Result};

/// All configurations that a release is made of, and what is to be known of it.
///
/// Its name is the hash of its bytes: whoever reads it knows whether it is what was published.
///
/// ```
/// use rekindle_cluster::{Document, Payload};
///
/// let payload = Payload::new([Document::new("app", "toml", "port = 80")]).because("a new port");
/// let bytes = payload.to_bytes();
/// assert_eq!(Payload::read(payload.digest(), &bytes)?, payload);
/// # Ok::<(), rekindle_cluster::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    pub(crate) format: u32,
    /// The configurations, sorted by name.
    pub documents: Vec<Document>,
    /// Who published it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<jiff::Timestamp>,
}

/// One configuration of a release.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Document {
    /// The configuration, as `app` or `shop/prices`.
    pub config: String,
    /// The ending of its file: `toml`, `yaml`, `json` or `jsonc`.
    pub format: String,
    /// What its file would hold.
    pub text: String,
}

/// Without its text, which may hold secrets.
impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{} ({} bytes)", self.config, self.format, self.text.len())
    }
}

impl Document {
    /// A configuration with the ending of its file and its text.
    pub fn new(config: impl Into<String>, format: impl Into<String>, text: impl Into<String>) -> Self {
        Self { config: config.into(), format: format.into(), text: text.into() }
    }
}

impl Payload {
    /// Of these configurations.
    pub fn new(documents: impl IntoIterator<Item = Document>) -> Self {
        let mut documents: Vec<Document> = documents.into_iter().collect();
        documents.sort();
        Self { format: FORMAT, documents, author: String::new(), message: String::new(), time: None }
    }

    /// Says who publishes it.
    pub fn by(mut self, author: impl Into<String>) -> Self {
        self.author = author.into();
        self
    }

    /// Says why.
    pub fn because(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Says when.
    pub fn at(mut self, time: jiff::Timestamp) -> Self {
        self.time = Some(time);
        self
    }

    /// As it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    /// What it is called.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// What was stored under a name.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when these are not the bytes that the name says, or no payload, or one that
    /// names a configuration twice.
    pub fn read(digest: Digest, bytes: &[u8]) -> Result<Self> {
        let key = format!("payload/{digest}");
        if Digest::of(bytes) != digest {
            return Err(Error::malformed(&key, "its content is not the one it is named after"));
        }
        let payload: Self = from_bytes(&key, bytes)?;
        let mut names: Vec<&str> = payload.documents.iter().map(|document| &*document.config).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                Err(Error::malformed(&key, format!("it has the configuration {:?} twice", pair[0])))
            }
            None => Ok(payload),
        }
    }
}
