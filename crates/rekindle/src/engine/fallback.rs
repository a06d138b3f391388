//! What a start does with a configuration that is not good: it may go back to the last good one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chronicle::Chronicle;
use super::job::{Input, Known, Member};
use crate::commit::permissions_of;
use crate::config::Settings;
use crate::error::{Error, ErrorKind, Result};
use crate::history::runs::Run;
use crate::history::{Content, History, Limits, Outcome, Record};
use crate::load::{Bytes, Candidate, Failure, Source, understand};
use crate::observe::Observe;

/// What to do at the start with a configuration that is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StartPolicy {
    /// Start without it, degraded; once it is good, it comes into use, and then the last good value stays.
    #[default]
    KeepLastGood,
    /// Fail to start: [`start`](crate::HotReloadBuilder::start) returns what is wrong.
    Fail,
    /// Start with the last revision of its [history](crate::HotReloadManager::history) that was good,
    /// degraded. The same is done for content that was undone in an earlier run, and for content with
    /// which the program crashed twice within a minute of its coming into use, unless the history has
    /// no other: shut the engine down when the program ends, so that this does not count as a crash. A
    /// configuration whose files were all removed is removed.
    ///
    /// What comes into use is written to the history and synced first, which takes a few milliseconds.
    StartFromLastGood,
}

/// The history, as a job at the start goes back to it.
#[derive(Debug)]
pub(crate) struct Fallback {
    history: Arc<History>,
}

/// What a start went back to.
#[derive(Debug)]
pub(crate) struct FellBack {
    /// What is wrong with what is on disk.
    pub(crate) error: Error,
    /// The configurations, and the revision of each that is in use instead.
    pub(crate) revisions: Vec<(String, u64)>,
    /// What is on disk of those whose content did harm in an earlier run.
    pub(crate) harmful: Vec<(String, serde_json::Value)>,
}

/// Opens the history, counts the crashes of earlier runs, and begins to write.
pub(super) fn open(
    settings: &Settings,
    root: &Path,
    observe: &Arc<Observe>,
) -> Result<(Option<Chronicle>, Option<Arc<Fallback>>)> {
    if !settings.keeps_history {
        return Ok((None, None));
    }
    let limits = Limits { revisions: settings.revisions_kept, bytes: settings.history_bytes };
    let history = Arc::new(History::open(root, limits));
    let falls_back = settings.start_policy == StartPolicy::StartFromLastGood;
    let run = if falls_back { begin_run(&history, root, observe) } else { None };
    let fallback = falls_back.then(|| Arc::new(Fallback { history: Arc::clone(&history) }));
    Ok((Some(Chronicle::start(history, run, Arc::clone(observe))?), fallback))
}

/// Marks this run. Where that cannot be written, crashes are not counted, and the status says so.
fn begin_run(history: &History, root: &Path, observe: &Observe) -> Option<Run> {
    let begun = Run::begin(root).and_then(|(run, crashed)| {
        history.count_crashes(crashed)?;
        Ok(run)
    });
    observe.history(begun.as_ref().map(|_| ()));
    begun.ok()
}

impl Fallback {
    /// Why the content of a candidate is not to be started with, if it did harm in an earlier run.
    pub(super) fn harm(&self, candidate: &Candidate, root: &Path) -> Option<Failure> {
        let listing = self.history.list(&candidate.name).ok()?;
        let files: Vec<_> = candidate
            .files()
            .map(|source| {
                (source.bytes.path.strip_prefix(root).unwrap_or(&source.bytes.path), source.bytes.hash)
            })
            .collect();
        let record = listing.records.iter().rev().find(|record| record.holds(&files))?;
        let did = match &record.outcome {
            // Nothing to go back to: the crashes may have had another cause, and any value is better than none.
            Outcome::Crashed if self.newest(&candidate.name).is_none() => return None,
            Outcome::Crashed => "the program crashed twice within a minute of its coming into use".to_owned(),
            Outcome::RolledBack { reason } => format!("it was rolled back: {reason}"),
            _ => return None,
        };
        let message = format!("this is revision {} of {}: {did}", record.revision, candidate.name);
        let help = "change the configuration, or restore a revision of its history";
        Some(Failure::definitive(Error::new(ErrorKind::RolledBack, message).help(help)))
    }

    /// The revision to go back to.
    fn newest(&self, name: &str) -> Option<Record> {
        let confirmed = self.history.newest_confirmed(name).ok()?;
        let unconfirmed = || self.history.before(name, u64::MAX).ok()?;
        // One that the program crashed with once is better than none.
        let suspect = || self.history.newest_but_bad(name).ok()?;
        confirmed.or_else(unconfirmed).or_else(suspect)
    }

    /// A configuration's part in a job that goes back to its last good revision, if there is one.
    pub(super) fn member(&self, name: &str, root: &Path) -> Option<(Member, u64)> {
        let record = self.newest(name)?;
        let contents = self.history.contents(&record).ok()?;
        let layers = contents.into_iter().map(|content| input(content, root)).collect::<Option<_>>()?;
        let member = Member {
            name: name.to_owned(),
            layers,
            schema: None,
            compiled: None,
            current: None,
            forced: true,
            undone: None,
        };
        Some((member, record.revision))
    }
}

fn input(content: Content, root: &Path) -> Option<Input> {
    let Content { path, bytes: content, mode } = content;
    let full: PathBuf = root.join(&path);
    let (text, node) = understand(&content, &full, root).ok()?;
    let hash = blake3::hash(&content);
    let permissions = permissions_of(mode, root).ok()?;
    let source = Source::new(Bytes { path: full, content, hash, permissions }, text, node, root);
    Some(Input { path, known: Some(Known::Good(Arc::new(source))) })
}
