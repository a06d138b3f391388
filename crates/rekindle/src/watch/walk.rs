//! One directory, listed: its wanted files, the directories to go on to, and the links among both.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{DirEntry, ReadDir};
use std::io;
use std::path::{Path, PathBuf};

use super::Stamp;
use super::inventory::leads_nowhere;
use crate::route::Interest;

/// What there is in a directory, as far as it is wanted. All paths are relative to the root.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) files: BTreeMap<PathBuf, Stamp>,
    pub(super) directories: BTreeSet<PathBuf>,
    /// Those of both that are links.
    pub(super) links: Vec<PathBuf>,
}

impl Listing {
    /// Lists a directory. One that is gone is empty.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be read.
    pub(super) fn of(root: &Path, directory: &Path, interest: &Interest) -> io::Result<Self> {
        let mut listing = Self::default();
        let entries: ReadDir = match std::fs::read_dir(root.join(directory)) {
            Ok(entries) => entries,
            Err(error) if leads_nowhere(&error) => return Ok(listing),
            Err(error) => return Err(error),
        };
        for entry in entries {
            listing.take(root, directory, &entry?, interest);
        }
        Ok(listing)
    }

    fn take(&mut self, root: &Path, parent: &Path, entry: &DirEntry, interest: &Interest) {
        let path = parent.join(entry.file_name());
        let kind = entry.file_type();
        let is_link = kind.as_ref().is_ok_and(std::fs::FileType::is_symlink);
        let is_directory = match kind {
            Ok(_) if is_link => is_link_to_directory(root, &path),
            Ok(kind) => kind.is_dir(),
            Err(_) => false,
        };
        let enters = is_directory && interest.directory(&path);
        // A directory named like a configuration is one that somebody will miss: `config/app.toml/`.
        let is_wanted = interest.file(&path) && (!is_directory || crate::route::is_config_file(&path));
        if is_link && (enters || is_wanted) {
            self.links.push(path.clone());
        }
        if enters {
            self.directories.insert(path.clone());
        }
        if let Some(stamp) = is_wanted.then(|| Stamp::of(&root.join(&path))).flatten() {
            self.files.insert(path, stamp);
        }
    }
}

/// Whether a path is a link to a directory that lies in none of those on the way to it: those that do
/// lead round in a circle.
pub(super) fn is_link_to_directory(root: &Path, path: &Path) -> bool {
    let path_of = |path: &Path| root.join(path).canonicalize().ok();
    let Some(target) = path_of(path).filter(|target| target.is_dir()) else { return false };
    let above = path.ancestors().skip(1);
    above.filter_map(path_of).all(|real| !real.starts_with(&target))
}
