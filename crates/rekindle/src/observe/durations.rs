//! [`Durations`]: how long the stages of reloads took, of all reloads since the start.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::engine::StageTimes;

/// What is longer counts as this long, but for the exact [`max`](StageDurations::max) and mean.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// How many digits of a percentile are exact.
const DIGITS: u8 = 2;

/// How long each stage of a reload took, of all reloads since the start: what a [`StageTimes`] is to one
/// reload, this is to all of them.
///
/// ```
/// # use rekindle::{prelude::*, testing::create_test_workspace_with_structure};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let (_dir, ws) = create_test_workspace_with_structure();
/// # std::fs::write(ws.config_dir().join("app.toml"), "port = 80")?;
/// let manager = ws.start_hot_reload().await?;
/// manager.reload_now().await?;
/// let total = manager.status().durations.total;
/// assert_eq!(total.count, 1);
/// assert!(total.p50 <= total.max);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Durations {
    /// From the notice of the finished write to the beginning of the work on it.
    pub settle: StageDurations,
    /// Reading, parsing and layering.
    pub load: StageDurations,
    /// Schema, decoding and checks.
    pub validate: StageDurations,
    /// Handlers getting ready, and the writing of an update.
    pub prepare: StageDurations,
    /// The swap and the handing on to readers.
    pub commit: StageDurations,
    /// Waiting for critical handlers.
    pub notify: StageDurations,
    /// All of it.
    pub total: StageDurations,
}

impl Durations {
    /// The stages in the order of [`StageTimes::NAMES`], with `total` as the last.
    pub fn all(&self) -> [StageDurations; 7] {
        [self.settle, self.load, self.validate, self.prepare, self.commit, self.notify, self.total]
    }
}

/// How long one stage took. All are 0 where no reload has come to it.
///
/// `p50`, `p90` and `p99` have two exact digits, of microseconds; the others are exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StageDurations {
    /// How many reloads came to this stage.
    pub count: u64,
    /// The median: half of them took no longer.
    pub p50: Duration,
    /// Nine of ten took no longer.
    pub p90: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
    /// The average.
    pub mean: Duration,
}

/// A histogram for each stage. They grow with the longest duration seen: to 4 KiB each for 10 ms, to
/// 13 KiB for an hour, and no further.
#[derive(Debug, Default)]
pub(super) struct Histograms([Stage; 7]);

impl Histograms {
    /// Counts a reload. A stage that it did not come to took no time, and is left out.
    pub(super) fn record(&mut self, times: &StageTimes) {
        let stages = self.0.iter_mut().zip(times.all());
        stages.filter(|(_, took)| !took.is_zero()).for_each(|(stage, took)| stage.record(took));
    }

    /// What there is to say of them.
    pub(super) fn summary(&self) -> Durations {
        let [settle, load, validate, prepare, commit, notify, total] = self.0.each_ref().map(Stage::summary);
        Durations { settle, load, validate, prepare, commit, notify, total }
    }
}

/// The histogram of one stage, in microseconds, and what it would know only roughly.
#[derive(Debug, Default)]
struct Stage {
    /// Made when the first reload comes to this stage.
    histogram: Option<Histogram<u32>>,
    count: u64,
    sum: Duration,
    max: Duration,
}

impl Stage {
    fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.min(LONGEST).as_micros()).unwrap_or(u64::MAX);
        if self.histogram.is_none() {
            self.histogram = Histogram::new(DIGITS).ok();
        }
        if let Some(histogram) = &mut self.histogram {
            // It grows by itself, and an hour is no number that it could not count up to.
            let _fits = histogram.record(micros);
        }
        self.count += 1;
        self.sum = self.sum.saturating_add(took);
        self.max = self.max.max(took);
    }

    fn summary(&self) -> StageDurations {
        let Some(histogram) = &self.histogram else { return StageDurations::default() };
        let at = |quantile| Duration::from_micros(histogram.value_at_quantile(quantile)).min(self.max);
        let mean = self.sum.as_secs_f64() / self.count as f64;
        StageDurations {
            count: self.count,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            max: self.max,
            mean: Duration::try_from_secs_f64(mean).unwrap_or(self.max).min(self.max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(times: impl IntoIterator<Item = u64>) -> Durations {
        let mut histograms = Histograms::default();
        for time in times {
            let total = Duration::from_millis(time);
            histograms.record(&StageTimes { total, ..StageTimes::default() });
        }
        histograms.summary()
    }

    fn is_about(found: Duration, expected: u64) -> bool {
        found.as_secs_f64().mul_add(1000.0, -(expected as f64)).abs() <= expected as f64 / 100.0
    }

    #[test]
    fn percentiles_have_two_digits_and_the_rest_is_exact() {
        let total = millis(1..=1000).total;
        assert_eq!((total.count, total.max), (1000, Duration::from_secs(1)));
        assert_eq!(total.mean, Duration::from_micros(500_500));
        assert!(
            is_about(total.p50, 500) && is_about(total.p90, 900) && is_about(total.p99, 990),
            "{total:?}"
        );
    }

    #[test]
    fn a_stage_that_was_not_come_to_is_not_counted() {
        let durations = millis([5]);
        assert_eq!(durations.total.count, 1);
        let others = &durations.all()[..6];
        assert!(others.iter().all(|stage| *stage == StageDurations::default()), "{others:?}");
    }

    #[test]
    fn no_percentile_is_above_the_maximum() {
        for time in [1, 7, 999, 1001, 123_457, 4_000_000, u64::MAX / 1_000_000_000] {
            let total = millis([time]).total;
            assert_eq!(total.max, Duration::from_millis(time));
            assert!(total.p50 <= total.p99 && total.p99 <= total.max && total.mean <= total.max, "{total:?}");
        }
    }

    #[test]
    fn the_histograms_stay_small_whatever_is_recorded() {
        let mut histograms = Histograms::default();
        let values = |stage: &Stage| stage.histogram.as_ref().map_or(0, Histogram::distinct_values);
        let bytes = |stage: &Stage| values(stage) * size_of::<u32>();
        for (took, most) in [(Duration::from_millis(10), 4096), (Duration::MAX, 13_500)] {
            let all = StageTimes {
                settle: took,
                load: took,
                validate: took,
                prepare: took,
                commit: took,
                notify: took,
                total: took,
            };
            (0..1000).for_each(|_| histograms.record(&all));
            let sizes = histograms.0.each_ref().map(bytes);
            assert!(sizes.iter().all(|size| *size <= most), "{sizes:?} bytes for {took:?}");
        }
    }
}
