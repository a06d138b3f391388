//! Times into figures.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::Result;

/// Times of one case.
#[derive(Debug)]
pub(crate) struct Times(Histogram<u64>);

impl Times {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(Histogram::new(3)?))
    }

    pub(crate) fn record_ns(&mut self, nanoseconds: u64) -> Result<()> {
        Ok(self.0.record(nanoseconds)?)
    }

    /// Those that are given in milliseconds; what is below none is none.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped, and to be read by people"
    )]
    pub(crate) fn of_millis(all: &[f64]) -> Result<Self> {
        let mut times = Self::new()?;
        all.iter().try_for_each(|ms| times.record_ns((ms.max(0.0) * 1e6) as u64))?;
        Ok(times)
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// A quantile in milliseconds; `None` where nothing was recorded.
    pub(crate) fn ms(&self, quantile: f64) -> Option<f64> {
        let value = Duration::from_nanos(self.0.value_at_quantile(quantile));
        (!self.0.is_empty()).then(|| millis(value))
    }
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The middle one; of an even number, the lower. `None` of none.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

/// For figures that people read.
#[allow(clippy::cast_precision_loss, reason = "to be read by people")]
pub(crate) fn float(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}
