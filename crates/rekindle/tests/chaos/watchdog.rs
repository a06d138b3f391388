//! The watchdog: ends a run in which nothing goes on any more, and says what everybody waits for.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rekindle::HotReloadManager;

use crate::handlers::lock;

/// How long anything may take before it counts as waiting for ever. Generous, for a loaded machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What is being done, and since when.
#[derive(Debug, Clone)]
pub(crate) struct Watchdog {
    doing: Arc<Mutex<Option<(String, Instant)>>>,
    manager: HotReloadManager,
}

impl Watchdog {
    /// Watches from a thread of its own: the runtime may be what hangs.
    pub(crate) fn start(manager: &HotReloadManager) -> Self {
        let watchdog = Self { doing: Arc::default(), manager: manager.clone() };
        let this = watchdog.clone();
        thread::spawn(move || {
            while !this.is_over() {
                thread::park_timeout(Duration::from_secs(1));
            }
        });
        watchdog.now("starting");
        watchdog
    }

    /// Something else is being done now.
    pub(crate) fn now(&self, what: impl Into<String>) {
        *lock(&self.doing) = Some((what.into(), Instant::now()));
    }

    /// All is done.
    pub(crate) fn end(&self) {
        *lock(&self.doing) = None;
    }

    /// Waits for something of the engine's, not for ever.
    pub(crate) async fn soon<T>(&self, what: &str, future: impl Future<Output = T>) -> T {
        self.now(what);
        let waited = tokio::time::timeout(LIMIT, future).await;
        waited.unwrap_or_else(|_| panic!("waited in vain for {what}: {:#?}", self.manager.status()))
    }

    fn is_over(&self) -> bool {
        let Some((what, since)) = lock(&self.doing).clone() else { return true };
        if since.elapsed() > LIMIT * 3 {
            eprintln!("nothing goes on any more: {what}, since {:?}", since.elapsed());
            eprintln!("the engine: {:#?}", self.manager.status());
            std::process::abort();
        }
        false
    }
}
