//! Flights: what a group of configurations goes through beside the loop, and what comes back.
//!
//! A group is judged on a thread for blocking work, then its handlers are asked, then an update of its
//! files is written; between these the loop decides whether it goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tracing::{Instrument, Span};

use super::batch::BatchId;
use super::book::Touched;
use super::chronicle::{Chronicle, Entry};
use super::edit::Edit;
use super::job::{Job, Outcome, Verdict};
use super::receipt::StageTimes;
use super::trial::{Reverted, Tried};
use crate::error::{Error, ErrorKind};
use crate::load::Failure;
use crate::observe::spans;
use crate::propagate::{Participants, Prepared, Veto};
use crate::watch::Stamp;

/// What comes back to the loop.
#[derive(Debug)]
pub(super) enum Flight {
    /// A group's job, or the asking of its handlers.
    Landed(Box<Landed>),
    /// What critical handlers made of a generation.
    Tried(Tried),
    /// The values before, ready to be handed out again.
    Reverted(Reverted),
}

/// A group's job, done or given up.
#[derive(Debug)]
pub(super) struct Landed {
    pub(super) batch: BatchId,
    pub(super) names: Vec<String>,
    pub(super) touched: Vec<Touched>,
    pub(super) outcome: Outcome,
    /// The job still runs, though its time is over.
    pub(super) stuck: Option<JoinHandle<Outcome>>,
    pub(super) noticed: Instant,
    /// What is to be written before it is applied.
    pub(super) edit: Option<Arc<Edit>>,
    /// Its handlers have been asked; these are ready.
    pub(super) asked: Option<Prepared>,
    /// It has been written down already: where crashes count, before anybody can crash of it.
    pub(super) is_recorded: bool,
    pub(super) times: StageTimes,
}

/// Runs a job on a thread for blocking work, for as long as it may take.
pub(super) async fn judge(job: Job, limit: Duration, mut landed: Landed) -> Flight {
    let began = Instant::now();
    landed.times.settle = began.saturating_duration_since(landed.noticed);
    let span = Span::current();
    let mut work = tokio::task::spawn_blocking(move || span.in_scope(|| job.run()));
    let (outcome, stuck) = match tokio::time::timeout(limit, &mut work).await {
        Ok(Ok(outcome)) => (outcome, None),
        Ok(Err(end)) => (failed(ErrorKind::Panic, format!("validation broke off: {end}")), None),
        Err(_) => {
            let message = format!("decoding or a check took longer than the limit of {limit:?}");
            (failed(ErrorKind::Timeout, message), Some(work))
        }
    };
    landed.times.load = outcome.load;
    landed.times.validate = began.elapsed().saturating_sub(outcome.load);
    Flight::Landed(Box::new(Landed { outcome, stuck, ..landed }))
}

/// Asks the handlers that a change concerns, and writes what is to be written.
pub(super) async fn ask(
    participants: Participants,
    mut landed: Landed,
    record_first: RecordFirst,
    root: PathBuf,
) -> Flight {
    let began = Instant::now();
    let asked = match participants.prepare().instrument(spans::prepare()).await {
        Ok(prepared) => write(prepared, &mut landed).await,
        Err(veto) => Err(landed.refusal(&veto, &root)),
    };
    match asked {
        Ok(prepared) => {
            landed.asked = Some(prepared);
            landed.is_recorded = record(record_first).await;
        }
        Err(error) => {
            landed.asked = Some(Prepared::default());
            landed.outcome.verdict = Verdict::Failed(Failure::definitive(error));
        }
    }
    landed.times.prepare = began.elapsed();
    Flight::Landed(Box::new(landed))
}

/// What is to be on record before it comes into use, where, and how long a disk is waited for.
pub(super) type RecordFirst = Option<(Chronicle, Vec<Entry>, Duration)>;

/// Waits until it is on disk. Says whether there was anything to wait for.
async fn record(first: RecordFirst) -> bool {
    let Some((chronicle, entries, limit)) = first else { return false };
    entries.into_iter().for_each(|entry| chronicle.in_use(entry));
    // A disk that hangs must not keep the change back for good.
    let _hangs = tokio::time::timeout(limit, chronicle.reached()).await;
    true
}

/// Writes the files of an update. If that fails, whoever is ready is told that it will not come.
async fn write(prepared: Prepared, landed: &mut Landed) -> Result<Prepared, Error> {
    let Some(edit) = landed.edit.clone() else { return Ok(prepared) };
    if edit.is_trial {
        prepared.abort().await;
        return Ok(Prepared::default());
    }
    let root = edit.root.clone();
    let span = spans::write();
    let written = tokio::task::spawn_blocking(move || span.in_scope(|| edit.write())).await;
    match written.map_err(Error::from).and_then(|written| written) {
        Ok(()) => {
            for touched in &mut landed.touched {
                touched.now = Stamp::of(&root.join(&touched.due.path));
            }
            Ok(prepared)
        }
        Err(error) => {
            prepared.abort().await;
            Err(error)
        }
    }
}

impl Landed {
    /// A group that has not been judged yet.
    pub(super) fn new(
        batch: BatchId,
        names: Vec<String>,
        touched: Vec<Touched>,
        edit: Option<Arc<Edit>>,
    ) -> Self {
        let noticed = touched.iter().map(|touched| touched.due.last).max().unwrap_or_else(Instant::now);
        Self {
            batch,
            names,
            touched,
            outcome: Outcome::default(),
            stuck: None,
            noticed,
            edit,
            asked: None,
            is_recorded: false,
            times: StageTimes::default(),
        }
    }

    /// Whether it is asked what would come of it, and nothing is to come of it.
    pub(super) fn is_trial(&self) -> bool {
        self.edit.as_ref().is_some_and(|edit| edit.is_trial)
    }

    /// A handler's refusal, as an error that points at what it is about.
    fn refusal(&self, veto: &Veto, root: &Path) -> Error {
        match &self.outcome.verdict {
            Verdict::Verified(verified) => verified.veto(veto, root),
            Verdict::Unchanged | Verdict::Failed(_) => veto.error.clone(),
        }
    }
}

fn failed(kind: ErrorKind, message: String) -> Outcome {
    let verdict = Verdict::Failed(Failure::definitive(Error::new(kind, message)));
    Outcome { verdict, ..Outcome::default() }
}
