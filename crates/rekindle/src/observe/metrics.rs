//! Metrics: counters, gauges and histograms for whatever recorder the program has installed.
//!
//! A recorder is one for the whole process, and so are the figures. Counters and histograms of several
//! engines add up by themselves, gauges by [`ALL`]: no engine overwrites what another has set. Labels
//! are an outcome or a stage and never a name or a path, so that there is a bounded number of them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::{ConfigState, Status};
use crate::engine::{Receipt, ReloadOutcome, StageTimes};

const RELOADS: &str = "rekindle_reloads_total";
const SUCCESSFUL: &str = "rekindle_last_reload_successful";
const SUCCESS_AT: &str = "rekindle_last_reload_success_timestamp_seconds";
const DURATION: &str = "rekindle_reload_duration_seconds";
const DEGRADED: &str = "rekindle_degraded";
const WATCHED: &str = "rekindle_watched_dirs";
const OVERFLOWS: &str = "rekindle_overflows_total";
const HANDLER_FAILURES: &str = "rekindle_handler_failures_total";

/// What all engines of the process contribute to the gauges.
static ALL: Mutex<Share> = Mutex::new(Share { degraded: 0, watched_dirs: 0, failing: 0 });

/// What an engine contributes to the gauges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Share {
    /// Configurations that are not good on disk, and the engine itself if something keeps it from its work.
    degraded: usize,
    watched_dirs: usize,
    /// Engines whose last reload was none that succeeded.
    failing: usize,
}

impl Share {
    /// This much more, and that much less.
    fn exchange(self, more: Self, less: Self) -> Self {
        Self {
            degraded: (self.degraded + more.degraded).saturating_sub(less.degraded),
            watched_dirs: (self.watched_dirs + more.watched_dirs).saturating_sub(less.watched_dirs),
            failing: (self.failing + more.failing).saturating_sub(less.failing),
        }
    }
}

/// What one engine has told a recorder.
#[derive(Debug, Default)]
pub(super) struct Metrics(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    share: Share,
    /// Of the configurations alone.
    degraded_configs: usize,
    overflows: u64,
    handler_failures: u64,
    closed: bool,
}

impl Metrics {
    /// Describes everything, and begins to count.
    pub(super) fn new() -> Self {
        describe();
        for outcome in ReloadOutcome::NAMES {
            counter!(RELOADS, "outcome" => outcome).increment(0);
        }
        counter!(OVERFLOWS).increment(0);
        counter!(HANDLER_FAILURES).increment(0);
        set(Share::default(), Share::default());
        Self::default()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the status, which may be about one configuration, and tells what follows from that.
    ///
    /// What is told is in the order of the changes. The recorder is called when the status is free again.
    pub(super) fn follow(&self, status: &Mutex<Status>, name: &str, change: impl FnOnce(&mut Status)) {
        let mut told = self.told();
        let now = {
            let mut status = status.lock().unwrap_or_else(PoisonError::into_inner);
            let before = is_degraded(&status, name);
            change(&mut status);
            let after = is_degraded(&status, name);
            told.degraded_configs = (told.degraded_configs + after).saturating_sub(before);
            Figures::of(&status)
        };
        told.tell(now);
    }

    /// A reload is done.
    pub(super) fn completed(&self, receipt: &Receipt) {
        counter!(RELOADS, "outcome" => receipt.outcome.as_str()).increment(1);
        let stages = StageTimes::NAMES.into_iter().zip(receipt.stages.all());
        for (stage, took) in stages.filter(|(_, took)| !took.is_zero()) {
            histogram!(DURATION, "stage" => stage).record(took);
        }
        let succeeded = matches!(receipt.outcome, ReloadOutcome::Applied { .. } | ReloadOutcome::Unchanged);
        if succeeded {
            gauge!(SUCCESS_AT).set(seconds(receipt.at));
        }
        let mut told = self.told();
        let share = Share { failing: usize::from(!succeeded), ..told.share };
        told.share(share);
    }

    /// The engine has ended: it contributes nothing any more.
    pub(super) fn close(&self) {
        let mut told = self.told();
        told.share(Share::default());
        told.closed = true;
    }
}

/// What of a status is told.
#[derive(Clone, Copy)]
struct Figures {
    is_degraded: bool,
    watched_dirs: usize,
    overflows: u64,
    handler_failures: u64,
}

impl Figures {
    fn of(status: &Status) -> Self {
        Self {
            is_degraded: status.degraded.is_some(),
            watched_dirs: status.watched_dirs,
            overflows: status.overflows,
            handler_failures: status.handler_failures,
        }
    }
}

impl Told {
    /// Tells what differs.
    fn tell(&mut self, now: Figures) {
        let Figures { is_degraded, watched_dirs, overflows, handler_failures } = now;
        if overflows > self.overflows {
            counter!(OVERFLOWS).increment(overflows - self.overflows);
            self.overflows = overflows;
        }
        if handler_failures > self.handler_failures {
            counter!(HANDLER_FAILURES).increment(handler_failures - self.handler_failures);
            self.handler_failures = handler_failures;
        }
        let degraded = self.degraded_configs + usize::from(is_degraded);
        let share = Share { degraded, watched_dirs, ..self.share };
        if share != self.share {
            self.share(share);
        }
    }

    /// Contributes this from now on.
    fn share(&mut self, share: Share) {
        if !self.closed {
            set(share, self.share);
            self.share = share;
        }
    }
}

/// Sets the gauges. All of them, since a recorder may have been installed in the meantime.
fn set(more: Share, less: Share) {
    // Held until they are set, so that an older sum never comes after a newer one.
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    *all = all.exchange(more, less);
    gauge!(DEGRADED).set(all.degraded as f64);
    gauge!(WATCHED).set(all.watched_dirs as f64);
    gauge!(SUCCESSFUL).set(if all.failing == 0 { 1.0 } else { 0.0 });
}

/// 1 for a configuration that is not good on disk, else 0.
fn is_degraded(status: &Status, name: &str) -> usize {
    let config = status.configs.get(name);
    usize::from(config.is_some_and(|config| matches!(config.state, ConfigState::Degraded(_))))
}

/// Since 1970, as Prometheus counts time.
fn seconds(at: SystemTime) -> f64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn describe() {
    describe_counter!(RELOADS, Unit::Count, "Reloads, by what came of them.");
    describe_gauge!(
        SUCCESSFUL,
        Unit::Count,
        "1, or 0 while the last reload of an engine was refused or rolled back."
    );
    describe_gauge!(SUCCESS_AT, Unit::Seconds, "When the last reload that succeeded was done, since 1970.");
    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "How long the stages of a reload took, and all of it (total)."
    );
    describe_gauge!(
        DEGRADED,
        Unit::Count,
        "Configurations that are not good on disk, and engines that cannot fully do their work."
    );
    describe_gauge!(WATCHED, Unit::Count, "Directories that the system watches.");
    describe_counter!(OVERFLOWS, Unit::Count, "How often the system's queue of notifications overflowed.");
    describe_counter!(HANDLER_FAILURES, Unit::Count, "Calls of handlers that failed.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_ends_takes_back_what_it_contributed() {
        let (mine, others) = (
            Share { degraded: 2, watched_dirs: 5, failing: 1 },
            Share { degraded: 1, watched_dirs: 7, failing: 0 },
        );
        let both = others.exchange(mine, Share::default());
        assert_eq!(both, Share { degraded: 3, watched_dirs: 12, failing: 1 });
        assert_eq!(both.exchange(Share::default(), mine), others);
    }

    #[test]
    fn a_time_before_1970_is_none_that_a_clock_tells() {
        assert_eq!(seconds(SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1500)), 1.5);
        assert_eq!(seconds(SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1)), 0.0);
    }
}
