//! [`Systemd`]: the service manager is told how the program is.

mod line;
mod notice;

#[cfg(all(test, unix))]
mod tests;

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rekindle::{Error, ErrorKind, HotReloadManager, Receipt, Trigger};
use tokio::runtime::Handle;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior, interval};

use notice::Notice;

/// Tells systemd, or another service manager that speaks as it does, how the program is, for as long as it is kept:
///
/// - that it is ready, which a unit with `Type=notify` or `Type=notify-reload` waits for;
/// - of each reload, that it was begun and that it is done, whatever came of it. With `Type=notify-reload`
///   `systemctl reload` sends SIGHUP and waits for this answer, so
///   [`reload_on_sighup`](rekindle::HotReloadBuilder::reload_on_sighup) belongs to it;
/// - one line for `systemctl status`: the generation in use, and what is wrong on disk if anything is;
/// - that it is alive, twice as often as the unit asks for with `WatchdogSec=`: from the program's runtime, so
///   that a program whose runtime hangs is started anew;
/// - that it is stopping, when it is dropped.
///
/// Without a service manager (the variable `NOTIFY_SOCKET` is not set) it does nothing.
///
/// ```no_run
/// use rekindle::prelude::*;
/// use rekindle_web::serve::Systemd;
///
/// # async fn until_asked_to_stop() {}
/// # async fn run() -> rekindle::Result<()> {
/// let manager = HotReload::builder(".").reload_on_sighup(true).start().await?;
/// // … start to serve …
/// let systemd = Systemd::start(&manager)?;
/// until_asked_to_stop().await;
/// systemd.stopping();
/// // … finish what is under way …
/// manager.shutdown().await
/// # }
/// ```
///
/// `docs/systemd.md` has units that go with it.
#[must_use = "dropping it says that the program is stopping"]
pub struct Systemd {
    /// `None` without a service manager.
    follower: Option<JoinHandle<()>>,
}

impl Systemd {
    /// Says that the program is ready, and follows its reloads from now on.
    ///
    /// It keeps the engine alive, as any other manager of it does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when there is a service manager, and it cannot be told: it would wait in vain.
    /// [`ErrorKind::Other`] outside of a tokio runtime.
    pub fn start(manager: &HotReloadManager) -> rekindle::Result<Self> {
        Self::start_with(manager, String::new)
    }

    /// As [`start`](Self::start), with something of the program's own in the line for `systemctl status`, such as
    /// "2 listeners". It is asked for after each reload, and must not block.
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start).
    pub fn start_with(
        manager: &HotReloadManager,
        remark: impl Fn() -> String + Send + Sync + 'static,
    ) -> rekindle::Result<Self> {
        if !notice::is_wanted() {
            return Ok(Self { follower: None });
        }
        let runtime = Handle::try_current().map_err(|cause| Error::from(cause.to_string()).because(cause))?;
        // From before the program is ready: the first reload may come right after that.
        let receipts = manager.receipts();
        let follower = Follower { manager: manager.clone(), remark: Box::new(remark) };
        notice::send(&Notice::Ready(follower.line())).map_err(untold)?;
        Ok(Self { follower: Some(runtime.spawn(follower.follow(receipts))) })
    }

    /// Says that the program is stopping: it serves no longer, and finishes what is under way. As a drop does.
    pub fn stopping(self) {}
}

impl Drop for Systemd {
    fn drop(&mut self) {
        if let Some(follower) = self.follower.take() {
            follower.abort();
            tell(&Notice::Stopping);
        }
    }
}

impl fmt::Debug for Systemd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Systemd").field("is_there", &self.follower.is_some()).finish()
    }
}

fn untold(cause: io::Error) -> Error {
    let message = format!("the service manager cannot be told that the program is ready: {cause}");
    Error::new(ErrorKind::Io, message).help("it listens where NOTIFY_SOCKET says").because(cause)
}

/// Tells the manager, for whom it is not important enough to end the program if it cannot be told.
fn tell(notice: &Notice) {
    if let Err(error) = notice::send(notice) {
        tracing::warn!(%error, ?notice, "the service manager could not be told");
    }
}

struct Follower {
    manager: HotReloadManager,
    remark: Box<dyn Fn() -> String + Send + Sync>,
}

impl Follower {
    async fn follow(self, mut receipts: Receiver<Receipt>) {
        let mut pulse = notice::watchdog().map(pulse);
        let mut is_running = true;
        loop {
            tokio::select! {
                received = receipts.recv(), if is_running => is_running = self.answer(received),
                () = beat(&mut pulse) => tell(&Notice::Alive),
                else => return,
            }
        }
    }

    /// Tells of a reload. Of receipts that were missed one may be the answer to a signal, which is waited for.
    /// `false` when no more will come.
    fn answer(&self, received: Result<Receipt, RecvError>) -> bool {
        match received {
            Ok(receipt) => tell(&Notice::Reloading { ago: begun(&receipt) }),
            Err(RecvError::Lagged(_)) => tell(&Notice::Reloading { ago: Duration::ZERO }),
            Err(RecvError::Closed) => return false,
        }
        tell(&Notice::Ready(self.line()));
        true
    }

    fn line(&self) -> String {
        line::line(&self.manager.status(), &asked(&self.remark))
    }
}

/// What the program remarks. Where that panics it is nothing: a reload is answered all the same.
fn asked(remark: &dyn Fn() -> String) -> String {
    catch_unwind(AssertUnwindSafe(remark)).unwrap_or_default()
}

/// How long ago a reload was begun, as the manager is told.
///
/// It takes one for the answer to its signal only if that was begun after it. What a signal brought about was, and
/// says so even if it took in a file that had been noticed before. What a file brought about says the truth: the
/// answer is still to come then.
fn begun(receipt: &Receipt) -> Duration {
    if receipt.trigger == Trigger::Signal { Duration::ZERO } else { receipt.stages.total }
}

/// Half of the time that the manager allows, as it recommends.
fn pulse(allowed: Duration) -> Interval {
    let mut pulse = interval((allowed / 2).max(Duration::from_millis(1)));
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pulse
}

async fn beat(pulse: &mut Option<Interval>) {
    match pulse {
        Some(pulse) => drop(pulse.tick().await),
        None => std::future::pending().await,
    }
}
