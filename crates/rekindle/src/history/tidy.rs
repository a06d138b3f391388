//! Removing from the history: what is too old, what nothing names, and what killed writers left.
//!
//! All of it under the writers' lock.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::prune::{self, Held};
use super::record::{Digest, RecordedFile};
use super::{History, Outcome, Record, layout};
use crate::commit::atomic;
use crate::error::Result;

/// A staged file that is older than this has no writer any more.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

impl History {
    /// Removes a configuration's oldest records beyond the limits. Whether there were any.
    pub(super) fn prune(&self, config: &str) -> Result<bool> {
        let excess = prune::excess(&self.held(config)?, self.limits);
        for revision in &excess {
            self.remove(&self.layout.record(config, *revision))?;
        }
        if !excess.is_empty() {
            // Their blobs go next, and a record that came back without them would be a damaged one.
            let directory = self.layout.records(config);
            atomic::sync_names(&directory)
                .map_err(self.layout.failed("cannot remove from the history", &directory))?;
        }
        Ok(!excess.is_empty())
    }

    /// All records of a configuration, damaged ones among them.
    fn held(&self, config: &str) -> Result<Vec<Held>> {
        let revisions = self.revisions(config)?;
        Ok(revisions.into_iter().map(|revision| self.hold(config, revision)).collect())
    }

    fn hold(&self, config: &str, revision: u64) -> Held {
        let Ok(Some(record)) = self.read(config, revision) else {
            return Held { revision, ..Held::default() };
        };
        let is_whole = self.looks_whole(&record);
        Held {
            revision,
            contents: record.files.iter().map(|file| (file.blob, file.size)).collect(),
            is_good: is_whole && record.outcome.is_good(),
            is_confirmed: is_whole && record.outcome == Outcome::Confirmed,
        }
    }

    /// Whether its contents are there, by their sizes: to read them all is too much for every record.
    fn looks_whole(&self, record: &Record) -> bool {
        let is_there = |file: &RecordedFile| {
            let found = self.layout.blob(file.blob).metadata();
            found.is_ok_and(|found| found.is_file() && found.len() == file.size)
        };
        record.files.iter().all(is_there)
    }

    /// Removes the contents that no record of any configuration names, and old leftovers of killed writers.
    pub(super) fn sweep(&self, now: SystemTime) -> Result<()> {
        self.remove_leftovers(&self.layout.history(), now)?;
        self.remove_leftovers(&self.layout.blobs(), now)?;
        for config in self.names()? {
            self.remove_leftovers(&self.layout.records(&config), now)?;
        }
        match self.named()? {
            Some(named) => self.remove_contents_but(&named),
            None => Ok(()),
        }
    }

    fn remove_contents_but(&self, named: &HashSet<Digest>) -> Result<()> {
        for name in self.list_directory(&self.layout.blobs())? {
            let digest = name.to_str().and_then(Digest::from_name);
            if let Some(digest) = digest.filter(|digest| !named.contains(digest)) {
                self.remove(&self.layout.blob(digest))?;
            }
        }
        Ok(())
    }

    /// The contents that a record names. `None` when there is a record which cannot be read now, or by
    /// this version, and may name any.
    fn named(&self) -> Result<Option<HashSet<Digest>>> {
        let mut named = HashSet::new();
        for config in self.names()? {
            for revision in self.revisions(&config)? {
                match self.read(&config, revision) {
                    Ok(record) => named.extend(record.iter().flat_map(Record::blobs)),
                    Err(unreadable) if unreadable.is_lost => {}
                    Err(_) => return Ok(None),
                }
            }
        }
        Ok(Some(named))
    }

    fn remove_leftovers(&self, directory: &Path, now: SystemTime) -> Result<()> {
        remove_leftovers(directory, now).map_err(self.layout.failed("cannot tidy up the history", directory))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        layout::remove(path).map_err(self.layout.failed("cannot remove from the history", path))
    }
}

/// Removes staged files of writers that were killed over them.
pub(super) fn remove_leftovers(directory: &Path, now: SystemTime) -> std::io::Result<()> {
    let names = layout::names_in(directory)?;
    let staged = names.iter().filter(|name| atomic::is_staged(name)).map(|name| directory.join(name));
    for path in staged.filter(|path| is_abandoned(path, now)) {
        layout::remove(&path)?;
    }
    Ok(())
}

fn is_abandoned(path: &Path, now: SystemTime) -> bool {
    let written = path.symlink_metadata().and_then(|found| found.modified());
    written.is_ok_and(|written| now.duration_since(written).is_ok_and(|age| age > ABANDONED))
}
