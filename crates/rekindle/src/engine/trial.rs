//! Trials: a generation that is in use, and may yet turn out to do harm.
//!
//! Critical handlers have their say at once; its configurations stay busy until they have. Health checks
//! have theirs for as long as the probation lasts. A generation that fails is undone: the values before
//! come back as a new generation.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tracing::{Instrument, Span};

use super::batch::BatchId;
use super::flight::Flight;
use super::job::Undone;
use super::receipt::{Receipt, ReloadOutcome, StageTimes};
use super::run::Engine;
use super::verdict::{config_changed, config_removed, scrubbed};
use crate::commit::Commit;
use crate::error::{Error, ErrorKind};
use crate::event::ChangeEvent;
use crate::history::Trigger;
use crate::load::Candidate;
use crate::observe::spans;
use crate::propagate::{Awaited, Topic};
use crate::validate::{Verified, revert};

/// What was in use before a generation.
#[derive(Debug)]
pub(super) struct Undo {
    /// The generation to undo.
    pub(super) from: u64,
    /// The generation before it.
    pub(super) to: u64,
    /// What it changed, and what that was before; `None` where there was nothing.
    pub(super) configs: Vec<(String, Option<Arc<Candidate>>)>,
}

impl Undo {
    /// Those of some configurations that it changed nothing of.
    pub(super) fn beside(&self, names: Vec<String>) -> Vec<String> {
        let is_beside = |name: &String| self.configs.iter().all(|(changed, _)| changed != name);
        names.into_iter().filter(is_beside).collect()
    }
}

/// A generation that critical handlers are being told of.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) batch: BatchId,
    /// The configurations that stay busy meanwhile.
    pub(super) names: Vec<String>,
    pub(super) undo: Undo,
    pub(super) began: Instant,
}

/// What they made of it.
#[derive(Debug)]
pub(super) struct Tried {
    trial: Trial,
    failure: Option<Error>,
}

/// Values of an earlier generation, decoded for everybody who reads them.
#[derive(Debug)]
pub(super) struct Reverted {
    /// The batch that waits for it.
    batch: Option<BatchId>,
    /// That of the batch, or its own where none waits.
    id: BatchId,
    span: Span,
    undo: Undo,
    reason: Error,
    verified: Verified,
    /// Readers that they do not fit.
    errors: Vec<Error>,
    began: Instant,
}

/// Waits for what critical handlers make of a generation: the first that fails decides.
pub(super) async fn try_out(trial: Trial, awaited: Vec<Awaited>, limit: Duration) -> Flight {
    // Each call has its own limit; one that waits for others may take as many of them.
    let all = limit.saturating_mul(u32::try_from(awaited.len()).unwrap_or(u32::MAX).saturating_add(1));
    let verdicts = async {
        for one in awaited {
            let handler = one.handler.clone();
            if let Err(error) = one.outcome().await {
                return Some(critical(&handler, &error));
            }
        }
        None
    };
    let late = |_| Some(Error::new(ErrorKind::Timeout, "a critical handler did not come to an end"));
    let failure = tokio::time::timeout(all, verdicts).await.unwrap_or_else(late);
    Flight::Tried(Tried { trial, failure })
}

fn critical(handler: &str, error: &Error) -> Error {
    let message = format!("the handler {handler} failed: {}", error.message());
    Error::new(error.kind(), message).because(error.clone())
}

impl Engine {
    /// Critical handlers have had their say.
    pub(super) fn tried(&mut self, Tried { trial, failure }: Tried) {
        let Trial { batch, names, undo, began } = trial;
        if let Some(batch) = self.batches.get_mut(&batch) {
            batch.times.notify = batch.times.notify.max(began.elapsed());
            batch.times.total += began.elapsed();
        }
        match failure {
            Some(reason) => {
                let beside = undo.beside(names);
                self.revert(Some(batch), undo, &reason);
                // What landed with it and has the value it had is none of its business.
                self.settle_down(&beside);
                self.confirm(&beside);
            }
            None => {
                self.settle_down(&names);
                self.confirm(&undo.beside(names));
                self.put_on_probation(undo);
                self.land_part(batch);
            }
        }
    }

    /// One part of a batch less to wait for.
    fn land_part(&mut self, batch: BatchId) {
        if let Some(batch) = self.batches.get_mut(&batch) {
            batch.in_the_air -= 1;
        }
        self.finish_if_landed(batch);
    }

    /// Begins to undo a generation: beside the loop its old values are decoded again for their readers.
    pub(super) fn revert(&mut self, batch: Option<BatchId>, undo: Undo, reason: &Error) {
        let id = batch.unwrap_or_else(|| self.next_id());
        let span = batch.map_or_else(|| spans::reload(id, Trigger::Undo), |batch| self.span_of(batch));
        let names: Vec<&String> = undo.configs.iter().map(|(name, _)| name).collect();
        // User code has said why, and may quote what it does not like.
        let harmful: Vec<_> = names.iter().filter_map(|name| self.shared.committed.get(name)).collect();
        let reason = Error::new(reason.kind(), scrubbed(reason.message().to_owned(), &harmful));
        let reads = |topic: &Arc<dyn Topic>| topic.names().iter().any(|name| names.contains(&name));
        let topics: Vec<_> = self.shared.topics().into_iter().filter(reads).collect();
        let beside = topics.iter().flat_map(|topic| topic.names()).filter(|name| !names.contains(name));
        let others: Vec<_> = beside.filter_map(|name| self.shared.committed.get(name)).collect();
        for name in names {
            self.book.entry(name).busy = Some(id);
        }
        let names: Vec<String> = undo.configs.iter().map(|(name, _)| name.clone()).collect();
        self.write_down_undo(&names, &reason);
        // A start that goes by the history must know of it, even if the program is killed once it is told.
        let written = self.chronicle.clone().filter(|_| self.fallback.is_some());
        let (root, limit) = (self.shared.root.clone(), self.settings.time_limit);
        let decoding = span.in_scope(spans::undo);
        let decode_all = async move {
            let began = Instant::now();
            let old: Vec<_> = undo.configs.iter().filter_map(|(_, old)| old.clone()).collect();
            let again = old.clone();
            let decode = move || {
                let find = |name: &str| others.iter().find(|other| other.name == name).cloned();
                revert(again, &find, &topics, &root)
            };
            let decoded = tokio::time::timeout(limit, tokio::task::spawn_blocking(decode)).await;
            let (verified, errors) = decoded.ok().and_then(Result::ok).unwrap_or_else(|| {
                // The old values come back all the same; only streams keep what they have.
                let hangs = Error::new(ErrorKind::Timeout, "decoding a value that comes back hangs");
                (revert(old, &|_| None, &[], std::path::Path::new("")).0, vec![hangs])
            });
            if let Some(chronicle) = written {
                // A disk that hangs must not keep harmful values in use.
                let _hangs = tokio::time::timeout(limit, chronicle.reached()).await;
            }
            Flight::Reverted(Reverted { batch, id, span, undo, reason, verified, errors, began })
        };
        self.flights.spawn(decode_all.instrument(decoding));
    }

    /// Undoes a generation, and tells everybody.
    pub(super) fn reverted(&mut self, reverted: Reverted) {
        let Reverted { batch, id, span, undo, reason, verified, errors, began } = reverted;
        let _in_span = span.clone().entered();
        let gone = undo.configs.iter().filter(|(_, old)| old.is_none()).map(|(name, _)| name.clone());
        let (commit, swapped) = spans::commit().in_scope(|| {
            let mut commit = self.shared.committed.commit(vec![verified], &gone.collect::<Vec<_>>());
            let swapped = began.elapsed();
            self.hand_on(&mut commit);
            (commit, swapped)
        });
        for error in errors {
            self.shared.observe.tell(ChangeEvent::Degraded { reason: error.to_string() });
        }
        let names: Vec<String> = undo.configs.iter().map(|(name, _)| name.clone()).collect();
        self.condemn(&commit, &undo, &reason, &names);
        let told = ChangeEvent::RolledBack {
            from: undo.from,
            to: undo.to,
            generation: commit.generation,
            configs: names.clone(),
            reason: reason.to_string(),
        };
        self.shared.observe.announce(&self.shared.handlers, told, &[], true);
        self.tell_of_return(&commit, swapped);
        let outcome = ReloadOutcome::RolledBack { configs: names.clone(), to: undo.to, reason };
        match batch.and_then(|id| self.batches.get_mut(&id)) {
            Some(batch) => {
                batch.applied.retain(|name| !names.contains(name));
                batch.rolled_back = Some(outcome);
            }
            None => self.give_receipt(id, &span, outcome, commit.generation, swapped),
        }
        self.free(&names);
        if let Some(batch) = batch {
            self.land_part(batch);
        }
    }

    /// What is on disk is what did harm: it is not tried again as long as it stays.
    fn condemn(&mut self, commit: &Commit, undo: &Undo, reason: &Error, names: &[String]) {
        let message = format!("generation {} was rolled back: {reason}", undo.from);
        let help = "change the configuration, or restore a generation of its history";
        let error = Error::new(ErrorKind::RolledBack, message).help(help).because(reason.clone());
        let replaced = commit.changed.iter().filter_map(|part| part.old.as_ref());
        for harmful in replaced.chain(&commit.removed) {
            let others: Vec<String> = names.iter().filter(|other| **other != harmful.name).cloned().collect();
            let (value, error) = (harmful.value.clone(), error.clone());
            let entry = self.book.entry(&harmful.name);
            entry.fault = Some(error.clone());
            entry.beside = others.clone();
            entry.undone = Some(Arc::new(Undone { value, error, together: others }));
        }
        names.iter().for_each(|name| self.update_status(name));
    }

    /// Tells every handler of the values that are in use again.
    fn tell_of_return(&self, commit: &Commit, swapped: Duration) {
        let back = commit.changed.iter().map(|part| {
            let paths = part.new.files().map(|source| source.bytes.path.clone());
            let event = config_changed(part.old.as_deref(), &part.new, commit.generation, swapped);
            (event, paths.collect::<Vec<_>>())
        });
        let gone = commit.removed.iter().map(|old| {
            let paths = old.files().map(|source| source.bytes.path.clone());
            (config_removed(old, commit.generation, swapped), paths.collect::<Vec<_>>())
        });
        for (event, paths) in back.chain(gone).collect::<Vec<_>>() {
            let below = |path: std::path::PathBuf| path.strip_prefix(&self.shared.root).map(Into::into);
            let paths: Vec<_> = paths.into_iter().filter_map(|path| below(path).ok()).collect();
            // An undo is not undone: what fails now is told of, and that is all.
            let _outcomes = self.shared.observe.announce(&self.shared.handlers, event, &paths, true);
        }
    }

    /// The receipt of an undo that nobody waits for.
    fn give_receipt(
        &self,
        id: BatchId,
        span: &Span,
        outcome: ReloadOutcome,
        generation: u64,
        took: Duration,
    ) {
        let stages = StageTimes { commit: took, total: took, ..StageTimes::default() };
        let (trigger, at) = (Trigger::Undo, SystemTime::now());
        self.shared.observe.completed(&Receipt { id, trigger, generation, outcome, stages, at }, span);
    }
}
