//! A look at files on disk: at one, and at all of them.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::manifest::Entry;
use super::representation::Representation;
use super::stamp::{self, Stamp};
use crate::files::Scope;

/// What a look at a file has found.
#[derive(Debug)]
pub(super) enum Seen {
    /// It is there, and was read.
    Holds(Box<Representation>),
    /// It is what it was, without having been read.
    Same,
    /// There is none, or what is there is no regular file.
    Gone,
    /// It is there, and is not served for this reason.
    Refused(String),
    /// It is there and cannot be read now: what is known of it stays.
    Unreadable(String),
}

/// Looks at a file, and reads it unless it is `known` already.
pub(super) fn look(scope: &Scope, path: &Path, known: Option<&Entry>) -> Seen {
    match try_look(scope, path, known) {
        Ok(seen) => seen,
        Err(cause) if stamp::is_missing(&cause) => Seen::Gone,
        Err(cause) => {
            Seen::Unreadable(format!("the file cannot be read: {cause}; its last good content stays"))
        }
    }
}

fn try_look(scope: &Scope, path: &Path, known: Option<&Entry>) -> io::Result<Seen> {
    if !is_inside(scope, path)? {
        return Ok(Seen::Refused(LEADS_OUT.into()));
    }
    let (mut file, metadata) = stamp::open(path)?;
    let is_known = |entry: &Entry| entry.plain.content().is_still(&Stamp::new(&metadata));
    if known.is_some_and(is_known) {
        return Ok(Seen::Same);
    }
    let content = stamp::content(&mut file)?;
    Ok(Seen::Holds(Box::new(Representation::new(None, path.to_owned(), scope.directory(), content))))
}

const LEADS_OUT: &str = "this link leads out of the directory of the assets, and is not served; \
    put a copy in its place, or watch the directory it leads to";

/// Whether a path, wherever links lead, lies in the directory of the assets.
pub(super) fn is_inside(scope: &Scope, path: &Path) -> io::Result<bool> {
    Ok(path.canonicalize()?.starts_with(scope.directory().canonicalize()?))
}

/// Everything below the directory of the assets.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The files that are meant, absolute.
    pub(super) files: BTreeSet<PathBuf>,
    /// What could not be listed, and why.
    pub(super) faults: Vec<(PathBuf, String)>,
}

/// Lists all files that are meant. Directories that a link leads to are entered only inside.
pub(super) fn list(scope: &Scope) -> Listing {
    let mut listing = Listing::default();
    let mut left_out = Vec::new();
    let walk = WalkDir::new(scope.directory()).follow_links(true).into_iter();
    let entries = walk.filter_entry(|entry| entry.depth() == 0 || is_entered(scope, entry, &mut left_out));
    for entry in entries {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => drop(listing.files.insert(entry.into_path())),
            Err(error) => listing.faults.extend(fault(&error)),
        }
    }
    listing.faults.extend(left_out.into_iter().map(|path| (path, LEADS_OUT.to_owned())));
    listing
}

fn is_entered(scope: &Scope, entry: &DirEntry, left_out: &mut Vec<PathBuf>) -> bool {
    if entry.file_name().as_encoded_bytes().starts_with(b".") {
        return false;
    }
    let is_linked_directory = entry.file_type().is_dir() && entry.path_is_symlink();
    let leads_out = is_linked_directory && !is_inside(scope, entry.path()).unwrap_or(false);
    if leads_out {
        left_out.push(entry.path().to_owned());
    }
    !leads_out
}

/// What is worth being told. What went meanwhile is not, nor is a link to one of its own parents.
fn fault(error: &walkdir::Error) -> Option<(PathBuf, String)> {
    let (path, cause) = (error.path()?, error.io_error()?);
    let worth = error.loop_ancestor().is_none() && !stamp::is_missing(cause);
    worth.then(|| (path.to_owned(), format!("this cannot be looked at: {cause}; what is known of it stays")))
}
