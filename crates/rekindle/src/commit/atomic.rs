//! The only place that writes files: whole, or not at all.

use std::fs::Permissions;
use std::io::{self, Write};
use std::path::Path;

use tempfile::{NamedTempFile, PersistError};

/// A new file beside `target`, written and synced, not yet in place.
fn staged(target: &Path, content: &[u8], permissions: Option<&Permissions>) -> io::Result<NamedTempFile> {
    let directory = target.parent().unwrap_or(Path::new("."));
    // The dot and the ending keep it out of everybody's patterns.
    let mut file = tempfile::Builder::new().prefix(".rekindle-").suffix(".tmp").tempfile_in(directory)?;
    file.write_all(content)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions.clone())?;
    }
    file.as_file().sync_all()?;
    Ok(file)
}

/// Replaces `target`, or makes it. Where it is a link, what it leads to is replaced, and the link stays.
pub(crate) fn replace(target: &Path, content: &[u8], permissions: Option<&Permissions>) -> io::Result<()> {
    let is_link = target.symlink_metadata().is_ok_and(|data| data.is_symlink());
    let target = &if is_link { target.canonicalize()? } else { target.to_path_buf() };
    staged(target, content, permissions)?.persist(target).map_err(|PersistError { error, .. }| error)?;
    sync_directory(target)
}

/// Makes `target`; an existing file is left alone and is an [`io::ErrorKind::AlreadyExists`].
pub(crate) fn create(target: &Path, content: &[u8], permissions: Option<&Permissions>) -> io::Result<()> {
    staged(target, content, permissions)?
        .persist_noclobber(target)
        .map_err(|PersistError { error, .. }| error)?;
    sync_directory(target)
}

/// The name is in the directory, and survives a crash only once that is synced.
fn sync_directory(target: &Path) -> io::Result<()> {
    let directory = target.parent().unwrap_or(Path::new("."));
    if cfg!(unix) { std::fs::File::open(directory)?.sync_all() } else { Ok(()) }
}
