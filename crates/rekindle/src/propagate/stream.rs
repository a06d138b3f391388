//! [`ConfigStream`]: a configuration's values as they come.

use std::any::Any;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::de::DeserializeOwned;
use tokio::sync::broadcast;

use super::live::{Live, LiveCell};
use super::mailbox::Mailbox;
use super::selected::Selected;
use super::topic::{Topic, Typed};
use crate::engine::EngineHandle;

/// The values of one configuration: the one it has, and each one it gets.
///
/// A reader that is slower than the changes skips to the newest value. The stream ends only after
/// [`HotReloadManager::shutdown`](crate::HotReloadManager::shutdown); while it lives, the engine does.
///
/// ```
/// # use rekindle::{prelude::*, testing::create_test_workspace_with_structure};
/// # #[derive(serde::Deserialize, Clone)]
/// # struct App { port: u16 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let (_dir, ws) = create_test_workspace_with_structure();
/// # std::fs::write(ws.config_dir().join("app.toml"), "port = 80")?;
/// let mut apps = ws.watch_config_changes::<App>("app").await?;
/// assert_eq!(apps.current().port, 80);
///
/// std::fs::write(ws.config_dir().join("app.toml"), "port = 81")?;
/// assert_eq!(apps.next().await.expect("still running").port, 81);
/// assert_eq!(apps.current().port, 81);
/// # Ok(())
/// # }
/// ```
pub struct ConfigStream<T> {
    current: T,
    mailbox: Arc<Mailbox<T>>,
    topic: Arc<Typed<T>>,
    engine: Arc<EngineHandle>,
}

/// Nothing in it is ever pinned.
impl<T> Unpin for ConfigStream<T> {}

impl<T: DeserializeOwned + Send + Clone + 'static> ConfigStream<T> {
    pub(crate) fn new(
        current: T,
        mailbox: Arc<Mailbox<T>>,
        topic: Arc<Typed<T>>,
        engine: Arc<EngineHandle>,
    ) -> Self {
        Self { current, mailbox, topic, engine }
    }

    /// The value last taken with [`next`](Self::next), or the one the stream began with.
    ///
    /// For the newest value at any moment, whoever reads, use [`live`](Self::live).
    pub fn current(&self) -> &T {
        &self.current
    }

    /// Waits for a value newer than [`current`](Self::current); `None` after a shutdown.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a value is taken only in the moment it is returned, so `next` can stand in a
    /// `tokio::select!` loop without losing one.
    pub async fn next(&mut self) -> Option<T> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.mailbox.poll_take(context).map(|value| {
            let value = value?;
            self.current = value.clone();
            Some(value)
        })
    }

    /// A part of the values, told only when that part changes.
    ///
    /// ```
    /// # use rekindle::{prelude::*, testing::create_test_workspace_with_structure};
    /// # #[derive(serde::Deserialize, Clone)]
    /// # struct App { port: u16, greeting: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> rekindle::Result<()> {
    /// # let (_dir, ws) = create_test_workspace_with_structure();
    /// # std::fs::write(ws.config_dir().join("app.toml"), "port = 80\ngreeting = \"hello\"")?;
    /// let mut ports = ws.watch_config_changes::<App>("app").await?.select(|app| app.port);
    /// assert_eq!(*ports.current(), 80);
    /// std::fs::write(ws.config_dir().join("app.toml"), "port = 81\ngreeting = \"hello\"")?;
    /// assert_eq!(ports.next().await, Some(81));
    /// # Ok(())
    /// # }
    /// ```
    pub fn select<U, F>(self, part: F) -> Selected<T, U>
    where
        U: PartialEq + Clone,
        F: FnMut(&T) -> U + Send + 'static,
    {
        Selected::new(self, part)
    }

    /// A receiver of every value from now on, for handing to several tasks.
    ///
    /// It holds 16 values; a slower reader is told [`Lagged`](broadcast::error::RecvError::Lagged) and
    /// then goes on with the oldest that is left.
    pub fn subscribe(&self) -> broadcast::Receiver<T> {
        self.topic.receiver()
    }
}

impl<T: DeserializeOwned + Send + Sync + Clone + 'static> ConfigStream<T> {
    /// A handle that always shows the newest value. All handles of a configuration and type share one value.
    pub fn live(&self) -> Live<T> {
        loop {
            if let Some(cell) = self.topic.cell().and_then(|any| any.downcast::<LiveCell<T>>().ok()) {
                return Live::new(cell, Arc::clone(&self.engine), Arc::clone(&self.topic) as _);
            }
            // Decoded anew rather than copied from `current`, which may be older than what is in use.
            let picked = self.engine.committed().pick(self.topic.names());
            let decoded = self.topic.value(&|name| picked.find(name), self.engine.root());
            let value = decoded.ok().flatten().unwrap_or_else(|| self.current.clone());
            let cell = Arc::new(LiveCell::new(value));
            let any: Weak<dyn Any + Send + Sync> = Arc::downgrade(&cell) as _;
            let stored = Arc::downgrade(&cell);
            let store = Arc::new(move |value: T| {
                if let Some(cell) = stored.upgrade() {
                    cell.store(value);
                }
            });
            if self.topic.set_cell(picked.version, any, store) {
                return Live::new(cell, Arc::clone(&self.engine), Arc::clone(&self.topic) as _);
            }
        }
    }
}

impl<T: DeserializeOwned + Send + Clone + 'static> Stream for ConfigStream<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.get_mut().poll(context)
    }
}

impl<T: fmt::Debug> fmt::Debug for ConfigStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigStream").field("current", &self.current).field("topic", &self.topic).finish()
    }
}
