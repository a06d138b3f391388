//! The history on real disks: what it keeps, what it survives.

mod damage;
#[cfg(target_os = "linux")]
mod faults;
mod keeping;
mod killed;
mod runs;

use std::path::Path;

use super::{Content, History, Limits, NewRecord, Outcome, Recorded, Trigger};

/// A root that is removed at the end, and its history.
struct Root {
    directory: tempfile::TempDir,
    history: History,
}

impl Root {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        Self::of(tempfile::tempdir().expect("a directory"), limits)
    }

    /// In memory, where there is such a place: for what writes so often that waiting for a disk is all it would do.
    fn in_memory(limits: Limits) -> Self {
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self::of(directory.expect("a directory"), limits)
    }

    fn of(directory: tempfile::TempDir, limits: Limits) -> Self {
        let history = History::open(directory.path(), limits);
        Self { directory, history }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn record(&self, config: &str, text: &str) -> Recorded {
        self.history.record(new(config, text)).expect("there is room and right")
    }

    fn confirm(&self, config: &str, revision: u64) {
        self.set(config, revision, &Outcome::Confirmed);
    }

    fn set(&self, config: &str, revision: u64, outcome: &Outcome) {
        self.history.set_outcome(config, revision, outcome).expect("it is there");
    }

    fn blobs(&self) -> usize {
        let blobs = self.path().join("data/rekindle/history/.blobs");
        std::fs::read_dir(blobs).map_or(0, Iterator::count)
    }
}

/// A generation of one file.
fn new(config: &str, text: &str) -> NewRecord {
    NewRecord {
        config: config.into(),
        generation: 1,
        run: "a run".into(),
        time: jiff::Timestamp::UNIX_EPOCH,
        trigger: Trigger::Files,
        files: vec![file(&format!("config/{config}.toml"), text)],
        changed: vec!["/n".into()],
        outcome: Outcome::Unconfirmed { crashes: 0 },
    }
}

fn file(path: &str, text: &str) -> Content {
    Content { path: path.into(), bytes: text.as_bytes().into(), mode: Some(0o640) }
}

/// The revisions that are whole.
fn listed(history: &History, config: &str) -> Vec<u64> {
    let listing = history.list(config).expect("it can be listed");
    listing.records.iter().map(|record| record.revision).collect()
}

fn text(history: &History, config: &str, revision: u64) -> String {
    let record = history.get(config, revision).expect("it is there");
    let files = history.contents(&record).expect("it is whole");
    String::from_utf8(files[0].bytes.to_vec()).expect("it was text")
}

fn undone() -> Outcome {
    Outcome::RolledBack { reason: "the health check failed".into() }
}
