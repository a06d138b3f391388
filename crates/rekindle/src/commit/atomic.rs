//! The only place that writes files: whole, or not at all.

use std::ffi::OsStr;
use std::fs::{DirBuilder, Permissions};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{NamedTempFile, PersistError};

/// What the name of a staged file begins and ends with. The dot and the ending keep it out of everybody's patterns.
const STAGED: (&str, &str) = (".rekindle-", ".tmp");

/// A new file beside `target`, written and synced, not yet in place.
fn staged(target: &Path, content: &[u8], permissions: Option<&Permissions>) -> io::Result<NamedTempFile> {
    let directory = target.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(STAGED.0).suffix(STAGED.1).tempfile_in(directory)?;
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
    put(target, content, permissions)?;
    sync_directory(target)
}

/// [`replace`] for one of several, after which the caller does [`sync_names`] once. Not for links.
pub(crate) fn put(target: &Path, content: &[u8], permissions: Option<&Permissions>) -> io::Result<()> {
    let persisted = staged(target, content, permissions)?.persist(target);
    persisted.map(drop).map_err(|PersistError { error, .. }| error)
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
    sync_names(target.parent().unwrap_or(Path::new(".")))
}

/// Makes the names in a directory survive a crash.
pub(crate) fn sync_names(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { std::fs::File::open(directory)?.sync_all() } else { Ok(()) }
}

/// Whether a name is that of a file which a writer was killed over, or is staging right now.
pub(crate) fn is_staged(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(STAGED.0) && name.ends_with(STAGED.1))
}

/// Makes a directory that only its owner may look into. One that is there is left as it is.
pub(crate) fn make_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(false);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Ok(()) => sync_directory(path),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(cause) => Err(cause),
    }
}

/// Makes a directory below `root`, with those above it, but never `root` itself: one that was moved away while
/// something was about to be written into it would be back, empty.
pub(crate) fn make_directory_below(root: &Path, directory: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        directory.ancestors().take_while(|path| *path != root && !path.is_dir()).collect();
    missing.into_iter().rev().try_for_each(|path| match std::fs::create_dir(path) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    })
}

#[cfg(test)]
mod tests {
    use super::make_directory_below;

    #[test]
    fn directories_are_made_below_the_root_and_never_the_root() {
        let site = tempfile::tempdir().unwrap();
        let root = site.path().join("root");
        assert!(make_directory_below(&root, &root.join("data/rekindle")).is_err());
        assert!(!root.exists());
        std::fs::create_dir(&root).unwrap();
        make_directory_below(&root, &root.join("data/rekindle")).unwrap();
        make_directory_below(&root, &root.join("data/rekindle")).unwrap();
        assert!(root.join("data/rekindle").is_dir());
        std::fs::write(root.join("file"), "").unwrap();
        assert!(make_directory_below(&root, &root.join("file/below")).is_err());
    }
}
