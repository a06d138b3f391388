//! [`Representation`]: the bytes of an asset as they lie in a file, plain or encoded, known by their hash.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::stamp::{self, Content, Stamp};

/// How the bytes of a file are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Encoding {
    /// Brotli: `app.css.br`.
    Brotli,
    /// Gzip: `app.css.gz`.
    Gzip,
}

impl Encoding {
    /// All of them, those that make it smallest first.
    pub const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// The value of `Content-Encoding`: `br`, `gzip`.
    pub fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The ending of a file so encoded, with its dot.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    pub(super) fn index(self) -> usize {
        match self {
            Self::Brotli => 0,
            Self::Gzip => 1,
        }
    }
}

/// The bytes of an asset as they lie in a file: the file itself, or one beside it that is known to hold the
/// same, encoded.
#[derive(Debug, Clone)]
pub struct Representation {
    encoding: Option<Encoding>,
    path: PathBuf,
    directory: PathBuf,
    content: Content,
    etag: String,
}

impl Representation {
    pub(super) fn new(
        encoding: Option<Encoding>,
        path: PathBuf,
        directory: PathBuf,
        content: Content,
    ) -> Self {
        let etag = etag(&content.hash);
        Self { encoding, path, directory, content, etag }
    }

    /// How it is encoded; `None` for the file itself.
    pub fn encoding(&self) -> Option<Encoding> {
        self.encoding
    }

    /// The file, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        self.content.stamp.len()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The strong entity tag of these very bytes, quoted: 128 bits of their BLAKE3 hash.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// The entity tag of bytes, whatever is known of them.
    pub fn etag_of(bytes: &[u8]) -> String {
        etag(&blake3::hash(bytes))
    }

    /// Opens the file, for as long as it is a regular one in the asset's directory. It may block its thread.
    ///
    /// # Errors
    ///
    /// What the system says; [`NotFound`](io::ErrorKind::NotFound) also for a link that leads out of the directory
    /// by now, and for what is no file.
    pub fn open(&self) -> io::Result<OpenedAsset> {
        let (file, metadata) = stamp::open(&self.path).map_err(|cause| {
            if stamp::is_missing(&cause) { io::ErrorKind::NotFound.into() } else { cause }
        })?;
        let now = Stamp::new(&metadata);
        let is_unchanged = now == self.content.stamp;
        if !(is_unchanged && now.tells_files_apart()) {
            self.check_place(&now)?;
        }
        Ok(OpenedAsset { file, len: now.len(), is_unchanged })
    }

    /// Whether what was opened lies in the directory: a link may lead elsewhere by now.
    fn check_place(&self, opened: &Stamp) -> io::Result<()> {
        let real = self.path.canonicalize()?;
        let is_inside = real.starts_with(self.directory.canonicalize()?);
        let is_same = Stamp::new(&real.metadata()?).is_same_file(opened);
        if is_inside && is_same { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    pub(super) fn content(&self) -> &Content {
        &self.content
    }
}

fn etag(hash: &blake3::Hash) -> String {
    format!("\"{}\"", &hash.to_hex()[..32])
}

/// An asset's file, opened.
#[derive(Debug)]
pub struct OpenedAsset {
    file: File,
    len: u64,
    is_unchanged: bool,
}

impl OpenedAsset {
    /// Its length in bytes, when it was opened.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether it is the file that was hashed, as far as its times and its length say. If not, the entity tag is
    /// that of other bytes.
    pub fn is_unchanged(&self) -> bool {
        self.is_unchanged
    }

    /// The file, at its begin.
    pub fn into_file(self) -> File {
        self.file
    }
}
