//! [`Cancel`]: the word to a job that it is to end.

use std::future::Future;

use tokio::sync::watch;

/// Tells a job of a [`Worker`](super::Worker) that it is to end. Its clones are told, too.
#[derive(Debug, Clone)]
pub struct Cancel(pub(super) watch::Receiver<bool>);

impl Cancel {
    /// Whether it is to end.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Waits until it is to end.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn cancelled(&self) {
        let mut told = self.0.clone();
        // An error says that whoever could cancel is gone.
        let _cancelled = told.wait_for(|cancelled| *cancelled).await;
    }

    /// Runs a future until it is done or the job is to end; `None` when it was dropped for that.
    pub async fn run_until_cancelled<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.cancelled() => None,
            done = work => Some(done),
        }
    }
}
