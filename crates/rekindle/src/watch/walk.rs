//! One directory, listed: its wanted files, the directories to go on to, and the links among both.

use std::fs::{DirEntry, FileType, ReadDir};
use std::io;
use std::path::{Path, PathBuf};

use super::Stamp;
use super::inventory::leads_nowhere;
use crate::route::Interest;

/// What there is in a directory, as far as it is wanted. All paths are relative to the root.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) files: Vec<(PathBuf, Stamp)>,
    pub(super) directories: Vec<PathBuf>,
    /// Those of both that are links.
    pub(super) links: Vec<PathBuf>,
}

impl Listing {
    /// Lists a wanted directory. One that is gone is empty.
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
        let is_link = kind.as_ref().is_ok_and(FileType::is_symlink);
        let is_directory = match kind {
            Ok(_) if is_link => is_link_to_directory(root, &path),
            Ok(kind) => kind.is_dir(),
            Err(_) => false,
        };
        let enters = is_directory && interest.directory_in_wanted(&path);
        // A directory named like a configuration is one that somebody will miss: `config/app.toml/`.
        let is_wanted =
            (!is_directory || crate::route::is_config_file(&path)) && interest.file_in_wanted(&path);
        if is_link && (enters || is_wanted) {
            self.links.push(path.clone());
        }
        if enters {
            self.directories.push(path.clone());
        }
        if let Some(stamp) = is_wanted.then(|| stamp(root, &path, entry, is_link)).flatten() {
            self.files.push((path, stamp));
        }
    }
}

/// Asked of the directory where that will do: it saves the way through all of the path.
fn stamp(root: &Path, path: &Path, entry: &DirEntry, is_link: bool) -> Option<Stamp> {
    match entry.metadata() {
        Ok(metadata) if !is_link => Some(Stamp::new(&metadata)),
        _ => Stamp::of(&root.join(path)),
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
