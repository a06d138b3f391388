//! What follows from a verdict: a change is held, refused, left alone, or committed and told of.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tracing::Instrument;

use super::batch::{BatchId, Reason, Work};
use super::book::Touched;
use super::flight::Landed;
use super::job::{Known, Outcome, Verdict};
use super::run::Engine;
use super::trial::{Trial, Undo, try_out};
use crate::commit::Commit;
use crate::error::Error;
use crate::event::ChangeEvent;
use crate::history::Trigger;
use crate::load::Candidate;
use crate::observe::{ConfigState, ConfigStatus, Pending, spans};
use crate::propagate::Awaited;
use crate::validate::{Verified, changed_pointers, guarded};
use crate::watch::changes_yet;

impl Engine {
    /// It looks unfinished: give its writer the rest of the window.
    pub(super) fn hold(&mut self, landed: &Landed) {
        for touched in &landed.touched {
            self.settle.hold(&touched.due);
        }
        self.put_off_untouched(landed);
        self.free(&landed.names);
    }

    /// It was read while it was being written: nothing that was read counts.
    pub(super) fn look_again(&mut self, landed: &Landed) {
        for touched in &landed.touched {
            match changes_yet(&self.shared.root, &touched.due) {
                Some(other) => self.settle.look_later(&touched.due, other, Instant::now()),
                None => self.settle.again(&touched.due),
            }
        }
        self.put_off_untouched(landed);
        self.free(&landed.names);
    }

    /// What it took is part of its batch's receipt.
    pub(super) fn tally(&mut self, landed: &Landed) {
        if let Some(batch) = self.batches.get_mut(&landed.batch) {
            batch.times = batch.times.max(landed.times);
            batch.times.total = batch.times.total.max(landed.noticed.elapsed());
        }
    }

    /// Something came of it that was not known: a change of files is given a receipt for that alone.
    fn decide(&mut self, id: BatchId) {
        if let Some(batch) = self.batches.get_mut(&id) {
            batch.decided = true;
        }
    }

    /// An update is not fit to be applied. Nothing has been written: it says nothing of what is on disk.
    pub(super) fn decline(&mut self, landed: &Landed, error: &Error) {
        if let Some(batch) = self.batches.get_mut(&landed.batch) {
            batch.refused.extend(landed.names.iter().map(|name| (name.clone(), error.clone())));
        }
        self.forget_unknown(&landed.names);
        self.free(&landed.names);
    }

    /// The configurations that would have another value.
    pub(super) fn would_be_applied(&self, verified: &Verified) -> Vec<String> {
        let differs = |new: &&Arc<Candidate>| {
            self.shared.committed.get(&new.name).is_none_or(|old| old.value != new.value)
        };
        verified.candidates().iter().filter(differs).map(|new| new.name.clone()).collect()
    }

    /// A trial is over: nothing has come of it.
    pub(super) fn end_trial(&mut self, landed: &Landed, would_be: Vec<String>) {
        if let Some(batch) = self.batches.get_mut(&landed.batch) {
            batch.applied.extend(would_be);
        }
        self.forget_unknown(&landed.names);
        self.free(&landed.names);
    }

    /// What was asked for, is not in use and has no file is as unknown as before.
    fn forget_unknown(&mut self, names: &[String]) {
        for name in names {
            let is_known = self.shared.committed.get(name).is_some()
                || !self.book.files(name, &self.inventory).is_empty()
                || self.externals.known.defaults(name).is_some();
            if !is_known {
                self.forget(name);
            }
        }
    }

    /// It is not fit to be applied.
    pub(super) fn refuse(&mut self, landed: Landed, error: &Error) {
        let Landed { batch, names, touched, outcome, stuck, .. } = landed;
        let first = matches!(self.batches.get(&batch).map(|batch| &batch.reason), Some(Reason::First(_)));
        let news = self.note(&names, &touched, &outcome, first);
        for name in &names {
            let known = self.book.get(name).and_then(|entry| entry.fault.as_ref()).map(ToString::to_string);
            let exists = self.shared.committed.get(name).is_some()
                || !self.book.files(name, &self.inventory).is_empty()
                || self.externals.known.defaults(name).is_some();
            if !exists {
                self.forget(name);
                continue;
            }
            if let Some(batch) = self.batches.get_mut(&batch) {
                batch.refused.push((name.clone(), error.clone()));
            }
            let entry = self.book.entry(name);
            entry.fault = Some(error.clone());
            entry.beside = names.iter().filter(|other| *other != name).cloned().collect();
            self.update_status(name);
            let is_new = first && self.shared.committed.get(name).is_none();
            if !is_new && (news || known != Some(error.to_string())) {
                self.decide(batch);
                self.shared.observe.failed(&self.shared.handlers, name, error);
            }
        }
        match stuck {
            // Its configurations stay busy: one that hangs must not be called again and again.
            Some(job) => {
                self.stuck.push((names, job));
                // Those that are read beside them need not wait for a job that cannot be applied any more.
                self.begin_waiting();
            }
            None => self.free(&names),
        }
        // What cannot be read is tried again.
        self.note_trouble();
    }

    /// Its files are what is in use.
    pub(super) fn leave(&mut self, landed: Landed) {
        let Landed { batch, names, touched, outcome, .. } = landed;
        let news = self.note(&names, &touched, &outcome, false);
        let mends = |name: &String| self.book.get(name).is_some_and(|entry| entry.fault.is_some());
        if news || names.iter().any(mends) {
            self.decide(batch);
        }
        self.recover(&names);
        self.free(&names);
    }

    /// The swap, and everything that follows from it.
    pub(super) fn commit(&mut self, id: BatchId) {
        let _in_span = self.span_of(id).entered();
        let Some((landed, verified)) = self.take_verified(id) else { return };
        let noticed = landed.iter().map(|landed| landed.noticed).max().unwrap_or_else(Instant::now);
        let (before, began) = (self.shared.committed.generation(), Instant::now());
        let (commit, swapped) = spans::commit().in_scope(|| {
            let mut commit = self.shared.committed.commit(verified, &[]);
            let swapped = noticed.elapsed();
            self.hand_on(&mut commit);
            (commit, swapped)
        });
        landed.iter().for_each(|landed| self.tally(landed));
        self.decide(id);
        if let Some(batch) = self.batches.get_mut(&id) {
            batch.applied.extend(commit.changed.iter().map(|part| part.new.name.clone()));
            batch.times.commit = batch.times.commit.max(began.elapsed());
        }
        let is_first = self.is_first(id);
        self.take_note(id, &landed, &commit, is_first);
        let awaited = self.tell_of_change(&landed, &commit, (noticed, swapped), is_first);
        if is_first || commit.changed.is_empty() {
            self.let_stay(landed);
        } else {
            self.put_to_the_test(id, landed, (before, commit), awaited);
        }
    }

    /// What has landed of a batch and is to be committed, in the order of the names: they landed in the
    /// order in which their threads ended, and events and receipts have one of their own.
    fn take_verified(&mut self, id: BatchId) -> Option<(Vec<Landed>, Vec<Verified>)> {
        let mut landed = std::mem::take(&mut self.batches.get_mut(&id)?.verified);
        landed.sort_by(|a, b| a.names.cmp(&b.names));
        let mut verified = Vec::new();
        for landed in &mut landed {
            if let Verdict::Verified(part) = std::mem::take(&mut landed.outcome.verdict) {
                verified.push(part);
            }
        }
        (!landed.is_empty()).then_some((landed, verified))
    }

    /// Whether a batch is the first look at its configurations, so that there is no change to tell of.
    fn is_first(&self, id: BatchId) -> bool {
        matches!(self.batches.get(&id).map(|batch| &batch.reason), Some(Reason::First(_)))
    }

    /// Notes what there is now, before anybody is told: whoever is may look at the status.
    fn take_note(&mut self, id: BatchId, landed: &[Landed], commit: &Commit, is_first: bool) {
        for landed in landed.iter().filter(|landed| landed.edit.is_some()) {
            self.expect_own_writes(&landed.touched);
        }
        self.note_all(landed, is_first);
        let trigger = self.batches.get(&id).map_or(Trigger::Files, |batch| batch.reason.trigger());
        self.write_down(landed, commit, trigger);
        landed.iter().flat_map(|landed| &landed.names).for_each(|name| self.update_status(name));
    }

    /// No value changed that anybody had: there is nothing to be tried out.
    fn let_stay(&mut self, mut landed: Vec<Landed>) {
        let fell_back: Vec<_> =
            landed.iter_mut().filter_map(|landed| landed.outcome.fell_back.take()).collect();
        let names: Vec<String> = landed.into_iter().flat_map(|landed| landed.names).collect();
        self.settle_down(&names);
        self.confirm(&names);
        fell_back.into_iter().for_each(|from| self.tell_of_fallback(from));
    }

    /// Waits for the critical handlers that are told of it, if there are any, and then for the end of its
    /// probation.
    fn put_to_the_test(
        &mut self,
        id: BatchId,
        landed: Vec<Landed>,
        (before, commit): (u64, Commit),
        awaited: Vec<Awaited>,
    ) {
        let names: Vec<String> = landed.into_iter().flat_map(|landed| landed.names).collect();
        let configs = commit.changed.into_iter().map(|part| (part.new.name.clone(), part.old)).collect();
        let undo = Undo { from: commit.generation, to: before, configs };
        if awaited.is_empty() {
            self.settle_down(&names);
            self.confirm(&undo.beside(names));
            return self.put_on_probation(undo);
        }
        if let Some(batch) = self.batches.get_mut(&id) {
            batch.in_the_air += 1;
        }
        let trial = Trial { batch: id, names, undo, began: Instant::now() };
        self.flights.spawn(try_out(trial, awaited, self.settings.time_limit).instrument(spans::notify()));
    }

    /// Hands values to everybody who reads them.
    pub(super) fn hand_on(&self, commit: &mut Commit) {
        for ready in commit.ready.drain(..) {
            let handed_on = guarded("copying a value", || {
                ready.publish(commit.generation);
                Ok(())
            });
            if let Err(error) = handed_on {
                let changed = commit.changed.iter().map(|part| &part.new);
                let reason = scrubbed(error.to_string(), changed);
                self.shared.observe.tell(ChangeEvent::Degraded { reason });
            }
        }
    }

    /// Notes what the files of a commit are, and what could not be kept of those before.
    fn note_all(&mut self, landed: &[Landed], silent: bool) {
        for landed in landed {
            self.note(&landed.names, &landed.touched, &landed.outcome, silent);
            for error in &landed.outcome.backup_errors {
                let path = error.path().unwrap_or(&self.shared.root).to_path_buf();
                self.shared.observe.tell(ChangeEvent::BackupFailed { path, error: error.to_string() });
            }
        }
    }

    /// Tells of a commit. Returns the calls of handlers that it stands or falls with.
    fn tell_of_change(
        &self,
        landed: &[Landed],
        commit: &Commit,
        (noticed, swapped): (Instant, Duration),
        silent: bool,
    ) -> Vec<Awaited> {
        let mut awaited = Vec::new();
        // What there is for the first time, at the start or because somebody asked for it, is no change.
        for replaced in commit.changed.iter().filter(|replaced| !silent || replaced.old.is_some()) {
            let paths = self.own_paths(&replaced.new.name, landed);
            let event = config_changed(replaced.old.as_deref(), &replaced.new, commit.generation, swapped);
            awaited.extend(self.shared.observe.announce(&self.shared.handlers, event, &paths, true));
            let config_name = replaced.new.name.clone();
            let completed = ChangeEvent::ReloadCompleted { config_name, duration: noticed.elapsed() };
            self.shared.observe.announce(&self.shared.handlers, completed, &paths, true);
        }
        awaited
    }

    /// Configurations are good, and free for the next change.
    pub(super) fn settle_down(&mut self, names: &[String]) {
        self.recover(names);
        self.free(names);
    }

    /// The files that a configuration was judged anew for.
    pub(super) fn own_paths(&self, name: &str, landed: &[Landed]) -> Vec<PathBuf> {
        let touched = landed.iter().flat_map(|landed| &landed.touched).map(|touched| &touched.due.path);
        let is_own = |path: &&PathBuf| self.book.routes.of(path).config.as_deref() == Some(name);
        let own: Vec<PathBuf> = touched.filter(is_own).cloned().collect();
        // Something beside its files changed: whoever is told of those is told of it.
        if own.is_empty() { self.book.files(name, &self.inventory) } else { own }
    }

    /// Notes what a group's files are now, and tells of those that changed. Says whether any did.
    fn note(&mut self, names: &[String], touched: &[Touched], outcome: &Outcome, silent: bool) -> bool {
        for name in names {
            let schema = outcome.schemas.iter().find(|(of, _)| of == name).map(|(_, schema)| schema.clone());
            self.book.learn(name, &outcome.read, schema);
        }
        let mut news = false;
        for Touched { due, now } in touched {
            let now = match (now.clone(), outcome.read.get(&due.path)) {
                (Some(now), Some(Known::Good(source))) => Some(now.with_hash(source.bytes.hash)),
                (now, _) => now,
            };
            // Not read, for whatever reason: what was known of it says nothing any more.
            if now.is_none() || !outcome.read.contains_key(&due.path) {
                names.iter().for_each(|name| self.book.entry(name).forget(&due.path));
            }
            self.inventory.note_growth(&due.path, now.as_ref(), &mut self.settle);
            if let Some(change_type) = self.inventory.note(&self.shared.root, due, now) {
                news = true;
                if !silent {
                    self.tell_of_file(due.path.clone(), change_type);
                }
            }
        }
        news
    }

    /// They are good again, if they were not.
    fn recover(&mut self, names: &[String]) {
        let mut beside = BTreeSet::new();
        for name in names {
            let entry = self.book.entry(name);
            beside.extend(std::mem::take(&mut entry.beside));
            let had_fault = entry.fault.take().is_some();
            entry.undone = None;
            self.update_status(name);
            if had_fault {
                let event = ChangeEvent::Recovered { config_name: Some(name.clone()) };
                self.shared.observe.announce(&self.shared.handlers, event, &[], true);
            }
        }
        for tie in self.shared.ties().iter().filter(|tie| tie.iter().any(|name| names.contains(name))) {
            beside.extend(tie.iter().filter(|name| !names.contains(name)).cloned());
        }
        self.reconsider(&beside, names);
    }

    /// Looks anew at what was refused together with something that is good now.
    fn reconsider(&mut self, beside: &BTreeSet<String>, good: &[String]) {
        let degraded = |name: &&String| self.book.get(name).is_some_and(|entry| entry.fault.is_some());
        let mut work: Vec<Work> = beside
            .iter()
            .filter(degraded)
            .map(|name| Work { forced: false, ..self.first_look(name) })
            .collect();
        for work in &work {
            // Undone together with what is good now, it gets another chance; undone by itself, it does not.
            let undone = &mut self.book.entry(&work.name).undone;
            undone.take_if(|undone| undone.together.iter().any(|other| good.contains(other)));
        }
        for touched in work.iter_mut().flat_map(|work| &mut work.touched) {
            touched.due.last_chance = false;
        }
        if !work.is_empty() {
            self.begin(work, Reason::Change);
        }
    }

    /// It has no file and never had a good value: there is nothing left to be degraded.
    fn forget(&mut self, name: &str) {
        let had_fault = self.book.get(name).is_some_and(|entry| entry.fault.is_some());
        self.book.remove(name);
        self.shared.observe.edit_config(name, |status| {
            status.configs.remove(name);
        });
        if had_fault {
            let event = ChangeEvent::Recovered { config_name: Some(name.to_owned()) };
            self.shared.observe.announce(&self.shared.handlers, event, &[], true);
        }
    }

    /// Lets the next job for these configurations begin, with what has come up meanwhile.
    pub(super) fn free(&mut self, names: &[String]) {
        for name in names.iter().filter(|name| self.book.contains(name)).cloned().collect::<Vec<_>>() {
            self.book.entry(&name).busy = None;
        }
        self.begin_waiting();
    }

    /// Begins what has come up meanwhile. What still must wait goes back.
    pub(super) fn begin_waiting(&mut self) {
        let waiting = self.book.take_waiting().into_iter();
        let work: Vec<Work> = waiting.map(|(name, touched)| Work::new(name, touched)).collect();
        if !work.is_empty() {
            self.begin(work, Reason::Change);
        }
    }

    pub(super) fn update_status(&self, name: &str) {
        let entry = self.book.get(name);
        let fault = entry.and_then(|entry| entry.fault.clone());
        let shadowed = entry.iter().flat_map(|entry| &entry.shadowed);
        let absolute = |path| self.shared.root.join(path);
        let shadowed = shadowed.map(|(used, ignored)| (absolute(used), absolute(ignored))).collect();
        let (generation, since) = (self.shared.committed.generation(), self.shared.committed.since(name));
        let in_use = self.shared.committed.get(name);
        let files =
            in_use.iter().flat_map(|config| config.files()).map(|source| source.bytes.path.clone()).collect();
        let pending = in_use.as_deref().map(Pending::of).unwrap_or_default();
        self.shared.observe.edit_config(name, |status| {
            let state = fault.map_or(ConfigState::Good, ConfigState::Degraded);
            status.generation = generation;
            status
                .configs
                .insert(name.to_owned(), ConfigStatus { state, generation: since, files, shadowed, pending });
        });
    }
}

/// What user code said, without the secrets of the configurations that it may have been told.
pub(super) fn scrubbed<'a>(said: String, told: impl IntoIterator<Item = &'a Arc<Candidate>>) -> String {
    told.into_iter().fold(said, |said, candidate| candidate.scrubber().scrub(&said))
}

/// The event that tells of a configuration's new value.
pub(super) fn config_changed(
    old: Option<&Candidate>,
    new: &Candidate,
    generation: u64,
    duration: Duration,
) -> ChangeEvent {
    let old_value = old.map_or(Value::Null, |old| old.value.clone());
    ChangeEvent::ConfigChanged {
        config_name: new.name.clone(),
        changed: changed_pointers(&old_value, &new.value),
        old_value,
        new_value: new.value.clone(),
        secrets: old.map_or_else(|| new.secrets(), |old| old.secrets().and(&new.secrets())),
        generation,
        duration,
    }
}

/// The event that tells that a configuration is gone, since it was undone and there was none before.
pub(super) fn config_removed(old: &Candidate, generation: u64, duration: Duration) -> ChangeEvent {
    ChangeEvent::ConfigChanged {
        config_name: old.name.clone(),
        changed: vec![String::new()],
        old_value: old.value.clone(),
        new_value: Value::Null,
        secrets: old.secrets(),
        generation,
        duration,
    }
}
