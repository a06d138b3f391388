//! The only place that writes: a file is there whole, or as it was.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, PersistError};

/// What the name of a staged file begins and ends with. The dot and the ending keep it out of everybody's patterns.
const STAGED: (&str, &str) = (".rekindle-", ".tmp");

/// A file that is written, and not yet in place.
pub(super) struct Staged {
    file: NamedTempFile,
    target: PathBuf,
}

/// Writes a new file beside `target`.
pub(super) fn stage(
    target: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<Staged> {
    let directory = target.parent().unwrap_or(Path::new("."));
    let file = tempfile::Builder::new().prefix(STAGED.0).suffix(STAGED.1).tempfile_in(directory)?;
    let mut writer = BufWriter::new(file.as_file());
    fill(&mut writer)?;
    writer.flush()?;
    drop(writer);
    Ok(Staged { file, target: target.to_owned() })
}

impl Staged {
    /// Its length in bytes.
    pub(super) fn len(&self) -> io::Result<u64> {
        self.file.as_file().metadata().map(|metadata| metadata.len())
    }

    /// Gives it its mode and its name; one that is to be new replaces nothing.
    pub(super) fn put_in_place(self, mode: Permissions, is_new: bool) -> io::Result<()> {
        self.file.as_file().set_permissions(mode)?;
        self.file.as_file().sync_all()?;
        let persisted =
            if is_new { self.file.persist_noclobber(&self.target) } else { self.file.persist(&self.target) };
        persisted.map(drop).map_err(|PersistError { error, .. }| error)
    }
}
