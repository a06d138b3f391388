//! From signals to work: what the watch stage found is settled, and what is due is looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::batch::{Reason, Work};
use super::book::Touched;
use super::compare::Why;
use super::run::Engine;
use crate::event::{ChangeEvent, ChangeType, ResourceKind};
use crate::propagate::Dispatch;
use crate::settle::Due;
use crate::watch::{Examined, Found, Stamp};

impl Engine {
    /// Takes in what the watch stage found.
    pub(super) fn take_in(&mut self, found: Found) {
        let now = Instant::now();
        for signal in found.signals {
            self.settle.observe(signal, now);
        }
        if found.overflowed {
            self.compare(Why::Overflow);
        }
        if self.watch.trouble().is_some() != self.next_retry.is_some() {
            self.note_trouble();
        }
    }

    /// Looks at the paths that are due: configurations go to their jobs, everything else is told of.
    pub(super) fn look(&mut self, due: Vec<Due>) {
        let mut work: BTreeMap<String, Vec<Touched>> = BTreeMap::new();
        for due in due {
            match self.config_of(&due.path) {
                Some(name) => self.sort_in(name, due, &mut work),
                None => self.backlog.push(due),
            }
        }
        let work: Vec<Work> = work.into_iter().map(|(name, touched)| Work::new(name, touched)).collect();
        if !work.is_empty() {
            self.begin(work, Reason::Change);
        }
    }

    fn sort_in(&mut self, name: String, due: Due, work: &mut BTreeMap<String, Vec<Touched>>) {
        let now = Stamp::of(&self.shared.root.join(&due.path));
        // A file that was renamed is no longer in the inventory, but may still be in use.
        let was_there = self.inventory.get(&due.path).is_some() || self.counts_on(&name, &due.path);
        if now.is_none() && was_there && !due.last_chance {
            self.settle.hold(&due);
        } else if now.is_some() || was_there {
            work.entry(name).or_default().push(Touched { due, now });
        }
    }

    /// Whether it matters to a configuration that a file of it is gone: it was read, is in use, or may be
    /// what is wrong with it.
    fn counts_on(&self, name: &str, path: &Path) -> bool {
        let full = self.shared.root.join(path);
        let in_use = self.shared.committed.get(name);
        let is_used = in_use.is_some_and(|config| config.files().any(|source| source.bytes.path == full));
        let entry = self.book.get(name);
        is_used || entry.is_some_and(|entry| entry.knows(path) || entry.fault.is_some())
    }

    /// Whether a configuration is degraded because of something that may be over without a word.
    pub(super) fn has_to_try_again(&self) -> bool {
        self.book.to_try_again().next().is_some()
    }

    /// Looks again at what could not be read, or not be prepared for: no event tells that it can be by now.
    pub(super) fn try_again(&mut self) {
        let names: Vec<String> = self.book.to_try_again().map(str::to_owned).collect();
        if !names.is_empty() {
            let work = names.iter().map(|name| Work { forced: false, ..self.first_look(name) }).collect();
            self.begin(work, Reason::Change);
        }
    }

    /// The configuration that a path is a layer or the schema of, if anybody wants that one.
    pub(super) fn config_of(&self, path: &Path) -> Option<String> {
        let routed = self.book.routes.of(path);
        if routed.layer.is_none() && routed.kind != ResourceKind::Schema {
            return None;
        }
        let name = routed.config?;
        let subscribed = || self.shared.topics().iter().any(|topic| topic.names().contains(&name));
        let by_pattern = routed.layer.is_some() && self.watch.interest().by_pattern(path);
        (self.book.contains(&name) || by_pattern || subscribed()).then_some(name)
    }

    /// Takes in what the system has told up to now, so that nothing is judged that has changed again.
    pub(super) fn catch_up(&mut self) {
        let found = self.watch.drain(&self.inventory);
        self.take_in(found);
    }

    pub(super) fn look_at_file(&mut self, due: &Due) {
        if !self.watch.interest().by_pattern(&due.path) {
            return;
        }
        let root = self.shared.root.clone();
        let now = Stamp::read_at(&root.join(&due.path), &root, self.settings.max_file_size);
        self.catch_up();
        // Its directory went in between: nobody looked for a file that was not known yet.
        let now = now.filter(|_| self.inventory.get(&due.path).is_some() || root.join(&due.path).exists());
        match self.inventory.examine(&root, due, now, &mut self.settle) {
            Examined::Pending => {}
            Examined::Same { is_there } => self.tell_of_write(&due.path, is_there),
            Examined::Changed(change_type) => self.tell_of_file(due.path.clone(), change_type),
        }
    }

    /// Reads the next files of which only the looks are known: so many, or until `end`.
    pub(super) fn fingerprint(&mut self, count: usize, end: Option<Instant>) {
        for _ in 0..count {
            let Some(path) = self.unread.pop_front() else { return };
            let Some(known) = self.inventory.get(&path).cloned() else { continue };
            let read = known.fingerprint(&self.shared.root, &path);
            // What changes while it is read is told of, and looked at as a change.
            self.catch_up();
            if let Some(read) = read.filter(|_| !self.settle.is_pending(&path)) {
                self.inventory.insert(path, read);
            }
            if end.is_some_and(|end| end <= Instant::now()) {
                return;
            }
        }
    }

    /// A file was written to, and is what it was: that concerns only those who want to hear of every write.
    fn tell_of_write(&self, path: &Path, is_there: bool) {
        let change_type = if is_there { ChangeType::Modified } else { ChangeType::Deleted };
        let event = ChangeEvent::FileChanged { path: self.shared.root.join(path), change_type };
        let paths = &[path.to_path_buf()];
        let of_config = self.book.routes.of(path).config.is_some();
        self.shared.handlers.dispatch(&Dispatch { event: &event, paths, of_config, is_change: false });
    }

    pub(super) fn tell_of_file(&self, path: PathBuf, change_type: ChangeType) {
        let of_config = self.book.routes.of(&path).config.is_some();
        let event = ChangeEvent::FileChanged { path: self.shared.root.join(&path), change_type };
        self.shared.observe.announce(&self.shared.handlers, event, &[path], of_config);
    }
}
