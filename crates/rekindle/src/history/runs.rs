//! The marks of runs: which of them crashed, and over what.
//!
//! A run holds a lock on its `{run}.run` while the process lives. Beside it `{run}.json` says which revisions
//! are in use and not yet confirmed. These are two files because a lock belongs to a file, and one that is
//! replaced is another file. A mark that is there and not locked is that of a run which crashed.
//!
//! A process that the program forked and that lives on holds the lock with it; one that it started as
//! another program does not.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::layout::{self, Layout};
use super::lock::{self, Lock};
use super::tidy::remove_leftovers;
use super::{History, Outcome};
use crate::commit::atomic;
use crate::error::{ErrorKind, Result};

/// What `{run}.json` says.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct State {
    pid: u32,
    started: jiff::Timestamp,
    /// By configuration.
    unconfirmed: BTreeMap<String, u64>,
}

/// The mark of this run. Dropped without [`Run::end`] it stays, and is taken for that of a crash.
#[derive(Debug)]
pub(crate) struct Run {
    layout: Layout,
    id: String,
    state: State,
    _lock: Lock,
}

/// A run that crashed. While this is held, nobody else counts it.
#[derive(Debug)]
pub(crate) struct CrashedRun {
    layout: Layout,
    id: String,
    /// The revisions that were in use and not yet confirmed, by configuration.
    pub(crate) unconfirmed: BTreeMap<String, u64>,
    _lock: Lock,
}

/// A revision that a crash was counted against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suspect {
    pub(crate) config: String,
    pub(crate) revision: u64,
    /// What it is by now.
    pub(crate) outcome: Outcome,
}

impl Run {
    /// Marks the beginning of a run, and finds the runs that crashed before it.
    ///
    /// Those are to be handed to [`History::count_crashes`]; dropped instead, the next start finds them again.
    pub(crate) fn begin(root: &Path) -> Result<(Self, Vec<CrashedRun>)> {
        let layout = Layout::new(root);
        let directory = layout.runs();
        let begun = begin(&layout);
        begun.map_err(layout.failed("cannot mark the beginning of the run", &directory))
    }

    /// The name of the run, which no other has. Those of later runs sort after it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Notes that a revision came into use and is not confirmed, in the place of the configuration's last one.
    pub(crate) fn begin_use(&mut self, config: &str, revision: u64) -> Result<()> {
        let mut state = self.state.clone();
        let before = state.unconfirmed.insert(config.to_owned(), revision);
        if before == Some(revision) { Ok(()) } else { self.put(state) }
    }

    /// Notes that a crash is none of this configuration's doing: its revision was confirmed, or is trusted.
    pub(crate) fn end_use(&mut self, config: &str) -> Result<()> {
        let mut state = self.state.clone();
        let before = state.unconfirmed.remove(config);
        if before.is_none() { Ok(()) } else { self.put(state) }
    }

    /// Marks a clean end.
    pub(crate) fn end(self) -> Result<()> {
        forget(&self.layout, &self.id)
    }

    /// What could not be written is not taken to be: it is tried again with the next change.
    fn put(&mut self, state: State) -> Result<()> {
        let path = state_path(&self.layout, &self.id);
        let written = write_state(&path, &state);
        written.map_err(self.layout.failed("cannot note the revisions in use", &path))?;
        self.state = state;
        Ok(())
    }
}

#[cfg(test)]
impl CrashedRun {
    /// Its name.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

impl History {
    /// Counts crashes against the revisions that were in use and not yet confirmed, and forgets the runs.
    ///
    /// However many processes crashed with a revision, one start counts it once. When it fails, the runs
    /// are kept, and the next start counts them.
    pub(crate) fn count_crashes(&self, runs: Vec<CrashedRun>) -> Result<Vec<Suspect>> {
        let revisions: BTreeSet<_> = runs.iter().flat_map(|run| &run.unconfirmed).collect();
        let counted = revisions
            .into_iter()
            .filter_map(|(config, revision)| self.count_crash(config, *revision).transpose());
        let suspects = counted.collect::<Result<_>>()?;
        runs.into_iter().try_for_each(|run| forget(&run.layout, &run.id))?;
        Ok(suspects)
    }

    /// `None` where there is no such revision any more, or one that nobody can go back to as it is damaged.
    fn count_crash(&self, config: &str, revision: u64) -> Result<Option<Suspect>> {
        if self.get(config, revision).is_err() {
            return Ok(None);
        }
        match self.change_outcome(config, revision, Outcome::after_crash) {
            Ok(outcome) => Ok(Some(Suspect { config: config.to_owned(), revision, outcome })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn mark_path(layout: &Layout, id: &str) -> PathBuf {
    layout.runs().join(format!("{id}.run"))
}

fn state_path(layout: &Layout, id: &str) -> PathBuf {
    layout.runs().join(format!("{id}.json"))
}

fn begin(layout: &Layout) -> io::Result<(Run, Vec<CrashedRun>)> {
    layout.make_runs()?;
    // A mark is made and locked in one go, as far as others see: they look for marks below this lock only.
    let _lock = lock::exclusive(&layout.runs().join(".lock"))?;
    remove_orphans(layout)?;
    remove_leftovers(&layout.runs(), SystemTime::now())?;
    let crashed = crashed(layout)?;
    Ok((start(layout)?, crashed))
}

fn start(layout: &Layout) -> io::Result<Run> {
    let started = jiff::Timestamp::now();
    let id = new_id(started.as_millisecond(), RandomState::new().hash_one(std::process::id()));
    let state = State { pid: std::process::id(), started, unconfirmed: BTreeMap::new() };
    let lock = lock::exclusive(&mark_path(layout, &id))?;
    write_state(&state_path(layout, &id), &state)?;
    Ok(Run { layout: layout.clone(), id, state, _lock: lock })
}

/// A UUID of version 7: the time, so that names sort by it, and something random.
fn new_id(milliseconds: i64, random: u64) -> String {
    let time = format!("{milliseconds:012x}");
    let (a, b) = (random & 0xfff, random >> 12 & 0x3fff | 0x8000);
    let c = blake3::hash(&random.to_be_bytes()).to_hex();
    format!("{}-{}-7{a:03x}-{b:04x}-{}", &time[..8], &time[8..12], &c[..12])
}

fn write_state(path: &Path, state: &State) -> io::Result<()> {
    atomic::replace(path, &serde_json::to_vec(state)?, None)
}

/// The names of the runs that there are marks of.
fn ids(layout: &Layout, ending: &str) -> io::Result<BTreeSet<String>> {
    let names = layout::names_in(&layout.runs())?;
    let id = |name: &std::ffi::OsString| Some(name.to_str()?.strip_suffix(ending)?.to_owned());
    Ok(names.iter().filter_map(id).collect())
}

fn crashed(layout: &Layout) -> io::Result<Vec<CrashedRun>> {
    Ok(ids(layout, ".run")?.into_iter().filter_map(|id| look(layout, id)).collect())
}

/// A run that has left its mark, if it crashed. A mark that cannot be opened or locked says nothing.
fn look(layout: &Layout, id: String) -> Option<CrashedRun> {
    let lock = lock::try_existing(&mark_path(layout, &id))?;
    // One that crashed before it wrote this had nothing in use.
    let state = std::fs::read(state_path(layout, &id)).ok();
    let state = state.and_then(|bytes| serde_json::from_slice::<State>(&bytes).ok()).unwrap_or_default();
    Some(CrashedRun { layout: layout.clone(), id, unconfirmed: state.unconfirmed, _lock: lock })
}

/// Removes a run's mark last, so that a crash half-way leaves a mark that says nothing.
fn forget(layout: &Layout, id: &str) -> Result<()> {
    for path in [state_path(layout, id), mark_path(layout, id)] {
        layout::remove(&path).map_err(layout.failed("cannot remove the mark of a run", &path))?;
    }
    Ok(())
}

/// Removes what is said of runs whose mark is gone.
fn remove_orphans(layout: &Layout) -> io::Result<()> {
    let marked = ids(layout, ".run")?;
    let orphans = ids(layout, ".json")?;
    orphans.difference(&marked).try_for_each(|id| layout::remove(&state_path(layout, id)))
}
