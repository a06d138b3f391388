//! [`Patience`]: a server that is away in, the news that it is back out, once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::Upstream;

/// How often it is asked whether it listens again.
const INTERVAL: Duration = Duration::from_millis(250);

/// For how long after a save of a source a restart is expected: it may have to be built first.
const BUILD: Duration = Duration::from_secs(120);

/// Waits for a server that is away: one task, however many requests have found it so.
#[derive(Debug, Clone, Default)]
pub(in crate::dev) struct Patience(Arc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    is_waiting: AtomicBool,
    back: Notify,
    look: Mutex<Option<JoinHandle<()>>>,
}

impl Patience {
    /// Waits until it listens, unless somebody waits already.
    pub(super) fn wait_for(&self, upstream: &Upstream) {
        if self.0.is_waiting.swap(true, Ordering::AcqRel) {
            return;
        }
        let (waiting, address) = (Arc::clone(&self.0), upstream.address());
        tokio::spawn(async move {
            while !listens(&address).await {
                sleep(INTERVAL).await;
            }
            waiting.is_waiting.store(false, Ordering::Release);
            waiting.back.notify_one();
        });
    }

    /// Looks whether it goes away for a while, and waits for it then. One look at a time, begun anew by each call.
    pub(super) fn expect_restart(&self, upstream: &Upstream) {
        let (patience, upstream) = (self.clone(), upstream.clone());
        let look = tokio::spawn(async move {
            let goes_away = async {
                while listens(&upstream.address()).await {
                    sleep(INTERVAL).await;
                }
            };
            if timeout(BUILD, goes_away).await.is_ok() {
                patience.wait_for(&upstream);
            }
        });
        let before = self.0.look.lock().unwrap_or_else(PoisonError::into_inner).replace(look);
        if let Some(before) = before {
            before.abort();
        }
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

/// Whether it takes a connection, which is then not used.
async fn listens(address: &str) -> bool {
    matches!(timeout(INTERVAL * 8, TcpStream::connect(address)).await, Ok(Ok(_)))
}
