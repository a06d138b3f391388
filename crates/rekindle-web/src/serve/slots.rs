//! How many there are at a time: connections, which wait for room, and requests, which are turned away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// Connections that are open.
#[derive(Clone)]
pub(super) struct Slots(watch::Sender<usize>);

/// A connection that is open, until it is dropped.
pub(super) struct Slot(Slots);

impl Default for Slots {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Slots {
    /// Takes one, whether there is room or not.
    pub(super) fn take(&self) -> Slot {
        self.0.send_modify(|open| *open += 1);
        Slot(self.clone())
    }

    pub(super) fn open(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until fewer are open than the limit of that moment.
    pub(super) async fn room(&self, limit: impl Fn() -> usize) {
        let mut open = self.0.subscribe();
        // Its other end is in `self`.
        let _room = open.wait_for(|open| *open < limit()).await;
    }

    /// The limit may be another one.
    pub(super) fn look_again(&self) {
        self.0.send_modify(|_| {});
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.0.send_modify(|open| *open -= 1);
    }
}

/// Requests under way.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<AtomicUsize>);

/// A request under way, until it is dropped: also when its client goes away.
pub(super) struct Place(Places);

impl Places {
    /// A place; `None` when as many are taken as may be.
    pub(super) fn take(&self, limit: Option<usize>) -> Option<Place> {
        let limit = limit.unwrap_or(usize::MAX);
        let one_more = |taken| (taken < limit).then_some(taken + 1);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).ok()?;
        Some(Place(self.clone()))
    }

    pub(super) fn taken(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}
