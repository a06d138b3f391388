//! [`Instance`]: one that was built, and what is known of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use serde_json::Value;
use tokio::sync::Mutex;

use super::contract::Running;
use crate::error::{Error, ErrorKind, Result, panic_text};

/// One that was built. It is stopped exactly once, with its drop at the latest.
pub(super) struct Instance<R: Running> {
    pub(super) running: Arc<R>,
    /// The part of the configuration that it was built from.
    pub(super) part: Value,
    generation: AtomicU64,
    /// Whether it may be given state; held while it is. Not any more once it gives up its own.
    pub(super) adopts: Mutex<bool>,
    stopped: AtomicBool,
}

impl<R: Running> Instance<R> {
    pub(super) fn new(running: R, part: Value) -> Self {
        Self {
            running: Arc::new(running),
            part,
            generation: AtomicU64::new(0),
            adopts: Mutex::new(true),
            stopped: AtomicBool::new(false),
        }
    }

    /// The generation of values from which on it serves; 0 before it does.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn serves_from(&self, generation: u64) {
        self.generation.store(generation, Ordering::Release);
    }

    /// Tells it that it serves.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Panic`]: it serves all the same.
    pub(super) fn begin(&self) -> Result<()> {
        catch_unwind(AssertUnwindSafe(|| self.running.begin())).map_err(|panic| {
            Error::new(ErrorKind::Panic, format!("it panicked as it began: {}", panic_text(&*panic)))
        })
    }

    /// Drains it, once it has taken in all it is given.
    pub(super) async fn drain(self: Arc<Self>, deadline: Instant) -> Option<R::State> {
        *self.adopts.lock().await = false;
        self.running.drain(deadline).await
    }

    /// Stops it, if it is not yet.
    pub(super) fn stop(&self) {
        if self.stopped.swap(true, Ordering::AcqRel) {
            return;
        }
        // In a drop a second panic would end the process. The hook of the program has told of it.
        let _panicked = catch_unwind(AssertUnwindSafe(|| self.running.stop()));
    }
}

impl<R: Running> Drop for Instance<R> {
    fn drop(&mut self) {
        self.stop();
    }
}
