//! All files of a scope, listed.

use std::collections::BTreeSet;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use super::scope::{Scope, is_passing};

/// The names of all files that are meant. `root` is the real path of the scope's root.
///
/// A directory that is missing or cannot be read holds none; the engine tells when that changes.
pub(crate) fn list(scope: &Scope, root: &Path) -> BTreeSet<String> {
    let walk = WalkDir::new(scope.directory()).follow_links(true).into_iter();
    let entries = walk.filter_entry(|entry| entry.depth() == 0 || is_entered(entry, root));
    let files = entries.filter_map(Result::ok).filter(|entry| !entry.file_type().is_dir());
    files.filter_map(|entry| scope.name(entry.path())).collect()
}

/// Files all, even links that lead out: reading them says what is wrong with them. Directories only where
/// they lie in the root.
fn is_entered(entry: &DirEntry, root: &Path) -> bool {
    let is_way_out = || !entry.path().canonicalize().is_ok_and(|real| real.starts_with(root));
    let leads_out = entry.file_type().is_dir() && entry.path_is_symlink() && is_way_out();
    !leads_out && !entry.path().components().next_back().is_some_and(is_passing)
}
