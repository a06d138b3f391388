//! User code within its time.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::time::timeout_at;
use tracing::Instrument;

use crate::error::{Error, ErrorKind, Result, panic_text};

/// Far enough for anything, and no overflow where it is added to now.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The moment so far from now, by the clock of the runtime, which tests may stop.
pub(super) fn after(limit: Duration) -> Instant {
    (tokio::time::Instant::now() + limit.min(LONGEST)).into_std()
}

/// The runtime that is current.
///
/// # Errors
///
/// [`ErrorKind::Other`] where there is none.
pub(super) fn runtime(who: &str) -> Result<Handle> {
    let none = |cause| Error::new(ErrorKind::Other, format!("{who} needs a Tokio runtime")).because(cause);
    Handle::try_current().map_err(none)
}

/// Runs user code on a task of its own: it may panic, and hang, and even block its thread.
///
/// # Errors
///
/// [`ErrorKind::Timeout`] once it is `until`, and the call is dropped as soon as it lets go of its thread;
/// [`ErrorKind::Panic`]; [`ErrorKind::Stopped`] when the runtime is shut down.
pub(super) async fn bounded<T, F>(call: F, until: Option<Instant>) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut call = AbortOnDrop(tokio::spawn(call.in_current_span()));
    let ended = match until {
        Some(until) => timeout_at(until.into(), &mut call.0).await,
        None => Ok((&mut call.0).await),
    };
    match ended {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(end)) if end.is_panic() => {
            let said = panic_text(&*end.into_panic());
            Err(Error::new(ErrorKind::Panic, format!("it panicked: {said}")))
        }
        Ok(Err(_)) => Err(Error::new(ErrorKind::Stopped, "the runtime has been shut down")),
        Err(_) => Err(Error::new(ErrorKind::Timeout, "it took too long")),
    }
}

/// A task that nobody waits for any more is dropped.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
