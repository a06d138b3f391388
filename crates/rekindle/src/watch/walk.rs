//! The walk: arms each wanted directory, then lists it.

use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};

use super::Stamp;
use crate::route::Interest;

/// Walks the wanted directories from `start` down. `arm` is called before a directory is listed;
/// `file` gets every wanted file that exists.
///
/// Gives the directories that could not be armed or listed, and why. One that is gone is none of those.
pub(crate) fn walk(
    root: &Path,
    start: &Path,
    interest: &Interest,
    mut arm: impl FnMut(&Path) -> io::Result<()>,
    mut file: impl FnMut(PathBuf, Stamp),
) -> Vec<(PathBuf, io::Error)> {
    let mut refused = Vec::new();
    let mut todo = vec![start.to_path_buf()];
    while let Some(directory) = todo.pop() {
        let armed = arm(&directory);
        let entries = match std::fs::read_dir(root.join(&directory)) {
            Ok(entries) => entries,
            Err(error) if is_gone(&error) => continue,
            Err(error) => {
                refused.push((directory, armed.err().unwrap_or(error)));
                continue;
            }
        };
        refused.extend(armed.err().map(|error| (directory.clone(), error)));
        for entry in entries.flatten() {
            let path = directory.join(entry.file_name());
            if is_directory(root, &directory, &entry) {
                if interest.directory(&path) {
                    todo.push(path.clone());
                }
                if !interest.file(&path) || !in_a_files_place(&path) {
                    continue;
                }
            }
            if let Some(stamp) = interest.file(&path).then(|| Stamp::of(&root.join(&path))).flatten() {
                file(path, stamp);
            }
        }
    }
    refused
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// A directory named like a configuration is one that somebody will miss: `config/app.toml/`.
fn in_a_files_place(path: &Path) -> bool {
    crate::route::is_config_file(path)
}

/// Whether an entry is a directory, or a link to one that does not lead back up.
fn is_directory(root: &Path, parent: &Path, entry: &DirEntry) -> bool {
    let Ok(kind) = entry.file_type() else { return false };
    if !kind.is_symlink() {
        return kind.is_dir();
    }
    let Ok(target) = entry.path().canonicalize() else { return false };
    let here = root.join(parent).canonicalize();
    target.is_dir() && !here.is_ok_and(|here| here.starts_with(target))
}
