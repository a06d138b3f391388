//! Batches: what is due together, judged group by group, and committed as one generation.
//!
//! A group is the configurations that share a subscriber; it is applied whole or not at all, and a
//! group that is refused, or hangs, does not keep the others of its batch back.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::oneshot;
use tracing::{Instrument, Span};

use super::book::Touched;
use super::edit::Edit;
use super::flight::{Landed, ask, judge};
use super::job::{Job, Verdict};
use super::receipt::{Receipt, Refusal, ReloadOutcome, StageTimes};
use super::run::Engine;
use super::verdict::config_changed;
use super::{Command, Shared};
use crate::error::{Error, ErrorKind, Result};
use crate::event::ChangeEvent;
use crate::history::Trigger;
use crate::load::Failure;
use crate::observe::spans;
use crate::propagate::Proposal;
use crate::validate::Verified;
use crate::watch::changes_yet;

/// A number that tells batches apart.
pub(super) type BatchId = u64;

/// Why there is a batch, and whom to tell.
#[derive(Debug)]
pub(super) enum Reason {
    /// Files changed.
    Change,
    /// Somebody asked for a look, and wants to know.
    Asked(Asked),
    /// Configurations are loaded for the first time: there is no change to tell of.
    First(oneshot::Sender<()>),
}

impl Reason {
    /// What asked for it.
    pub(super) fn trigger(&self) -> Trigger {
        match self {
            Self::Change => Trigger::Files,
            Self::Asked(asked) => asked.trigger,
            Self::First(_) => Trigger::Start,
        }
    }
}

/// Somebody's wish for a look.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(super) trigger: Trigger,
    /// Where nobody waits for the answer there is none.
    pub(super) reply: Option<oneshot::Sender<Result<Receipt>>>,
    pub(super) at: Instant,
    /// Configurations that changed in an earlier look, of which a writer overtook a part.
    pub(super) applied: Vec<String>,
    /// Whether it is asked what would come of something, and nothing comes of it.
    pub(super) is_trial: bool,
}

impl Asked {
    pub(super) fn new(trigger: Trigger, reply: Option<oneshot::Sender<Result<Receipt>>>) -> Self {
        Self { trigger, reply, at: Instant::now(), applied: Vec::new(), is_trial: false }
    }
}

/// The groups of one batch that have landed and wait for the others.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) reason: Reason,
    /// What is logged on the way belongs to it. What nobody asked for has none while nothing has been begun.
    pub(super) span: Option<Span>,
    /// Groups still in the air, and generations of this batch that are still on trial.
    pub(super) in_the_air: usize,
    pub(super) verified: Vec<Landed>,
    pub(super) refused: Vec<(String, Error)>,
    /// Configurations committed so far.
    pub(super) applied: Vec<String>,
    /// What was applied and taken back.
    pub(super) rolled_back: Option<ReloadOutcome>,
    pub(super) times: StageTimes,
    /// Part of it was being written to when it was read.
    overtaken: bool,
    /// Anything came of it that was not known.
    pub(super) decided: bool,
    /// When those that have landed no longer wait for the others.
    deadline: Instant,
}

/// A configuration to be judged.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) name: String,
    pub(super) touched: Vec<Touched>,
    pub(super) forced: bool,
    /// What its files are to hold, instead of what they hold.
    pub(super) edit: Option<Arc<Edit>>,
}

impl Work {
    pub(super) fn new(name: String, touched: Vec<Touched>) -> Self {
        Self { name, touched, forced: false, edit: None }
    }
}

impl Engine {
    /// Starts a batch. Configurations that a job is on already have their turn after it.
    pub(super) fn begin(&mut self, work: Vec<Work>, reason: Reason) {
        let id = self.next_id();
        let trigger = reason.trigger();
        let deadline = Instant::now() + self.settings.window().max(Duration::from_millis(50));
        let mut batch = Batch {
            span: matches!(reason, Reason::Asked(_)).then(|| spans::reload(id, trigger)),
            reason,
            in_the_air: 0,
            verified: Vec::new(),
            refused: Vec::new(),
            applied: Vec::new(),
            rolled_back: None,
            times: StageTimes::default(),
            overtaken: false,
            decided: false,
            deadline,
        };
        let holds_back = matches!(batch.reason, Reason::Change) && self.holds_back();
        for group in groups(work, &self.shared) {
            if holds_back || self.must_wait(&group) {
                for work in group {
                    if !matches!(batch.reason, Reason::Change) {
                        batch.refused.push((work.name.clone(), still_at_work()));
                    }
                    if work.edit.is_none() {
                        self.book.put_off(work.name, work.touched);
                    }
                }
                continue;
            }
            let span = batch.span.get_or_insert_with(|| spans::reload(id, trigger));
            self.launch(id, group, span.clone());
            batch.in_the_air += 1;
        }
        self.batches.insert(id, batch);
        self.finish_if_landed(id);
    }

    /// A number for the next reload.
    pub(super) fn next_id(&mut self) -> BatchId {
        let id = self.next_batch;
        self.next_batch += 1;
        id
    }

    /// Whether a job is on one of a group's configurations, or on one that a subscriber reads beside
    /// them: side by side each would be merged with the old value of the other. What overran its time
    /// is never committed, and keeps only itself waiting.
    fn must_wait(&self, group: &[Work]) -> bool {
        let busy = |name: &str| self.book.get(name).is_some_and(|entry| entry.busy.is_some());
        let ties = self.shared.ties();
        let together = ties.iter().filter(|names| group.iter().any(|work| names.contains(&work.name)));
        group.iter().any(|work| busy(&work.name))
            || together.flatten().any(|name| busy(name) && !self.is_stuck(name))
    }

    /// Whether anything that was begun before a batch is still in the air.
    pub(super) fn is_in_the_air_before(&self, before: BatchId) -> bool {
        self.batches.range(..before).any(|(_, batch)| batch.in_the_air > 0)
    }

    fn is_stuck(&self, name: &String) -> bool {
        self.stuck.iter().any(|(names, _)| names.contains(name))
    }

    /// Whether a job that was begun before a batch is on one of these, and may still be applied.
    pub(super) fn in_the_air(&self, names: &[String], before: BatchId) -> bool {
        let begun = |name: &String| self.book.get(name)?.busy.filter(|batch| *batch < before);
        names.iter().any(|name| begun(name).is_some() && !self.is_stuck(name))
    }

    /// Sends a group's job off.
    fn launch(&mut self, batch: BatchId, group: Vec<Work>, span: Span) {
        let names: Vec<String> = group.iter().map(|work| work.name.clone()).collect();
        let topics: Vec<_> = self.shared.topics();
        let topics: Vec<_> = topics
            .into_iter()
            .filter(|topic| topic.names().iter().any(|name| names.contains(name)))
            .collect();
        let ties = self.shared.ties();
        let tied = ties.iter().filter(|tie| tie.iter().any(|name| names.contains(name)));
        let beside: BTreeSet<&String> = tied.flatten().filter(|name| !names.contains(name)).collect();
        let others = beside.into_iter().filter_map(|name| self.shared.committed.get(name)).collect();
        let (mut members, mut touched) = (Vec::new(), Vec::new());
        let edit = group.iter().find_map(|work| work.edit.clone());
        for work in group {
            let current = self.shared.committed.get(&work.name);
            // Only going through with it shows whether what is wrong with it is over.
            let forced = work.forced || self.book.get(&work.name).is_some_and(|entry| entry.fault.is_some());
            let (member, shadows) =
                self.book.member(&work.name, &self.inventory, &work.touched, current, forced);
            self.book.entry(&work.name).busy = Some(batch);
            self.warn_of_shadows(&work.name, shadows);
            members.push(member);
            touched.extend(work.touched);
        }
        let job = Job {
            root: self.shared.root.clone(),
            settings: self.settings.clone(),
            externals: Arc::clone(&self.externals.known),
            members,
            others,
            checks: self.shared.checks(),
            topics,
            edit: edit.clone(),
            // What is to be written is good by itself, or it is not.
            fallback: self.fallback.clone().filter(|_| edit.is_none()),
        };
        let landed = Landed::new(batch, names, touched, edit);
        self.flights.spawn(judge(job, self.settings.time_limit, landed).instrument(span));
    }

    fn warn_of_shadows(&self, name: &str, shadows: Vec<(PathBuf, PathBuf)>) {
        for (used, ignored) in shadows {
            let root = &self.shared.root;
            let event = ChangeEvent::ConfigShadowed {
                config_name: name.to_owned(),
                used: root.join(&used),
                ignored: root.join(&ignored),
            };
            self.shared.observe.announce(&self.shared.handlers, event, &[used, ignored], true);
        }
    }

    /// Takes in a group that has landed.
    pub(super) fn land(&mut self, landed: Landed) {
        let id = landed.batch;
        let _in_span = self.span_of(id).entered();
        self.catch_up();
        match &landed.outcome.verdict {
            _ if landed.asked.is_none() && self.is_overtaken(&landed) => {
                self.look_again(&landed);
                self.batches.entry(id).and_modify(|batch| batch.overtaken = true);
            }
            Verdict::Failed(failure) if self.may_fit_together(failure, &landed) => {
                self.judge_together(&landed);
            }
            Verdict::Failed(failure) if self.may_be_unfinished(failure, &landed) => self.hold(&landed),
            Verdict::Failed(failure) => {
                let error = failure.error.clone();
                self.tally(&landed);
                match landed.edit {
                    Some(_) => self.decline(&landed, &error),
                    None => self.refuse(landed, &error),
                }
            }
            Verdict::Unchanged => {
                self.tally(&landed);
                self.leave(landed);
            }
            Verdict::Verified(verified) if landed.asked.is_some() && landed.is_trial() => {
                let would_be = self.would_be_applied(verified);
                self.tally(&landed);
                self.end_trial(&landed, would_be);
            }
            Verdict::Verified(_) if landed.asked.is_some() => self.keep(landed),
            Verdict::Verified(verified) => {
                let proposals = self.proposals(verified, &landed);
                return self.ask_handlers(landed, &proposals);
            }
        }
        if let Some(batch) = self.batches.get_mut(&id) {
            batch.in_the_air -= 1;
        }
        self.finish_if_landed(id);
    }

    /// Asks the handlers that a change concerns, beside the loop; if there are none, it goes on at once.
    fn ask_handlers(&mut self, mut landed: Landed, proposals: &[Arc<Proposal>]) {
        let participants = self.shared.handlers.participants(proposals);
        let record_first = if landed.is_trial() { None } else { self.record_first(&landed) };
        if participants.is_empty() && landed.edit.is_none() && record_first.is_none() {
            landed.asked = Some(Default::default());
            self.land(landed);
        } else {
            let asking = ask(participants, landed, record_first, self.shared.root.clone());
            self.flights.spawn(asking.in_current_span());
        }
    }

    /// The changes that handlers have to be asked about. What there is for the first time, at the start or
    /// because somebody asked for it, is none.
    fn proposals(&self, verified: &Verified, landed: &Landed) -> Vec<Arc<Proposal>> {
        let is_first =
            matches!(self.batches.get(&landed.batch).map(|batch| &batch.reason), Some(Reason::First(_)));
        let proposed = verified.candidates().iter().filter_map(|new| {
            let old = self.shared.committed.get(&new.name);
            let differs = old.as_ref().map_or(!is_first, |old| old.value != new.value);
            let paths = || self.own_paths(&new.name, std::slice::from_ref(landed));
            let event = || config_changed(old.as_deref(), new, 0, Duration::ZERO);
            differs.then(|| Arc::new(Proposal { event: event(), paths: paths() }))
        });
        proposed.collect()
    }

    /// Whether one of its files has been written to since it was due: what was read may be half of that.
    fn is_overtaken(&self, landed: &Landed) -> bool {
        let (patient, asked) = match self.batches.get(&landed.batch).map(|batch| &batch.reason) {
            Some(Reason::Change) => (true, false),
            // Whoever asked waits for a writer as well, and as long.
            Some(Reason::Asked(asked)) => (asked.at.elapsed() < self.settings.window(), true),
            Some(Reason::First(_)) | None => (false, false),
        };
        let overtaken = |Touched { due, .. }: &Touched| match due.last_chance {
            true if asked => self.settle.is_written_since(&due.path, due.last),
            true => false,
            false => self.settle.stirs(&due.path) || changes_yet(&self.shared.root, due).is_some(),
        };
        // Its directory went while it was judged: nobody looked for a file that was not known yet.
        let vanished = |Touched { due, now }: &Touched| {
            now.is_some()
                && self.inventory.get(&due.path).is_none()
                && !self.shared.root.join(&due.path).exists()
        };
        let again = landed.touched.iter().any(|touched| overtaken(touched) || vanished(touched));
        // What an update says counts, whatever the file holds: that is compared when it is written.
        patient && landed.stuck.is_none() && landed.edit.is_none() && again
    }

    fn may_be_unfinished(&self, failure: &Failure, landed: &Landed) -> bool {
        // What no file was touched for is no writer's unfinished work, and nothing would bring it up again.
        let in_time =
            !landed.touched.is_empty() && !landed.touched.iter().any(|touched| touched.due.last_chance);
        let patient =
            matches!(self.batches.get(&landed.batch).map(|batch| &batch.reason), Some(Reason::Change));
        !failure.definitive && in_time && patient
    }

    /// Whether what is refused may be good together with what was refused before: each was checked beside
    /// the old value of the other.
    fn may_fit_together(&self, failure: &Failure, landed: &Landed) -> bool {
        let is_change =
            matches!(self.batches.get(&landed.batch).map(|batch| &batch.reason), Some(Reason::Change));
        let of_a_check = matches!(failure.error.kind(), ErrorKind::Check | ErrorKind::Type);
        is_change && of_a_check && landed.asked.is_none() && !self.refused_beside(&landed.names).is_empty()
    }

    /// What hangs together with these, was refused, and no job is on.
    fn refused_beside(&self, names: &[String]) -> BTreeSet<String> {
        let ties = self.shared.ties().into_iter();
        let tied = ties.filter(|tie| tie.iter().any(|name| names.contains(name))).flatten();
        let is_refused = |name: &String| {
            self.book.get(name).is_some_and(|entry| entry.fault.is_some() && entry.busy.is_none())
        };
        tied.filter(|name| !names.contains(name) && is_refused(name)).collect()
    }

    /// Judges a refused group again, together with what was refused beside it.
    fn judge_together(&mut self, landed: &Landed) {
        let mut work: Vec<Work> = Vec::new();
        for name in self.refused_beside(&landed.names) {
            let mut beside = Work { forced: false, ..self.first_look(&name) };
            beside.touched.iter_mut().for_each(|touched| touched.due.last_chance = false);
            work.push(beside);
        }
        for name in &landed.names {
            let is_own =
                |touched: &&Touched| self.book.routes.of(&touched.due.path).config.as_ref() == Some(name);
            let own = landed.touched.iter().filter(is_own).cloned().collect();
            work.push(Work { forced: true, ..Work::new(name.clone(), own) });
            self.book.entry(name).busy = None;
        }
        self.begin(work, Reason::Change);
    }

    /// It waits for the others of its batch; if those have been given up on, it goes alone.
    fn keep(&mut self, landed: Landed) {
        let id = landed.batch;
        if let Some(batch) = self.batches.get_mut(&id) {
            batch.verified.push(landed);
        }
    }

    /// When the next batch gives up waiting for its last groups.
    pub(super) fn batch_deadline(&self) -> Option<Instant> {
        let waiting = self.batches.values().filter(|batch| !batch.verified.is_empty());
        waiting.map(|batch| batch.deadline).min()
    }

    /// Commits what has landed of the batches that have waited long enough.
    pub(super) fn commit_overdue(&mut self, now: Instant) {
        let overdue = |batch: &Batch| !batch.verified.is_empty() && batch.deadline <= now;
        let ids: Vec<BatchId> =
            self.batches.iter().filter(|(_, batch)| overdue(batch)).map(|(id, _)| *id).collect();
        ids.into_iter().for_each(|id| self.commit(id));
    }

    pub(super) fn finish_if_landed(&mut self, id: BatchId) {
        if self.batches.get(&id).is_some_and(|batch| batch.in_the_air > 0) {
            return;
        }
        self.commit(id);
        // A critical handler may have to say how it goes.
        if self.batches.get(&id).is_some_and(|batch| batch.in_the_air > 0) {
            return;
        }
        let Some(mut batch) = self.batches.remove(&id) else { return };
        let span = batch.span.take().unwrap_or_else(Span::none);
        let reason = std::mem::replace(&mut batch.reason, Reason::Change);
        let (trigger, reply) = match reason {
            Reason::Change if !batch.decided => return spans::record_unfinished(&span),
            Reason::Change => (Trigger::Files, None),
            // Whoever asked may have stopped waiting.
            Reason::First(done) => {
                spans::record(&span, &self.receipt(id, Trigger::Start, batch));
                let _gone = done.send(());
                return;
            }
            Reason::Asked(mut asked) => {
                asked.applied.append(&mut batch.applied);
                if batch.overtaken {
                    spans::record_unfinished(&span);
                    return self.deferred.push((self.next_batch, Command::Reload(asked)));
                }
                batch.applied = asked.applied;
                if asked.is_trial {
                    spans::record_unfinished(&span);
                    let receipt = self.receipt(id, asked.trigger, batch);
                    if let Some(reply) = asked.reply {
                        drop(reply.send(Ok(receipt)));
                    }
                    return;
                }
                (asked.trigger, asked.reply)
            }
        };
        let receipt = self.receipt(id, trigger, batch);
        self.shared.observe.completed(&receipt, &span);
        if let Some(reply) = reply {
            drop(reply.send(Ok(receipt)));
        }
    }

    /// The span of a batch.
    pub(super) fn span_of(&self, id: BatchId) -> Span {
        self.batches.get(&id).and_then(|batch| batch.span.clone()).unwrap_or_else(Span::none)
    }

    fn receipt(&self, id: BatchId, trigger: Trigger, batch: Batch) -> Receipt {
        let Batch { refused, applied, rolled_back, times, .. } = batch;
        let refusals: Vec<Refusal> =
            refused.iter().map(|(config, error)| Refusal::new(config, error)).collect();
        let outcome = match rolled_back {
            Some(rolled_back) => rolled_back,
            None if !refusals.is_empty() => ReloadOutcome::Refused { refusals, applied },
            None if applied.is_empty() => ReloadOutcome::Unchanged,
            None => ReloadOutcome::Applied { configs: applied },
        };
        let generation = self.shared.committed.generation();
        Receipt { id, trigger, generation, outcome, stages: times, at: SystemTime::now() }
    }
}

fn still_at_work() -> Error {
    Error::new(ErrorKind::Timeout, "an earlier change is still being decoded or checked")
}

/// Puts together the configurations that somebody reads or checks as one.
fn groups(work: Vec<Work>, shared: &Shared) -> Vec<Vec<Work>> {
    // What is written together is judged together.
    let (written, apart): (Vec<_>, Vec<_>) = work.into_iter().partition(|work| work.edit.is_some());
    let mut groups: Vec<Vec<Work>> = apart.into_iter().map(|work| vec![work]).collect();
    groups.extend((!written.is_empty()).then_some(written));
    for tie in shared.ties() {
        let is_tied = |group: &Vec<Work>| group.iter().any(|work| tie.contains(&work.name));
        let (together, mut apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_tied);
        apart.push(together.into_iter().flatten().collect());
        apart.retain(|group: &Vec<Work>| !group.is_empty());
        groups = apart;
    }
    groups
}
