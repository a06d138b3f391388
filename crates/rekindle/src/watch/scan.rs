//! The walk through all wanted directories: at the start to learn what there is, later to compare what
//! there is with what is known. It stats, and opens nothing.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::walk::Listing;
use super::{Found, Inventory, Stamp, Watch};
use crate::settle::What;

/// A comparison on its way through the directories, a few at a time: a project of any size keeps
/// nobody waiting.
#[derive(Debug)]
pub(crate) struct Scan {
    /// Directories to go through yet.
    todo: Vec<PathBuf>,
    /// Whether a file that looks as it did must be read, because it was stamped in the very tick in
    /// which it could have changed again. Otherwise that waits until the tick is over.
    thorough: bool,
    walked: usize,
}

impl Scan {
    /// A comparison of everything.
    pub(crate) fn new(thorough: bool) -> Self {
        Self { todo: vec![PathBuf::new()], thorough, walked: 0 }
    }

    /// Whether it has been everywhere.
    pub(crate) fn is_done(&self) -> bool {
        self.todo.is_empty()
    }
}

impl Watch {
    /// Goes on with a comparison: arms what is not armed, and says what differs from what is known.
    pub(crate) fn scan(&mut self, scan: &mut Scan, inventory: &Inventory, budget: Duration) -> Found {
        let mut found = Found::default();
        let end = Instant::now() + budget;
        while let Some(directory) = scan.todo.pop() {
            scan.walked += 1;
            scan.todo.extend(self.compare(&directory, scan.thorough, inventory, &mut found));
            if Instant::now() >= end {
                break;
            }
        }
        if scan.is_done() {
            self.walked = scan.walked;
        }
        found
    }

    /// Compares everything, at once.
    pub(crate) fn scan_all(&mut self, thorough: bool, inventory: &Inventory) -> Found {
        self.scan(&mut Scan::new(thorough), inventory, crate::config::LONGEST)
    }

    /// Looks at the directories that nobody tells of, and asks once more whether somebody would.
    pub(crate) fn poll_refused(&mut self, inventory: &Inventory) -> Found {
        let mut found = Found::default();
        let mut todo: Vec<PathBuf> = self.refused.keys().cloned().collect();
        while let Some(directory) = todo.pop() {
            let below = self.compare(&directory, false, inventory, &mut found);
            let is_new = |path: &PathBuf| !self.is_armed(path) && !self.refused.contains_key(path);
            todo.extend(below.into_iter().filter(is_new));
        }
        found
    }

    /// Walks everything and gives every wanted file: the beginning of an inventory.
    pub(crate) fn list(&mut self) -> Vec<(PathBuf, Stamp)> {
        self.refused.clear();
        self.learn(Path::new(""));
        self.walked = 0;
        self.walk(Path::new(""))
    }

    /// Arms a directory and lists it, in this order, then all below it; gives every wanted file.
    pub(super) fn walk(&mut self, start: &Path) -> Vec<(PathBuf, Stamp)> {
        let (mut files, mut todo) = (Vec::new(), vec![start.to_path_buf()]);
        while let Some(directory) = todo.pop() {
            self.walked += 1;
            let Some(listing) = self.visit(&directory) else { continue };
            files.extend(listing.files);
            todo.extend(listing.directories);
        }
        files
    }

    /// Arms a directory, then lists it. `None` when it cannot be listed: nothing is known of it then.
    pub(super) fn visit(&mut self, directory: &Path) -> Option<Listing> {
        if directory.as_os_str().is_empty() {
            self.missing = !self.root.is_dir();
        }
        let armed = self.arm(directory);
        let listed = Listing::of(&self.root, directory, &self.interest);
        let (listing, cause) = match (armed, listed) {
            (Ok(()), Ok(listing)) => (Some(listing), None),
            (Err(cause), Ok(listing)) => (Some(listing), Some(cause)),
            (armed, Err(cause)) => (None, Some(armed.err().unwrap_or(cause))),
        };
        match cause {
            Some(cause) => self.refused.insert(directory.to_path_buf(), cause),
            None => self.refused.remove(directory),
        };
        for link in listing.iter().flat_map(|listing| &listing.links) {
            self.learn(link);
        }
        listing
    }

    /// Compares a directory with what is known of it, and gives those below it.
    fn compare(
        &mut self,
        directory: &Path,
        thorough: bool,
        inventory: &Inventory,
        found: &mut Found,
    ) -> Vec<PathBuf> {
        let Some(Listing { files, directories, .. }) = self.visit(directory) else { return Vec::new() };
        let there: HashSet<&PathBuf> = files.iter().map(|(path, _)| path).chain(&directories).collect();
        for name in inventory.names_in(directory).filter(|name| !there.contains(name)) {
            inventory.below(&name).for_each(|path| found.signal(path.to_path_buf(), What::Gone));
        }
        for (path, stamp) in files {
            if inventory.get(&path).is_none_or(|known| may_differ(known, &stamp, thorough)) {
                found.signal(path, What::Seen(Some(stamp)));
            }
        }
        directories
    }
}

/// Whether a file may be another than it was, by what the file system says of it.
fn may_differ(known: &Stamp, now: &Stamp, thorough: bool) -> bool {
    if now.is_unknown() {
        return false;
    }
    !known.looks_like(now) || known.is_fresh() && (thorough || known.has_aged())
}
