//! The only place that opens a configuration file.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Failure;
use crate::error::{Error, ErrorKind, Location};

/// A file's content and what belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Bytes {
    /// Absolute.
    pub(crate) path: PathBuf,
    pub(crate) content: Arc<[u8]>,
    pub(crate) hash: blake3::Hash,
    pub(crate) permissions: Permissions,
}

/// Reads a regular file of at most `limit` bytes. `None` when there is none.
///
/// A FIFO, a device or a directory is an error, and is never waited on.
pub(crate) fn read_bytes(path: &Path, root: &Path, limit: u64) -> Result<Option<Bytes>, Failure> {
    let io = |cause| Failure::maybe_unfinished(Error::io("cannot read the file", path, root, cause));
    let file = match open(path) {
        Ok(file) => file,
        Err(cause) if is_missing(&cause) => return Ok(None),
        Err(cause) if is_special(&cause) => return Err(not_a_file(path, root)),
        Err(cause) => return Err(io(cause)),
    };
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(not_a_file(path, root));
    }
    if metadata.len() > limit {
        return Err(too_large(path, root, metadata.len(), limit));
    }
    // One byte more than the limit: a file may grow while it is read, and its size may be a lie.
    let mut content = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    file.take(limit.saturating_add(1)).read_to_end(&mut content).map_err(io)?;
    if content.len() as u64 > limit {
        return Err(too_large(path, root, content.len() as u64, limit));
    }
    let hash = blake3::hash(&content);
    let permissions = metadata.permissions();
    Ok(Some(Bytes { path: path.to_path_buf(), content: content.into(), hash, permissions }))
}

/// Opening must not wait for a FIFO's other end.
fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    options.open(path)
}

fn is_missing(cause: &std::io::Error) -> bool {
    // A file where a directory should be means that the file below it is missing, too.
    matches!(cause.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn is_special(cause: &std::io::Error) -> bool {
    #[cfg(unix)]
    if cause.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) {
        // A socket, or a device without a driver.
        return true;
    }
    cause.kind() == std::io::ErrorKind::IsADirectory
}

fn not_a_file(path: &Path, root: &Path) -> Failure {
    let error = Error::new(ErrorKind::NotAFile, "this is no regular file")
        .help("put a file in its place, or remove it")
        .at(Location::file(path, root));
    Failure::definitive(error)
}

pub(crate) fn too_large(path: &Path, root: &Path, size: u64, limit: u64) -> Failure {
    let message = format!("the file has {size} bytes, and {limit} are allowed");
    let error = Error::new(ErrorKind::Limit, message)
        .help("raise `max_file_size` if this is meant")
        .at(Location::file(path, root));
    Failure::definitive(error)
}
