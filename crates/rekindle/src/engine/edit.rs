//! [`Edit`]: files that are written as part of a reload, once the change in them has been found good.

use std::fs::Permissions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::commit::{atomic, backup};
use crate::error::{Error, ErrorKind, Location, Result};
use crate::load::{Bytes, Failure, read_bytes};

/// New content for files of one configuration.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(crate) root: PathBuf,
    pub(crate) files: Vec<FileEdit>,
    /// Whether what is overwritten is kept as a backup first: nobody may have a copy of it.
    pub(crate) backs_up: bool,
    /// Whether it is asked what would come of it, and nothing is to be written.
    pub(crate) is_trial: bool,
}

/// New content for one file.
#[derive(Debug, Clone)]
pub(crate) struct FileEdit {
    /// Relative to the root.
    pub(crate) path: PathBuf,
    /// `None` when the file is to go.
    pub(crate) content: Option<Arc<[u8]>>,
    /// The mode to give it; otherwise that of the file it replaces.
    pub(crate) permissions: Option<Permissions>,
    /// What the file has to hold now, for the edit not to overwrite what somebody else wrote.
    pub(crate) expected: Option<blake3::Hash>,
}

/// A file as it was before an edit, to put back if the edit of another one fails.
type Before = (PathBuf, Option<Bytes>);

impl Edit {
    /// The edit of a file, if there is one.
    pub(crate) fn of(&self, path: &Path) -> Option<&FileEdit> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Writes all files, or none. Blocks.
    pub(crate) fn write(&self) -> Result<()> {
        let mut done: Vec<Before> = Vec::new();
        for file in &self.files {
            let path = self.root.join(&file.path);
            let written = self.before(&path, file).and_then(|before| {
                let written = self.write_one(&path, file, before.as_ref());
                done.push((path.clone(), before));
                written
            });
            if let Err(error) = written {
                done.pop();
                let kept = done.iter().rev().filter_map(|before| put_back(before).err());
                let kept: Vec<String> = kept.map(|cause| cause.to_string()).collect();
                return Err(if kept.is_empty() { error } else { half_done(error, &kept) });
            }
        }
        Ok(())
    }

    /// What the file is now, if that is what is expected.
    fn before(&self, path: &Path, file: &FileEdit) -> Result<Option<Bytes>> {
        let before = read_bytes(path, &self.root, u64::MAX).map_err(|Failure { error, .. }| error)?;
        let hash = before.as_ref().map(|bytes| bytes.hash);
        if file.expected.is_some() && file.expected != hash {
            let error = Error::new(ErrorKind::Conflict, "somebody else has written to the file meanwhile");
            return Err(error.help("look at it, and try again").at(Location::file(path, &self.root)));
        }
        Ok(before)
    }

    fn write_one(&self, path: &Path, file: &FileEdit, before: Option<&Bytes>) -> Result<()> {
        let failed = |cause| Error::io("cannot write the file", path, &self.root, cause);
        if let Some(before) = before.filter(|_| self.backs_up) {
            backup::write(&self.root, path, &before.content, &before.permissions, BACKUPS_KEPT)?;
        }
        let Some(content) = &file.content else {
            return before.map_or(Ok(()), |_| std::fs::remove_file(path).map_err(failed));
        };
        if let Some(directory) = path.parent() {
            atomic::make_directory_below(&self.root, directory).map_err(failed)?;
        }
        let kept = before.map(|before| &before.permissions);
        atomic::replace(path, content, file.permissions.as_ref().or(kept)).map_err(failed)
    }
}

/// How many backups are kept of a file that is overwritten.
const BACKUPS_KEPT: usize = 20;

fn put_back((path, before): &Before) -> io::Result<()> {
    match before {
        Some(bytes) => atomic::replace(path, &bytes.content, Some(&bytes.permissions)),
        None => std::fs::remove_file(path),
    }
}

fn half_done(error: Error, kept: &[String]) -> Error {
    let message = format!("{error}; and what was written before cannot be put back: {}", kept.join("; "));
    Error::new(ErrorKind::Io, message).because(error)
}
