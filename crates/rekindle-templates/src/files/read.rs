//! One file, read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The largest file that is read: 4 MiB.
pub(crate) const LARGEST: u64 = 4 * 1024 * 1024;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    /// The first 64 bits of its BLAKE3 hash.
    pub(crate) hash: u64,
}

/// Why a file's text is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReadFault {
    pub(crate) message: String,
    /// Nobody may tell when it is over: it is tried again.
    pub(crate) may_pass: bool,
}

impl ReadFault {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), may_pass: false }
    }

    fn io(doing: &str, cause: &std::io::Error) -> Self {
        Self { message: format!("{doing}: {cause}"), may_pass: true }
    }
}

/// Reads a file as text. `None` when there is none; a directory is none.
///
/// `root` is the real path of the directory that the file, wherever links lead, has to lie in.
pub(crate) fn read(path: &Path, root: &Path) -> Result<Option<Text>, ReadFault> {
    let Some(bytes) = bytes(path, root)? else { return Ok(None) };
    let hash = hash(&bytes);
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(&error))?;
    Ok(Some(Text { text, hash }))
}

/// As [`read`], for whatever the file holds: the hash of it alone.
pub(crate) fn fingerprint(path: &Path, root: &Path) -> Result<Option<u64>, ReadFault> {
    Ok(bytes(path, root)?.map(|bytes| hash(&bytes)))
}

fn bytes(path: &Path, root: &Path) -> Result<Option<Vec<u8>>, ReadFault> {
    let real = match path.canonicalize() {
        Ok(real) => real,
        Err(cause) if is_missing(&cause) => return Ok(None),
        Err(cause) => return Err(ReadFault::io("the file cannot be looked at", &cause)),
    };
    if !real.starts_with(root) {
        return Err(ReadFault::new("this is a link that leads out of the root; it is not followed"));
    }
    if real.is_dir() {
        return Ok(None);
    }
    match content(&real) {
        Ok(bytes) => bytes.map(Some),
        Err(cause) if is_missing(&cause) => Ok(None),
        Err(cause) => Err(ReadFault::io("the file cannot be read", &cause)),
    }
}

/// Opens nothing but a regular file: a FIFO would be waited on.
fn content(path: &Path) -> std::io::Result<Result<Vec<u8>, ReadFault>> {
    let metadata = path.metadata()?;
    if !metadata.is_file() {
        return Ok(Err(ReadFault::new("this is no regular file; put one in its place, or remove it")));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(LARGEST)).unwrap_or(0));
    // One byte more than the limit: a file may grow while it is read.
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        let message = format!("the file is too large: a template has at most {} MiB", LARGEST >> 20);
        return Ok(Err(ReadFault::new(message)));
    }
    Ok(Ok(bytes))
}

fn is_missing(cause: &std::io::Error) -> bool {
    // A file where a directory should be means that the file below it is missing, too.
    matches!(cause.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn not_utf8(error: &std::string::FromUtf8Error) -> ReadFault {
    let good = error.utf8_error().valid_up_to();
    let lines = error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count();
    ReadFault::new(format!("the file is not UTF-8: see line {}; save it as UTF-8", lines + 1))
}

/// The first 64 bits of the BLAKE3 hash.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    u64::from_le_bytes(first)
}
