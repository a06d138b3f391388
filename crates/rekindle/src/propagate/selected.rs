//! [`Selected`]: a part of a stream's values, told only when that part changes.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::stream::ConfigStream;

/// A part of a configuration's values: the one it has, and each one it gets that differs.
///
/// From [`ConfigStream::select`]. It ends when its stream does.
pub struct Selected<T, U> {
    stream: ConfigStream<T>,
    select: Box<dyn FnMut(&T) -> U + Send>,
    current: U,
}

/// Nothing in it is ever pinned.
impl<T, U> Unpin for Selected<T, U> {}

impl<T: DeserializeOwned + Send + Clone + 'static, U: PartialEq + Clone> Selected<T, U> {
    pub(super) fn new(stream: ConfigStream<T>, mut select: impl FnMut(&T) -> U + Send + 'static) -> Self {
        let current = select(stream.current());
        Self { stream, select: Box::new(select), current }
    }

    /// The part last taken with [`next`](Self::next), or the one it began with.
    pub fn current(&self) -> &U {
        &self.current
    }

    /// Waits until the part differs from [`current`](Self::current); `None` after a shutdown.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`ConfigStream::next`] is.
    pub async fn next(&mut self) -> Option<U> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<U>> {
        loop {
            let Some(value) = ready!(Pin::new(&mut self.stream).poll_next(context)) else {
                return Poll::Ready(None);
            };
            let part = (self.select)(&value);
            if part != self.current {
                self.current = part.clone();
                return Poll::Ready(Some(part));
            }
        }
    }
}

impl<T: DeserializeOwned + Send + Clone + 'static, U: PartialEq + Clone> Stream for Selected<T, U> {
    type Item = U;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<U>> {
        self.get_mut().poll(context)
    }
}

impl<T: fmt::Debug, U: fmt::Debug> fmt::Debug for Selected<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selected").field("current", &self.current).finish_non_exhaustive()
    }
}
