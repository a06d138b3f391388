//! A place for one value: the newest that its reader has not taken yet.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// One reader's mailbox. No code of `T` runs while its lock is held.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    /// The version of the last value put in, or of what the reader started with.
    version: u64,
    closed: bool,
    waker: Option<Waker>,
}

impl<T> Mailbox<T> {
    /// An empty mailbox whose reader already knows `version`.
    pub(crate) fn new(version: u64) -> Self {
        Self { state: Mutex::new(State { value: None, version, closed: false, waker: None }) }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing here can panic between two writes, so a poisoned state is a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts in a value that replaces an untaken one; ignores what the reader has already.
    pub(crate) fn put(&self, value: T, version: u64) {
        let mut value = Some(value);
        let waker = {
            let mut state = self.lock();
            if version <= state.version {
                return;
            }
            state.version = version;
            std::mem::swap(&mut state.value, &mut value);
            state.waker.take()
        };
        drop(value); // outside the lock: dropping is the user's code
        wake(waker);
    }

    /// Lets the reader take what is there and then see the end.
    pub(crate) fn close(&self) {
        let waker = {
            let mut state = self.lock();
            state.closed = true;
            state.waker.take()
        };
        wake(waker);
    }

    /// Takes the newest value; `None` once closed and empty.
    pub(crate) fn poll_take(&self, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.lock();
        if let Some(value) = state.value.take() {
            return Poll::Ready(Some(value));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take<T>(mailbox: &Mailbox<T>) -> Poll<Option<T>> {
        mailbox.poll_take(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_slow_reader_gets_the_newest() {
        let mailbox = Mailbox::new(1);
        assert_eq!(take(&mailbox), Poll::Pending);
        mailbox.put("a", 2);
        mailbox.put("b", 3);
        assert_eq!(take(&mailbox), Poll::Ready(Some("b")));
        assert_eq!(take(&mailbox), Poll::Pending);
    }

    #[test]
    fn what_the_reader_has_is_not_told_again() {
        let mailbox = Mailbox::new(5);
        mailbox.put("old", 4);
        mailbox.put("same", 5);
        assert_eq!(take(&mailbox), Poll::Pending);
    }

    #[test]
    fn the_last_value_comes_before_the_end() {
        let mailbox = Mailbox::new(0);
        mailbox.put("last", 1);
        mailbox.close();
        assert_eq!(take(&mailbox), Poll::Ready(Some("last")));
        assert_eq!(take(&mailbox), Poll::Ready(None));
    }
}
