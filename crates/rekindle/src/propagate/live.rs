//! [`Live`]: the newest value, behind one atomic pointer.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use super::topic::Topic;
use crate::engine::EngineHandle;

/// What the handles of one topic share.
pub(crate) struct LiveCell<T> {
    value: ArcSwap<T>,
    /// Counts the swaps, so that a [`Cached`] reader need not touch the pointer.
    swaps: AtomicU64,
}

impl<T> LiveCell<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: ArcSwap::from_pointee(value), swaps: AtomicU64::new(0) }
    }

    pub(crate) fn store(&self, value: T) {
        self.value.store(Arc::new(value));
        self.swaps.fetch_add(1, Ordering::Release);
    }
}

/// A handle to the newest good value of a configuration: cheap to clone, lock-free to read.
///
/// It keeps the engine running, as a stream does. After a shutdown it keeps the last value.
///
/// ```
/// # use rekindle::{prelude::*, testing::create_test_workspace_with_structure};
/// # #[derive(serde::Deserialize, Clone)]
/// # struct App { port: u16 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let (_dir, ws) = create_test_workspace_with_structure();
/// # std::fs::write(ws.config_dir().join("app.toml"), "port = 80")?;
/// let live = ws.watch_config_changes::<App>("app").await?.live();
/// assert_eq!(live.load().port, 80);
/// # Ok(())
/// # }
/// ```
pub struct Live<T> {
    cell: Arc<LiveCell<T>>,
    /// Keeps the engine running, and the topic among those that it serves.
    keep: (Arc<EngineHandle>, Arc<dyn Topic>),
}

impl<T> Live<T> {
    pub(crate) fn new(cell: Arc<LiveCell<T>>, engine: Arc<EngineHandle>, topic: Arc<dyn Topic>) -> Self {
        Self { cell, keep: (engine, topic) }
    }

    /// The newest value, without a lock. Hold the result no longer than you need: while it lives,
    /// the value it shows does not change and is not freed.
    #[inline]
    pub fn load(&self) -> LiveRef<T> {
        LiveRef(self.cell.value.load())
    }

    /// The newest value as an `Arc`, for keeping.
    pub fn load_full(&self) -> Arc<T> {
        self.cell.value.load_full()
    }

    /// Whether two handles always show the same value, being handles to the same configuration.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.cell, &other.cell)
    }

    /// A reader of one thread that looks at the pointer only after a change: the fastest read there is.
    pub fn cached(&self) -> Cached<T> {
        let swaps = self.cell.swaps.load(Ordering::Acquire);
        Cached { live: self.clone(), value: self.load_full(), swaps }
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self { cell: Arc::clone(&self.cell), keep: self.keep.clone() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Live").field(&*self.load()).finish()
    }
}

/// A borrowed newest value, from [`Live::load`].
pub struct LiveRef<T>(arc_swap::Guard<Arc<T>>);

impl<T> Deref for LiveRef<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for LiveRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A reader that keeps the value and looks anew only after a change. From [`Live::cached`].
pub struct Cached<T> {
    live: Live<T>,
    value: Arc<T>,
    swaps: u64,
}

impl<T> Cached<T> {
    /// The newest value.
    #[inline]
    pub fn load(&mut self) -> &T {
        let swaps = self.live.cell.swaps.load(Ordering::Acquire);
        if swaps != self.swaps {
            self.swaps = swaps;
            self.value = self.live.load_full();
        }
        &self.value
    }
}

impl<T> Clone for Cached<T> {
    fn clone(&self) -> Self {
        Self { live: self.live.clone(), value: Arc::clone(&self.value), swaps: self.swaps }
    }
}

impl<T: fmt::Debug> fmt::Debug for Cached<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cached").field(&self.value).finish()
    }
}
