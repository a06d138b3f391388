//! [`Times`]: how long the last reloads took, stage by stage. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use super::facts::STAGES;

/// How many reloads are kept.
const KEPT: usize = 512;

/// How long the last reloads took.
#[derive(Debug, Default)]
pub(super) struct Times {
    reloads: VecDeque<[Duration; STAGES]>,
}

impl Times {
    /// Another reload.
    pub(super) fn add(&mut self, stages: [Duration; STAGES]) {
        if self.reloads.len() == KEPT {
            self.reloads.pop_front();
        }
        self.reloads.push_back(stages);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.reloads.len()
    }

    /// The last times of a stage, oldest first, in microseconds; what took any time at all is at least 1.
    pub(super) fn last(&self, stage: usize, number: usize) -> Vec<u64> {
        let skipped = self.reloads.len().saturating_sub(number);
        self.reloads.iter().skip(skipped).map(|reload| micros(reload[stage])).collect()
    }

    /// What this share of the reloads did not take longer than (nearest rank), of a stage. `None` before the first.
    pub(super) fn quantile(&self, stage: usize, percent: usize) -> Option<Duration> {
        let mut times: Vec<Duration> = self.reloads.iter().map(|reload| reload[stage]).collect();
        times.sort_unstable();
        let rank = (times.len() * percent).div_ceil(100).max(1);
        times.get(rank - 1).copied()
    }
}

/// How long ago, in the largest unit.
pub(super) fn age(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..86400 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86400),
    }
}

fn micros(time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    micros.max(u64::from(!time.is_zero()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: impl IntoIterator<Item = u64>) -> Times {
        let mut times = Times::default();
        for micros in micros {
            times.add([Duration::from_micros(micros); STAGES]);
        }
        times
    }

    #[test]
    fn quantiles_are_times_that_were_taken() {
        let quantile = |times: &Times, percent| times.quantile(0, percent).map(|time| time.as_micros());
        assert_eq!(quantile(&of([]), 50), None);
        assert_eq!((quantile(&of([7]), 50), quantile(&of([7]), 99)), (Some(7), Some(7)));
        let hundred = of((1..=100).rev());
        assert_eq!((quantile(&hundred, 50), quantile(&hundred, 99)), (Some(50), Some(99)));
    }

    #[test]
    fn ages_have_one_unit() {
        let ages = [0, 59, 60, 3599, 3600, 86_399, 86_400].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(ages, ["0 s", "59 s", "1 min", "59 min", "1 h", "23 h", "1 d"]);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let times = of(0..600);
        assert_eq!(times.len(), KEPT);
        assert_eq!(times.last(0, 3), [597, 598, 599]);
        assert_eq!(times.last(0, 1000).len(), KEPT);
    }

    #[test]
    fn what_took_next_to_no_time_is_seen_all_the_same() {
        let mut times = Times::default();
        times.add([Duration::from_nanos(3); STAGES]);
        times.add([Duration::ZERO; STAGES]);
        assert_eq!(times.last(0, 2), [1, 0]);
    }
}
