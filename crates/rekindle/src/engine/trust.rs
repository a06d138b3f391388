//! Trust: when a generation is good enough to go back to, and what is written down of it.

use std::sync::Arc;
use std::time::Instant;

use super::chronicle::{Chronicle, Entry};
use super::fallback::{Fallback, FellBack, StartPolicy};
use super::flight::{Landed, RecordFirst};
use super::job::{Undone, Verdict};
use super::run::Engine;
use crate::commit::Commit;
use crate::error::Error;
use crate::event::ChangeEvent;
use crate::history::Trigger;
use crate::load::Candidate;
use crate::validate::changed_pointers;

impl Engine {
    /// What is to be on record before it comes into use: where crashes count, all of it.
    pub(super) fn record_first(&self, landed: &Landed) -> RecordFirst {
        let chronicle = self.chronicle.clone().filter(|_| self.fallback.is_some())?;
        let Verdict::Verified(verified) = &landed.outcome.verdict else { return None };
        if landed.outcome.fell_back.is_some() {
            return None;
        }
        let trigger = self.batches.get(&landed.batch).map_or(Trigger::Files, |batch| batch.reason.trigger());
        // Nothing else is about to be committed, unless two slow batches end at the same time.
        let generation = self.shared.committed.generation() + 1;
        let entry = |new: &Arc<Candidate>| {
            let old = self.shared.committed.get(&new.name);
            let changed = Self::changed(old.as_deref(), new);
            Entry::new(new, &self.shared.root, generation, trigger, changed)
        };
        Some((chronicle, verified.candidates().iter().map(entry).collect(), self.settings.time_limit))
    }

    /// The pointers of what differs, as they may be written down.
    fn changed(old: Option<&Candidate>, new: &Candidate) -> Vec<String> {
        let before = old.map_or(&serde_json::Value::Null, |old| &old.value);
        new.secrets().conceal(&changed_pointers(before, &new.value))
    }

    /// Writes down what has come into use, before anybody is told who might crash of it.
    pub(super) fn write_down(&self, landed: &[Landed], commit: &Commit, trigger: Trigger) {
        let Some(chronicle) = &self.chronicle else { return };
        // What was gone back to is in the history already.
        let is_new = |landed: &&Landed| landed.outcome.fell_back.is_none() && !landed.is_recorded;
        let from_disk = landed.iter().filter(is_new);
        for name in from_disk.flat_map(|landed| &landed.names) {
            let Some(candidate) = self.shared.committed.get(name) else { continue };
            let replaced = commit.changed.iter().find(|part| part.new.name == *name);
            let changed = replaced.map(|part| Self::changed(part.old.as_deref(), &part.new));
            let changed = changed.unwrap_or_default();
            chronicle.in_use(Entry::new(&candidate, &self.shared.root, commit.generation, trigger, changed));
        }
    }

    /// Goes on with another history, or with none.
    pub(super) fn keep_history(&mut self, (chronicle, fallback): (Option<Chronicle>, Option<Arc<Fallback>>)) {
        let before = std::mem::replace(&mut self.chronicle, chronicle);
        self.fallback = fallback;
        self.untrusted.clear();
        self.shared.set_chronicle(self.chronicle.clone());
        if let Some(before) = before {
            tokio::spawn(async move { before.end(true).await });
        }
    }

    /// Writes down that generations were undone.
    pub(super) fn write_down_undo(&mut self, names: &[String], reason: &Error) {
        self.untrusted.retain(|name, _| !names.contains(name));
        if let Some(chronicle) = &self.chronicle {
            chronicle.undone(names.to_vec(), reason.to_string());
        }
    }

    /// Nothing speaks against them any more, unless crashes count: then not yet.
    pub(super) fn confirm(&mut self, names: &[String]) {
        let Some(chronicle) = &self.chronicle else { return };
        if self.settings.start_policy == StartPolicy::StartFromLastGood {
            let when = Instant::now() + self.settings.trusted_after;
            self.untrusted.extend(names.iter().map(|name| (name.clone(), when)));
        } else {
            chronicle.confirmed(names.to_vec());
        }
    }

    /// Confirms what has been in use for long enough.
    pub(super) fn trust(&mut self, now: Instant) {
        let due = self.untrusted.iter().filter(|(_, when)| **when <= now);
        let due: Vec<String> = due.map(|(name, _)| name.clone()).collect();
        if due.is_empty() {
            return;
        }
        self.untrusted.retain(|_, when| *when > now);
        if let Some(chronicle) = &self.chronicle {
            chronicle.confirmed(due);
        }
    }

    /// A start went back to the history: degraded, and loud about it.
    pub(super) fn tell_of_fallback(&mut self, from: FellBack) {
        let FellBack { error, revisions, harmful } = from;
        for (name, value) in harmful {
            let undone = Undone { value, error: error.clone(), together: Vec::new() };
            self.book.entry(&name).undone = Some(Arc::new(undone));
        }
        for (config_name, revision) in revisions {
            self.untrusted.remove(&config_name);
            self.book.entry(&config_name).fault = Some(error.clone());
            self.update_status(&config_name);
            let event = ChangeEvent::FellBack { config_name, revision, reason: error.to_string() };
            self.shared.observe.announce(&self.shared.handlers, event, &[], true);
        }
    }
}
