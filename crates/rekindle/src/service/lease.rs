//! [`Lease`]: a value of a pool in use.

use std::fmt;
use std::future::pending;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use tokio::sync::watch;
use tokio::time::sleep_until;

/// A value, and what is known of it. The value is dropped before its `deadline`, whose receivers
/// thereby learn that it is gone.
pub(super) struct Held<T> {
    value: T,
    pub(super) generation: u64,
    /// By when its users are to be done with it, once it has been replaced.
    pub(super) deadline: watch::Sender<Option<Instant>>,
    /// How many of its uses were cut off. It outlives the value.
    pub(super) cuts: Arc<AtomicUsize>,
}

impl<T> Held<T> {
    pub(super) fn new(value: T, generation: u64) -> Self {
        Self { value, generation, deadline: watch::Sender::new(None), cuts: Arc::default() }
    }
}

/// Waits until a value has been replaced, and gives its deadline. A value that is gone has none.
pub(super) async fn replaced(mut deadline: watch::Receiver<Option<Instant>>) -> Instant {
    match deadline.wait_for(Option::is_some).await.map(|known| *known) {
        Ok(Some(deadline)) => deadline,
        Ok(None) | Err(_) => pending().await,
    }
}

/// Waits until a value's deadline has passed.
pub(super) async fn expired(deadline: watch::Receiver<Option<Instant>>) {
    sleep_until(replaced(deadline).await.into()).await;
}

/// A value of a [`Pool`](super::Pool) in use. It stays what it is until it is given back, by its drop; so
/// does the value, also when the pool has a newer one.
///
/// Nobody can take a value from those who hold it. A long use should therefore end when it
/// [expires](Self::expired), or be [run](super::Pool::run) by the pool.
pub struct Lease<T>(pub(super) Arc<Held<T>>);

impl<T> Lease<T> {
    /// Which of the pool's values it is, counted from 1.
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// Waits until the pool has a newer value, and gives the moment by which this one is to be given
    /// back. It never completes while this is the newest.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn replaced(&self) -> Instant {
        replaced(self.0.deadline.subscribe()).await
    }

    /// Waits until this value was to be given back. It never completes while this is the newest.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn expired(&self) {
        expired(self.0.deadline.subscribe()).await;
    }
}

impl<T> Clone for Lease<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Lease<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Lease<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.0.value).finish()
    }
}
