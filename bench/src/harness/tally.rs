//! Who has been told of a change, and when: the first of them and the last.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Result;
use super::stats::millis;

/// A change that has not reached all after this long never will.
const NEVER: Duration = Duration::from_secs(10);

/// Counts those that have been told of a change.
#[derive(Debug)]
pub(crate) struct Tally {
    began: Instant,
    told: AtomicU64,
    /// Nanoseconds since `began`.
    first: AtomicU64,
    last: AtomicU64,
    /// How many changes there were.
    change: AtomicU64,
    /// How many are there to be told.
    present: AtomicU64,
}

impl Tally {
    pub(crate) fn new() -> Self {
        let [told, first, last, change, present] = [0, u64::MAX, 0, 0, 0].map(AtomicU64::new);
        Self { began: Instant::now(), told, first, last, change, present }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// One more of them has been told.
    pub(crate) fn told(&self) {
        let now = self.now();
        self.first.fetch_min(now, Ordering::Relaxed);
        self.last.fetch_max(now, Ordering::Relaxed);
        self.told.fetch_add(1, Ordering::Release);
    }

    /// As `told`, by one who may hear of a change more than once: `last` is the one it has heard of.
    pub(crate) fn told_once(&self, last: &mut u64) {
        let change = self.change.load(Ordering::Acquire);
        if *last != change {
            *last = change;
            self.told();
        }
    }

    /// One more is there to be told.
    pub(crate) fn came(&self) {
        self.present.fetch_add(1, Ordering::Release);
    }

    /// One of them is no longer there.
    pub(crate) fn went(&self) {
        self.present.fetch_sub(1, Ordering::Release);
    }

    /// Waits until so many are there.
    pub(crate) fn assemble(&self, count: u64) -> Result<()> {
        reach(&self.present, count).map_err(|there| format!("{there} of {count} were there").into())
    }

    /// The next change: nobody has been told. Gives when that was.
    pub(crate) fn begin(&self) -> u64 {
        self.first.store(u64::MAX, Ordering::Relaxed);
        self.last.store(0, Ordering::Relaxed);
        self.told.store(0, Ordering::Release);
        self.change.fetch_add(1, Ordering::Release);
        self.now()
    }

    /// Waits until so many have been told; gives the milliseconds from `began` to the first and to the last.
    pub(crate) fn wait(&self, count: u64, began: u64) -> Result<(f64, f64)> {
        reach(&self.told, count).map_err(|told| format!("{told} of {count} were told"))?;
        let since =
            |at: &AtomicU64| millis(Duration::from_nanos(at.load(Ordering::Relaxed).saturating_sub(began)));
        Ok((since(&self.first), since(&self.last)))
    }
}

/// Waits until a counter is there; or says how far it came.
fn reach(counter: &AtomicU64, count: u64) -> std::result::Result<(), u64> {
    let entered = Instant::now();
    while counter.load(Ordering::Acquire) < count {
        if entered.elapsed() > NEVER {
            return Err(counter.load(Ordering::Acquire));
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}
