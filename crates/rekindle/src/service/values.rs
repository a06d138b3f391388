//! [`Values`]: what a pool or a worker follows.

use std::future::Future;

use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::propagate::{ConfigStream, Selected};

/// Values one after the other, of which there is one at any time: a [`ConfigStream`], a part of one
/// ([`ConfigStream::select`]), or the receiver of a `watch` channel.
pub trait Values: Send + 'static {
    /// What they are.
    type Value: Send + 'static;

    /// The value last taken, or the one it began with.
    fn current(&self) -> Self::Value;

    /// Waits for a newer one, and skips to the newest; `None` when there will be no more. It has to be
    /// cancel safe: a value is taken only in the moment it is returned.
    fn next(&mut self) -> impl Future<Output = Option<Self::Value>> + Send;
}

impl<T: DeserializeOwned + Send + Clone + 'static> Values for ConfigStream<T> {
    type Value = T;

    fn current(&self) -> T {
        self.current().clone()
    }

    async fn next(&mut self) -> Option<T> {
        self.next().await
    }
}

impl<T, U> Values for Selected<T, U>
where
    T: DeserializeOwned + Send + Clone + 'static,
    U: PartialEq + Clone + Send + 'static,
{
    type Value = U;

    fn current(&self) -> U {
        self.current().clone()
    }

    async fn next(&mut self) -> Option<U> {
        self.next().await
    }
}

impl<T: Clone + Send + Sync + 'static> Values for watch::Receiver<T> {
    type Value = T;

    fn current(&self) -> T {
        self.borrow().clone()
    }

    async fn next(&mut self) -> Option<T> {
        self.changed().await.ok()?;
        Some(self.borrow_and_update().clone())
    }
}
