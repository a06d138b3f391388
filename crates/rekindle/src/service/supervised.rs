//! [`Supervised`]: the handle of a service that is kept at its configuration.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::broadcast;

use super::contract::Service;
use super::core::Core;
use super::instance::Instance;
use super::retirement::Retirement;
use crate::error::{Error, ErrorKind, Result};
use crate::propagate::ConfigStream;

/// A service that is kept at its part of a configuration.
///
/// While it lives the engine does. When it is dropped the one that serves is drained in the background, and
/// nothing is followed any more; [`stop`](Self::stop) waits for that.
pub struct Supervised<S: Service> {
    pub(super) core: Arc<Core<S>>,
    /// Never read: while it is there the engine holds every change against the type of the part.
    pub(super) _stream: ConfigStream<S::Config>,
}

impl<S: Service> Supervised<S> {
    /// The one that serves, without a lock. Hold the result no longer than you need.
    #[inline]
    pub fn load(&self) -> RunningRef<S> {
        RunningRef(self.core.current.load())
    }

    /// The one that serves as an `Arc`, for keeping: for as long as a request takes, say. It is stopped
    /// all the same once it has been replaced and drained.
    pub fn load_full(&self) -> Arc<S::Running> {
        Arc::clone(&self.core.current.load().running)
    }

    /// The generation of values from which on the current one serves. It has [begun](super::Running::begin) by
    /// the time that this says so.
    pub fn generation(&self) -> u64 {
        self.core.begun.load(Ordering::Acquire)
    }

    /// How many were replaced and have not ended yet.
    pub fn retiring(&self) -> usize {
        *self.core.retiring.borrow()
    }

    /// What is told of each that was replaced, from now on.
    ///
    /// It holds 64; a slower reader is told [`Lagged`](broadcast::error::RecvError::Lagged).
    pub fn retirements(&self) -> broadcast::Receiver<Retirement> {
        self.core.retirements.subscribe()
    }

    /// Drains and stops the one that serves, and waits until all before it have ended, too.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Stopped`] when the runtime that the service was started on has been shut down.
    ///
    /// # Cancel safety
    ///
    /// Once it has begun, it is done whether or not it is waited for.
    pub async fn stop(self) -> Result<Retirement> {
        self.core.close();
        let retired = self.core.retire(self.core.current.load_full()).await;
        let mut retiring = self.core.retiring.subscribe();
        // Its other end is in `self`.
        let _all_done = retiring.wait_for(|count| *count == 0).await;
        retired.map_err(|_| Error::new(ErrorKind::Stopped, "the runtime has been shut down"))
    }
}

impl<S: Service> Drop for Supervised<S> {
    fn drop(&mut self) {
        if self.core.close() {
            self.core.retire(self.core.current.load_full());
        }
    }
}

impl<S: Service> fmt::Debug for Supervised<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervised")
            .field("name", &self.core.blueprint.name)
            .field("generation", &self.generation())
            .field("retiring", &self.retiring())
            .finish_non_exhaustive()
    }
}

/// The one that serves, from [`Supervised::load`].
pub struct RunningRef<S: Service>(arc_swap::Guard<Arc<Instance<S::Running>>>);

impl<S: Service> Deref for RunningRef<S> {
    type Target = S::Running;

    #[inline]
    fn deref(&self) -> &S::Running {
        &self.0.running
    }
}

impl<S: Service> fmt::Debug for RunningRef<S>
where
    S::Running: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
