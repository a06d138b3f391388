//! Writing the history: one writer at a time, contents before the record that names them.

use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use super::lock::{self, Lock};
use super::record::{self, RecordedFile};
use super::{Content, History, Limits, NewRecord, Outcome, Record, Recorded};
use crate::commit::atomic;
use crate::error::Result;
use crate::route::check_name;

impl History {
    /// Keeps a generation that came into use, and removes what is too old.
    ///
    /// When the newest record that was not found to be bad has the same files, there is no new one.
    pub(crate) fn record(&self, new: NewRecord) -> Result<Recorded> {
        check_name(&new.config)?;
        let paths = new.files.iter().map(|file| file.path.as_path());
        record::check_paths(paths).map_err(|why| self.layout.error(&self.layout.history(), why))?;
        let _lock = self.lock()?;
        let recorded = self.keep(new);
        if recorded.is_err() {
            // On a full disk, what was written in vain takes the room of the next one. The error is told of already.
            let _ = self.sweep(SystemTime::now());
        }
        recorded
    }

    /// Writes down what became of a revision.
    pub(crate) fn set_outcome(&self, config: &str, revision: u64, outcome: &Outcome) -> Result<()> {
        self.change_outcome(config, revision, |_| outcome.clone()).map(drop)
    }

    /// Makes another outcome of the one that is written down, and returns it.
    pub(super) fn change_outcome(
        &self,
        config: &str,
        revision: u64,
        change: impl FnOnce(&Outcome) -> Outcome,
    ) -> Result<Outcome> {
        // Before anything is made on disk: what is not there has no outcome.
        self.get(config, revision)?;
        let _lock = self.lock()?;
        let old = self.get(config, revision)?.outcome;
        let new = change(&old);
        if new != old {
            let path = self.layout.record(config, revision);
            self.write(&path, &record::with_outcome(&self.record_bytes(&path)?, &new)?)?;
        }
        Ok(new)
    }

    fn lock(&self) -> Result<Lock> {
        let (directory, path) = (self.layout.history(), self.layout.lock());
        self.layout.make_history().map_err(self.layout.failed("cannot make the history", &directory))?;
        lock::exclusive(&path).map_err(self.layout.failed("cannot lock the history", &path))
    }

    fn keep(&self, new: NewRecord) -> Result<Recorded> {
        let files = self.keep_contents(&new.files)?;
        let newest = self.newest(&new.config, |record| !record.outcome.is_bad())?;
        if let Some(record) = newest.filter(|record| record.has_files(&files)) {
            return Ok(Recorded { record, is_new: false, untidy: None });
        }
        let revisions = self.revisions(&new.config)?;
        let revision = self.next(&new.config, revisions.last().copied())?;
        let record = Record::new(new, revision, files);
        self.write_new(&record)?;
        let untidy =
            if self.is_due(&record, revisions.len() + 1) { self.tidy(&record.config).err() } else { None };
        Ok(Recorded { record, is_new: true, untidy })
    }

    /// Keeps contents, each once. One that is damaged is mended by this.
    fn keep_contents(&self, files: &[Content]) -> Result<Vec<RecordedFile>> {
        let kept = files.iter().map(|file| self.keep_content(file)).collect::<Result<_>>()?;
        // Also for those that were there already: their writer may have been killed before it did this.
        let blobs = self.layout.blobs();
        atomic::sync_names(&blobs).map_err(self.layout.failed("cannot write to the history", &blobs))?;
        Ok(kept)
    }

    fn keep_content(&self, file: &Content) -> Result<RecordedFile> {
        let recorded = RecordedFile::of(file);
        if !self.has_content(recorded.blob) {
            let path = self.layout.blob(recorded.blob);
            atomic::put(&path, &file.bytes, None)
                .map_err(self.layout.failed("cannot write to the history", &path))?;
        }
        Ok(recorded)
    }

    fn write_new(&self, record: &Record) -> Result<()> {
        let directory = self.layout.records(&record.config);
        atomic::make_private_directory(&directory)
            .map_err(self.layout.failed("cannot make the history", &directory))?;
        self.write(&self.layout.record(&record.config, record.revision), &record.to_bytes())
    }

    fn write(&self, path: &Path, content: &[u8]) -> Result<()> {
        atomic::replace(path, content, None).map_err(self.layout.failed("cannot write to the history", path))
    }

    /// The number after all there are, damaged ones among them: no number is ever used twice.
    fn next(&self, config: &str, newest: Option<u64>) -> Result<u64> {
        let newest = newest.unwrap_or(0);
        let last =
            || self.layout.error(&self.layout.record(config, newest), "no number comes after this one");
        newest.checked_add(1).ok_or_else(last)
    }

    /// Whether it is time to look for what is too old: that reads every record, so not each new one makes it so.
    ///
    /// The first one of this process does, and then one that makes it an eighth more than the limits.
    fn is_due(&self, new: &Record, revisions: usize) -> bool {
        let mut untidied = self.untidied.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = untidied.get(&new.config).copied().unwrap_or(u64::MAX);
        let bytes = new.files.iter().fold(bytes, |sum, file| sum.saturating_add(file.size));
        let Limits { revisions: most, bytes: most_bytes } = self.limits;
        let is_due = revisions > most.saturating_add(most / 8) || bytes > most_bytes / 8;
        untidied.insert(new.config.clone(), if is_due { 0 } else { bytes });
        is_due
    }

    /// Removes what there is too much of, and once in a while what nothing names.
    fn tidy(&self, config: &str) -> Result<()> {
        let has_pruned = self.prune(config)?;
        if has_pruned || !self.is_swept.swap(true, Ordering::Relaxed) {
            self.sweep(SystemTime::now())?;
        }
        Ok(())
    }
}
