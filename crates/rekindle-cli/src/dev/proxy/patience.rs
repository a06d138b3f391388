//! [`Patience`]: a server that is away in, the news that it is back out, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::Upstream;

/// How often it is asked whether it listens again.
const INTERVAL: Duration = Duration::from_millis(250);

/// Waits for a server that is away: one task, however many requests have found it so.
#[derive(Debug, Clone, Default)]
pub(in crate::dev) struct Patience(Arc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    is_waiting: AtomicBool,
    back: Notify,
}

impl Patience {
    /// Begins to wait, unless somebody does.
    pub(super) fn wait_for(&self, upstream: &Upstream) {
        if self.0.is_waiting.swap(true, Ordering::AcqRel) {
            return;
        }
        let (waiting, address) = (Arc::clone(&self.0), upstream.address());
        tokio::spawn(async move {
            listens(&address).await;
            waiting.is_waiting.store(false, Ordering::Release);
            waiting.back.notify_one();
        });
    }

    /// Resolves when a server that was away is back.
    ///
    /// # Cancel safety
    ///
    /// Cancelling it loses nothing: the next call resolves at once.
    pub(in crate::dev) async fn is_back(&self) {
        self.0.back.notified().await;
    }
}

async fn listens(address: &str) {
    while !matches!(timeout(INTERVAL * 8, TcpStream::connect(address)).await, Ok(Ok(_))) {
        sleep(INTERVAL).await;
    }
}
