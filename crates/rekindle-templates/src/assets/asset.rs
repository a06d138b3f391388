//! [`Asset`]: one of the files, as whoever serves it needs to know it.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::manifest::Entry;
use super::media;
use super::representation::{Encoding, Representation};

/// A file of the [manifest](crate::Manifest), found by its name with or without a fingerprint.
///
/// It stays what it was when it was found: [`Representation::open`] tells whether the file on disk still is.
#[derive(Debug, Clone)]
pub struct Asset {
    entry: Arc<Entry>,
    is_current: bool,
}

impl Asset {
    pub(super) fn new(entry: Arc<Entry>, is_current: bool) -> Self {
        Self { entry, is_current }
    }

    /// Its name, without a fingerprint: `css/app.css`.
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// The file, absolute.
    pub fn path(&self) -> &Path {
        self.entry.plain.path()
    }

    /// The value of `Content-Type`, with `charset=utf-8` for text.
    pub fn mime(&self) -> &str {
        &self.entry.content_type
    }

    /// The strong entity tag of the plain content, quoted.
    pub fn etag(&self) -> &str {
        self.entry.plain.etag()
    }

    /// Whether it was asked for with the fingerprint of this content: what is served may be kept for ever.
    pub fn is_fingerprinted(&self) -> bool {
        self.is_current
    }

    /// Whether compressing it pays, and so whether encoded siblings are looked for.
    pub fn is_compressible(&self) -> bool {
        media::is_compressible(&self.entry.name)
    }

    /// Since when it has had this content, as far as is known.
    pub fn modified(&self) -> Option<SystemTime> {
        self.entry.modified
    }

    /// The file itself.
    pub fn plain(&self) -> &Representation {
        &self.entry.plain
    }

    /// The sibling so encoded, once it is known to hold this very content.
    pub fn encoded(&self, encoding: Encoding) -> Option<Arc<Representation>> {
        self.entry.encoded(encoding)
    }

    /// The encodings that [`encoded`](Self::encoded) has.
    pub fn encodings(&self) -> Vec<Encoding> {
        Encoding::ALL.into_iter().filter(|encoding| self.encoded(*encoding).is_some()).collect()
    }
}
