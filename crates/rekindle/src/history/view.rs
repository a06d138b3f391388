//! [`HistoryEntry`]: a revision as the program sees it.

use std::path::PathBuf;
use std::time::SystemTime;

use super::record::Record;
use super::{Outcome, Trigger};

/// One revision of a configuration that is kept in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// The configuration: `app` for `config/app.toml`.
    pub config_name: String,
    /// Its number: from 1, rising with every new content of this configuration, also across restarts.
    pub revision: u64,
    /// The generation that it was, in the run that it was made in; generations begin at 1 with every run.
    pub generation: u64,
    /// The run that it was made in: a name that no other start of the program has.
    pub run: String,
    /// When it came into use.
    pub time: SystemTime,
    /// What made it be loaded.
    pub trigger: Trigger,
    /// JSON pointers of what differed from the value before it; the empty pointer for the whole.
    pub changed: Vec<String>,
    /// The files it was layered from, weakest first, relative to the root.
    pub files: Vec<PathBuf>,
    /// How large these were together, in bytes.
    pub bytes: u64,
    /// What became of it.
    pub outcome: Outcome,
}

impl From<Record> for HistoryEntry {
    fn from(record: Record) -> Self {
        let bytes = record.files.iter().map(|file| file.size).fold(0, u64::saturating_add);
        Self {
            config_name: record.config,
            revision: record.revision,
            generation: record.generation,
            run: record.run,
            time: record.time.into(),
            trigger: record.trigger,
            changed: record.changed,
            files: record.files.into_iter().map(|file| file.path).collect(),
            bytes,
            outcome: record.outcome,
        }
    }
}
