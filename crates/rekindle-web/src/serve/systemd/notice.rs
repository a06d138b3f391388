//! What a service manager is told, in the protocol of `sd_notify(3)`.

use std::io;
use std::time::Duration;

#[cfg(unix)]
use sd_notify::NotifyState;

/// What a service manager is told.
#[cfg_attr(not(unix), allow(dead_code))] // there is none to tell
#[derive(Debug)]
pub(super) enum Notice {
    /// The program is ready, with a line on how it is.
    Ready(String),
    /// It was reloaded. It is ready again as soon as it says so.
    Reloading {
        /// How long ago that was begun.
        ago: Duration,
    },
    /// It is alive.
    Alive,
    /// It is stopping.
    Stopping,
}

/// Whether there is somebody to tell.
pub(super) fn is_wanted() -> bool {
    cfg!(unix) && std::env::var_os("NOTIFY_SOCKET").is_some_and(|place| !place.is_empty())
}

/// Tells it. That is a datagram to a process of this machine, and takes no time worth a thread.
#[cfg(unix)]
pub(super) fn send(notice: &Notice) -> io::Result<()> {
    match notice {
        Notice::Ready(line) => sd_notify::notify(&[NotifyState::Ready, NotifyState::Status(line)]),
        Notice::Reloading { ago } => sd_notify::notify(&[NotifyState::Reloading, clock(*ago)?]),
        Notice::Alive => sd_notify::notify(&[NotifyState::Watchdog]),
        Notice::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
    }
}

#[cfg(not(unix))]
pub(super) fn send(_notice: &Notice) -> io::Result<()> {
    Ok(())
}

/// The manager's clock, some time ago.
#[cfg(unix)]
fn clock(ago: Duration) -> io::Result<NotifyState<'static>> {
    let now = NotifyState::monotonic_usec_now()?;
    Ok(match now {
        NotifyState::MonotonicUsec(now) => {
            let ago = i128::try_from(ago.as_micros()).unwrap_or(now);
            NotifyState::MonotonicUsec((now - ago).max(0))
        }
        other => other,
    })
}

/// How long the manager lets the program be silent, if it minds.
#[cfg(unix)]
pub(super) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|allowed| !allowed.is_zero())
}

#[cfg(not(unix))]
pub(super) fn watchdog() -> Option<Duration> {
    None
}
