//! Plain files that are due, worked off in portions: a burst of thousands holds up no configuration,
//! and no receiver that keeps reading.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::run::Engine;
use crate::settle::Due;

/// How many files are looked at in one go. Fewer than half of what a receiver holds.
const PORTION: usize = 256;

/// How many events may wait for the slowest receiver or handler before the next portion.
const ENOUGH: usize = 512;

/// How often to see whether a receiver has caught up.
const GLANCE: Duration = Duration::from_millis(1);

/// How long a receiver that takes nothing is waited for. After that it is told that it lags.
const PATIENCE: Duration = Duration::from_millis(100);

/// The files that wait for their look.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    files: VecDeque<Due>,
    pressure: Pressure,
}

/// What is known of the slowest receiver.
#[derive(Debug, Default)]
struct Pressure {
    /// How many events waited for it when somebody last looked, and since when it has taken none.
    stalled: Option<(usize, Instant)>,
    /// It was waited for in vain, and has not caught up since.
    given_up: bool,
}

impl Backlog {
    pub(super) fn push(&mut self, due: Due) {
        self.files.push_back(due);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// When to go on; `None` when there is nothing to do.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        let pause = if self.pressure.stalled.is_some() { GLANCE } else { Duration::ZERO };
        (!self.files.is_empty()).then_some(now + pause)
    }
}

impl Pressure {
    /// Whether the next portion may be told, when so many events wait.
    fn allows(&mut self, waiting: usize, now: Instant) -> bool {
        if waiting < ENOUGH {
            *self = Self::default();
            return true;
        }
        match self.stalled {
            _ if self.given_up => return true,
            Some((before, since)) if waiting >= before => self.given_up = now >= since + PATIENCE,
            _ => self.stalled = Some((waiting, now)),
        }
        self.given_up
    }
}

impl Engine {
    /// Looks at the next files, if those who are told can take it.
    pub(super) fn work_off(&mut self, now: Instant) {
        if self.backlog.is_empty() {
            return;
        }
        let waiting = self.shared.observe.waiting().max(self.shared.handlers.waiting());
        if !self.backlog.pressure.allows(waiting, now) {
            return;
        }
        for _ in 0..PORTION {
            let Some(due) = self.backlog.files.pop_front() else { return };
            self.look_at_file(&due);
        }
    }

    /// Looks at all that is left, whoever can take it.
    pub(super) fn work_off_all(&mut self) {
        while let Some(due) = self.backlog.files.pop_front() {
            self.look_at_file(&due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_keeps_reading_is_waited_for() {
        let (mut pressure, start) = (Pressure::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert!(pressure.allows(511, at(0)));
        assert!(!pressure.allows(700, at(1)));
        assert!(!pressure.allows(690, at(90)));
        assert!(!pressure.allows(680, at(180)));
        assert!(pressure.allows(500, at(200)));
    }

    #[test]
    fn one_that_does_not_is_given_up_on_once() {
        let (mut pressure, start) = (Pressure::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert!(!pressure.allows(1024, at(0)));
        assert!(!pressure.allows(1024, at(99)));
        assert!(pressure.allows(1024, at(100)));
        assert!(pressure.allows(1024, at(101)), "it is not waited for again");
        assert!(pressure.allows(3, at(102)));
        assert!(!pressure.allows(600, at(103)), "until it has caught up");
    }
}
