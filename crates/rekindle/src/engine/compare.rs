//! The comparison of everything with what is known: regularly, after notifications were lost, and
//! wherever the system tells of nothing. And what the engine says of itself while it has to do that.

use std::time::{Duration, Instant};

use super::run::Engine;
use crate::event::ChangeEvent;
use crate::settle::{Signal, What};
use crate::watch::{Found, Scan, Trouble};

/// How long work that can wait may keep the loop from everything else.
pub(super) const SLICE: Duration = Duration::from_millis(2);

/// How often to look for the root while it is missing: a walk of nothing.
const WHILE_MISSING: Duration = Duration::from_millis(250);

/// How often to look at what cannot be watched or read.
const WHILE_REFUSED: Duration = Duration::from_millis(500);

/// Looking at what cannot be watched takes at most a twentieth of the time.
const SHARE: u32 = 20;

/// A comparison under way.
#[derive(Debug)]
pub(super) struct Comparison {
    scan: Scan,
    why: Why,
    /// Files that turned out to differ, and of which nobody had told.
    found: usize,
    /// Another is wanted after it: what it has seen already may have changed since.
    again: Option<Why>,
}

impl Comparison {
    fn new(why: Why) -> Self {
        Self { scan: Scan::new(why == Why::Overflow), why, found: 0, again: None }
    }
}

/// Why everything is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// Nobody tells of changes: this is how they are found.
    Poll,
    /// In case nobody told.
    Routine,
    /// What is mounted where the root is has changed.
    Remounted,
    /// Notifications were lost.
    Overflow,
}

impl Engine {
    /// Begins a comparison. One that is under way goes on to its end first: begun anew each time, it would
    /// never get there while notifications are lost again and again.
    pub(super) fn compare(&mut self, why: Why) {
        match &mut self.comparison {
            Some(comparison) => comparison.again = comparison.again.max(Some(why)),
            None => self.comparison = Some(Comparison::new(why)),
        }
    }

    /// Begins what is due by the clock, and goes on with what is under way.
    pub(super) fn go_on_comparing(&mut self, now: Instant) {
        if self.next_scan <= now {
            self.next_scan = now + self.scan_interval();
            self.watch.ask_again();
            let polls = self.watch.poll_interval().is_some();
            if self.comparison.is_none() {
                self.compare(if polls { Why::Poll } else { Why::Routine });
            }
        }
        if self.next_retry.is_some_and(|retry| retry <= now) {
            self.retry();
        }
        if let Some(comparison) = &mut self.comparison {
            let found = self.watch.scan(&mut comparison.scan, &self.inventory, SLICE);
            self.take_in_compared(found);
        }
    }

    fn take_in_compared(&mut self, found: Found) {
        // What has been told by now is no find.
        self.catch_up();
        let news = found.signals.iter().filter(|signal| self.is_news(signal)).count();
        self.take_in(found);
        if let Some(comparison) = &mut self.comparison {
            comparison.found += news;
        }
        if let Some(done) = self.comparison.take_if(|comparison| comparison.scan.is_done()) {
            self.comparison = done.again.map(Comparison::new);
            self.compared(&done);
        }
    }

    pub(super) fn scan_interval(&self) -> Duration {
        let polled = self.watch.poll_interval().map(|default| self.settings.poll.unwrap_or(default));
        polled.unwrap_or(self.settings.reconcile)
    }

    /// Whether a comparison says what no notification has said, and no job is about to find out.
    fn is_news(&self, signal: &Signal) -> bool {
        let differs = match &signal.what {
            What::Seen(Some(stamp)) => {
                self.inventory.get(&signal.path).is_none_or(|known| !known.looks_like(stamp))
            }
            _ => true,
        };
        let idle = self.flights.is_empty() && self.backlog.is_empty();
        differs && idle && !self.settle.is_pending(&signal.path)
    }

    fn compared(&mut self, comparison: &Comparison) {
        let found = comparison.found;
        let reason = match comparison.why {
            Why::Overflow => "the queue of file notifications overflowed",
            Why::Remounted if found > 0 => "what is mounted here has changed",
            Why::Routine if found > 0 => "the regular comparison found what no notification had told",
            Why::Poll | Why::Routine | Why::Remounted => return self.note_trouble(),
        };
        self.shared.observe.edit(|status| match comparison.why {
            Why::Routine => status.reconciled += found as u64,
            Why::Overflow => status.overflows += 1,
            Why::Poll | Why::Remounted => {}
        });
        let event = ChangeEvent::Rescanned { reason: reason.to_owned(), found };
        self.shared.observe.announce(&self.shared.handlers, event, &[], false);
        self.note_trouble();
    }

    /// Looks at what cannot be watched or read, in case it can be by now.
    fn retry(&mut self) {
        self.next_retry = None;
        let begin = Instant::now();
        match self.watch.trouble() {
            Some(Trouble::Missing) => self.compare(Why::Poll),
            Some(Trouble::Refused { .. }) => {
                let found = self.watch.poll_refused(&self.inventory);
                self.take_in(found);
            }
            Some(Trouble::Unavailable(_)) | None => {}
        }
        self.reread_externals();
        self.try_again();
        self.retry_after(WHILE_REFUSED.max(begin.elapsed() * SHARE));
        self.note_trouble();
    }

    fn retry_after(&mut self, interval: Duration) {
        self.next_retry = Some(Instant::now() + interval);
    }

    /// Says so, once, when the root is missing or directories cannot be watched, and once when that is over.
    pub(super) fn note_trouble(&mut self) {
        let interval = match self.watch.trouble() {
            Some(Trouble::Missing) => Some(WHILE_MISSING),
            Some(Trouble::Refused { .. }) => Some(WHILE_REFUSED),
            Some(Trouble::Unavailable(_)) | None if self.has_to_try_again() => Some(WHILE_REFUSED),
            Some(Trouble::Unavailable(_)) | None => None,
        };
        match (interval, self.next_retry) {
            (Some(interval), None) => self.retry_after(interval),
            (None, _) => self.next_retry = None,
            (Some(_), Some(_)) => {}
        }
        let reason = self.watch.trouble().map(|trouble| self.explain(trouble));
        let (watched_dirs, polled_dirs) = (self.watch.directories(), self.watch.polled());
        let mut before = None;
        self.shared.observe.edit(|status| {
            (status.watched_dirs, status.polled_dirs) = (watched_dirs, polled_dirs);
            before = std::mem::replace(&mut status.degraded, reason.clone());
        });
        let event = match (before, reason) {
            (None, Some(reason)) => ChangeEvent::Degraded { reason },
            (Some(_), None) => ChangeEvent::Recovered { config_name: None },
            (Some(_), Some(_)) | (None, None) => return,
        };
        self.shared.observe.announce(&self.shared.handlers, event, &[], false);
    }

    /// What is wrong, and what to do about it.
    fn explain(&self, trouble: Trouble<'_>) -> String {
        let root = &self.shared.root;
        match trouble {
            Trouble::Missing => format!("the root {} is missing", root.display()),
            Trouble::Unavailable(cause) => format!(
                "the system offers no notifications, so everything is polled: {cause} (raise the limit: \
                 sudo sysctl fs.inotify.max_user_instances=512)"
            ),
            Trouble::Refused { first, cause, count } => {
                let others = match count - 1 {
                    0 => String::new(),
                    1 => " and 1 other directory".to_owned(),
                    more => format!(" and {more} other directories"),
                };
                let first = root.join(first);
                let help = help(cause.kind());
                format!("{}{others} cannot be watched: {cause} ({help})", first.display())
            }
        }
    }
}

fn help(kind: std::io::ErrorKind) -> &'static str {
    match kind {
        std::io::ErrorKind::StorageFull => {
            "polled meanwhile; raise the limit fs.inotify.max_user_watches: \
             sudo sysctl fs.inotify.max_user_watches=1048576"
        }
        std::io::ErrorKind::PermissionDenied => "give the program the right to read it, or exclude it",
        _ => "until that is mended, it is looked at again and again",
    }
}
