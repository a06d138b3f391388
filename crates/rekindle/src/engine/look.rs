//! From signals to work: what the watch stage found is settled, and what is due is looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::batch::{Reason, Work};
use super::book::Touched;
use super::run::{Engine, RECONCILE, WHILE_MISSING, WHILE_UNWATCHED};
use crate::event::{ChangeEvent, ChangeType, ResourceKind};
use crate::settle::Due;
use crate::watch::{Found, Look, Stamp};

impl Engine {
    pub(super) fn take_in(&mut self, found: Found) {
        let now = Instant::now();
        for signal in found.signals {
            self.settle.observe(signal, now);
        }
        if found.overflowed {
            self.rescan("the queue of file notifications overflowed");
        }
        self.note_degradation(&found.refused, now);
    }

    /// Compares everything with what is known, because nobody tells, or in case nobody told.
    pub(super) fn scan(&mut self) {
        let now = Instant::now();
        let found = self.watch.scan(&self.inventory);
        for signal in found.signals {
            self.settle.observe(signal, now);
        }
        let unwatched = found.refused;
        self.next_scan = now + self.settings.poll.or(self.watch.poll_interval()).unwrap_or(RECONCILE);
        self.note_degradation(&unwatched, now);
        if unwatched.is_empty() && self.shared.root.is_dir() {
            self.note_recovery();
        }
        let watched_dirs = self.watch.directories();
        self.shared.observe.edit(|status| status.watched_dirs = watched_dirs);
    }

    fn rescan(&mut self, reason: &str) {
        let now = Instant::now();
        let found = self.watch.scan(&self.inventory);
        let event = ChangeEvent::Rescanned { reason: reason.to_owned(), found: found.signals.len() };
        for signal in found.signals {
            self.settle.observe(signal, now);
        }
        self.shared.observe.announce(&self.shared.handlers, event, &[], false);
    }

    /// Says so, once, when the root is missing or directories cannot be watched, and looks more often.
    pub(super) fn note_degradation(&mut self, refused: &[(PathBuf, std::io::Error)], now: Instant) {
        let root = &self.shared.root;
        let reason = match refused.first() {
            _ if !root.is_dir() => format!("the root {} is missing", root.display()),
            Some((directory, cause)) => unwatched(&root.join(directory), cause, refused.len()),
            None => return,
        };
        let interval = if root.is_dir() { WHILE_UNWATCHED } else { WHILE_MISSING };
        self.next_scan = self.next_scan.min(now + interval);
        let mut new = false;
        self.shared.observe.edit(|status| {
            new = status.degraded.is_none();
            status.degraded = Some(reason.clone());
        });
        if new {
            let event = ChangeEvent::Degraded { reason };
            self.shared.observe.announce(&self.shared.handlers, event, &[], false);
        }
    }

    fn note_recovery(&mut self) {
        let mut was_degraded = false;
        self.shared.observe.edit(|status| was_degraded = status.degraded.take().is_some());
        if was_degraded {
            let event = ChangeEvent::Recovered { config_name: None };
            self.shared.observe.announce(&self.shared.handlers, event, &[], false);
        }
    }

    /// Looks at the paths that are due: configurations go to their jobs, everything else is told of.
    pub(super) fn look(&mut self, due: Vec<Due>) {
        let mut work: BTreeMap<String, Vec<Touched>> = BTreeMap::new();
        for due in due {
            match self.config_of(&due.path) {
                Some(name) => self.sort_in(name, due, &mut work),
                None => self.look_at_file(&due),
            }
        }
        let work: Vec<Work> =
            work.into_iter().map(|(name, touched)| Work { name, touched, forced: false }).collect();
        if !work.is_empty() {
            self.begin(work, Reason::Change);
        }
    }

    fn sort_in(&mut self, name: String, due: Due, work: &mut BTreeMap<String, Vec<Touched>>) {
        let now = Stamp::of(&self.shared.root.join(&due.path));
        // A file that was renamed is no longer in the inventory, but may still be in use.
        let in_use = self.book.get(&name).is_some_and(|entry| entry.knows(&due.path));
        let was_there = in_use || self.inventory.get(&due.path).is_some();
        if now.is_none() && was_there && !due.last_chance {
            self.settle.hold(&due);
        } else if now.is_some() || was_there {
            work.entry(name).or_default().push(Touched { due, now });
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
        let now =
            Stamp::read_at(&self.shared.root.join(&due.path), &self.shared.root, self.settings.max_file_size);
        self.catch_up();
        if !due.last_chance && self.settle.stirs(&due.path) {
            return self.settle.again(due);
        }
        match self.inventory.judge(&self.shared.root, due, now) {
            Look::Same => {}
            Look::Unfinished => self.settle.hold(due),
            Look::Changed(change_type) => self.tell_of_file(due.path.clone(), change_type),
        }
    }

    pub(super) fn tell_of_file(&self, path: PathBuf, change_type: ChangeType) {
        let of_config = self.book.routes.of(&path).config.is_some();
        let event = ChangeEvent::FileChanged { path: self.shared.root.join(&path), change_type };
        self.shared.observe.announce(&self.shared.handlers, event, &[path], of_config);
    }
}

/// Why some directories are not watched, and what to do about it.
fn unwatched(first: &Path, cause: &std::io::Error, count: usize) -> String {
    let others = match count - 1 {
        0 => String::new(),
        1 => " and 1 other directory".to_owned(),
        more => format!(" and {more} other directories"),
    };
    let help = match cause.kind() {
        std::io::ErrorKind::StorageFull => "raise the limit: sudo sysctl fs.inotify.max_user_watches=1048576",
        std::io::ErrorKind::PermissionDenied => "give the program the right to read it, or exclude it",
        _ => "until that is mended, it is looked at again and again",
    };
    format!("{}{others} cannot be watched: {cause} ({help})", first.display())
}
