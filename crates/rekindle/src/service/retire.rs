//! How one that was replaced comes to its end: drained, stopped, its state handed over, and told of.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::contract::{Running, Service};
use super::core::Core;
use super::instance::Instance;
use super::limits::{after, bounded};
use super::retirement::Retirement;
use crate::error::{Error, ErrorKind};
use crate::observe;

/// How long after its deadline a drain is cut off, so that one which keeps the deadline itself never is.
const GRACE: Duration = Duration::from_millis(50);

/// Counts one that is being retired, until it is or the runtime is shut down.
struct Counted(watch::Sender<usize>);

impl Counted {
    fn new(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl<S: Service> Core<S> {
    /// Retires one that serves no more, in the background.
    pub(super) fn retire(self: &Arc<Self>, old: Arc<Instance<S::Running>>) -> JoinHandle<Retirement> {
        let (core, counted) = (Arc::clone(self), Counted::new(&self.retiring));
        self.runtime.spawn(async move {
            let retirement = core.see_off(old).await;
            observe::retired(&retirement);
            drop(counted);
            // Fails when nobody listens, which is their choice.
            let _nobody_listens = core.retirements.send(retirement.clone());
            retirement
        })
    }

    async fn see_off(self: &Arc<Self>, old: Arc<Instance<S::Running>>) -> Retirement {
        let begun = Instant::now();
        let deadline = after(self.blueprint.drain_within);
        let drained = bounded(Arc::clone(&old).drain(deadline), Some(deadline + GRACE)).await;
        // Before its state goes to another: from here on nothing of it is at work.
        old.stop();
        let (error, cut) = match drained {
            Ok(None) => (None, false),
            Ok(Some(state)) => (self.give(state).await, false),
            Err(error) if error.kind() == ErrorKind::Timeout => (Some(self.overrun()), true),
            Err(error) => (Some(error), false),
        };
        Retirement {
            name: self.blueprint.name.clone(),
            generation: old.generation(),
            took: begun.elapsed(),
            cut,
            holders: Arc::strong_count(&old.running) - 1,
            error,
        }
    }

    fn overrun(&self) -> Error {
        let message = format!("it was not drained within {:?}", self.blueprint.drain_within);
        Error::new(ErrorKind::Timeout, message)
    }

    /// Gives state to the one that serves. What went wrong, if anything did.
    async fn give(self: &Arc<Self>, state: S::State) -> Option<Error> {
        let core = Arc::clone(self);
        let given =
            bounded(async move { core.hand_over(state).await }, Some(after(self.blueprint.drain_within)));
        let told = |error: Error| {
            Error::new(error.kind(), format!("its state was not taken over: {}", error.message()))
        };
        given.await.err().map(told)
    }

    /// Gives state to the newest one; to nobody when that is going, too, and has no successor.
    async fn hand_over(&self, state: S::State) {
        loop {
            let heir = self.current.load_full();
            let adopts = heir.adopts.lock().await;
            if *adopts {
                heir.running.adopt(state).await;
                return;
            }
            if Arc::ptr_eq(&heir, &self.current.load()) {
                return;
            }
        }
    }
}
