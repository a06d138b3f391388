//! [`Traffic`]: what a connection knows of its requests.

use std::sync::Arc;
use std::time::Duration;

use http::Version;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

/// The requests of one connection.
pub(super) struct Traffic(watch::Sender<Requests>);

#[derive(Clone, Copy)]
struct Requests {
    begun: u64,
    under_way: usize,
    http2: bool,
    /// When one began or ended.
    last: Instant,
}

/// A request under way, until its answer has left or is dropped.
pub(super) struct UnderWay(Arc<Traffic>);

impl Default for Traffic {
    fn default() -> Self {
        let none = Requests { begun: 0, under_way: 0, http2: false, last: Instant::now() };
        Self(watch::Sender::new(none))
    }
}

impl Traffic {
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> UnderWay {
        self.0.send_modify(|requests| {
            requests.begun += 1;
            requests.under_way += 1;
            requests.http2 = version == Version::HTTP_2;
            requests.last = Instant::now();
        });
        UnderWay(Arc::clone(self))
    }

    /// Waits until there has been no request for so long.
    pub(super) async fn until_idle_for(&self, limit: Duration) {
        loop {
            // Looked at when it could be, and not at each request: those shall not pay for it.
            let Requests { under_way, last, .. } = *self.0.borrow();
            let since = if under_way == 0 { last } else { Instant::now() };
            if under_way == 0 && since.elapsed() >= limit {
                return;
            }
            sleep_until(since + limit).await;
        }
    }

    /// Waits from now on until there has been no request for so long, over HTTP/1.1: over HTTP/2 what is under
    /// way may be no request any more.
    pub(super) async fn until_stalled_for(&self, limit: Duration) {
        loop {
            sleep(limit).await;
            let Requests { under_way, last, http2, .. } = *self.0.borrow();
            if under_way == 0 && !http2 && last.elapsed() >= limit {
                return;
            }
        }
    }

    /// Waits until a request has begun.
    pub(super) async fn until_first(&self) {
        self.until(|requests| requests.begun > 0).await;
    }

    /// Waits until a request has begun over HTTP/2.
    pub(super) async fn until_http2(&self) {
        self.until(|requests| requests.http2).await;
    }

    async fn until(&self, reached: impl Fn(&Requests) -> bool) {
        let mut requests = self.0.subscribe();
        // Its other end is in `self`.
        let _reached = requests.wait_for(reached).await;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.send_modify(|requests| {
            requests.under_way -= 1;
            requests.last = Instant::now();
        });
    }
}
