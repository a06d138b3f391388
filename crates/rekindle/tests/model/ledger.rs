//! The ledger of files: what was told of them, held against what there was and is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rekindle::{ChangeEvent, ChangeType};

use crate::disk::Files;

/// The files there are, as far as was told.
#[derive(Debug)]
pub(crate) struct Ledger {
    root: PathBuf,
    files: BTreeSet<PathBuf>,
    /// How many moments there had been when a file was last told of.
    told: BTreeMap<PathBuf, usize>,
    /// What was told and cannot be.
    nonsense: Vec<String>,
}

impl Ledger {
    /// With the files that were there in the beginning.
    pub(crate) fn new(root: &Path, files: &Files) -> Self {
        let files = files.keys().cloned().collect();
        Self { root: root.to_path_buf(), files, told: BTreeMap::new(), nonsense: Vec::new() }
    }

    /// Takes in an event that had been told when there had been so many moments.
    pub(crate) fn take(&mut self, event: &ChangeEvent, moments: usize) {
        let ChangeEvent::FileChanged { path, change_type } = event else { return };
        let path = self.relative(path);
        self.told.insert(path.clone(), moments);
        let fits = match change_type {
            ChangeType::Created => self.files.insert(path.clone()),
            ChangeType::Modified => self.files.contains(&path),
            ChangeType::Deleted => self.files.remove(&path),
            ChangeType::Renamed { from } => {
                let was_there = self.files.remove(&self.relative(from));
                self.files.insert(path.clone());
                was_there
            }
            _ => false,
        };
        if !fits {
            self.nonsense.push(format!("{} {}", path.display(), change_type.as_str()));
        }
    }

    fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_path_buf()
    }

    /// What does not hold: told files that are not there, files that were not told of, contents that
    /// came after the last word on their file.
    pub(crate) fn faults(&self, moments: &[Files]) -> Vec<String> {
        let now = moments.last().expect("there is a beginning");
        let there: BTreeSet<PathBuf> = now.keys().cloned().collect();
        let mut faults = self.nonsense.iter().map(|what| format!("{what}, which cannot be")).collect();
        let mut add = |paths: Vec<&PathBuf>, what: &str| {
            let add: Vec<String> = paths.iter().map(|path| format!("{} {what}", path.display())).collect();
            Vec::extend(&mut faults, add);
        };
        add(self.files.difference(&there).collect(), "is told to be there, and is not");
        add(there.difference(&self.files).collect(), "is there, and is not told of");
        add(there.iter().filter(|path| self.is_stale(path, moments)).collect(), "has untold content");
        faults
    }

    /// Whether the content that a file has now was never there by the time it was last told of.
    fn is_stale(&self, path: &Path, moments: &[Files]) -> bool {
        let content = moments.last().and_then(|now| now.get(path));
        let by_then = self.told.get(path).copied().unwrap_or(1);
        !moments[..by_then].iter().any(|files| files.get(path) == content)
    }
}
