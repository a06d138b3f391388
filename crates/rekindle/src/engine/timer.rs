//! A timer as exact as the kernel's. Tokio's counts whole milliseconds, and rounds up: a quiet of
//! 2 ms would take 3.

use std::io;
use std::time::Instant;

#[cfg(target_os = "linux")]
pub(super) use linux::Timer;
#[cfg(not(target_os = "linux"))]
pub(super) use portable::Timer;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    use super::{Instant, io};

    /// One timer, for one waiter at a time.
    #[derive(Debug)]
    pub(in super::super) struct Timer {
        fd: AsyncFd<OwnedFd>,
    }

    impl Timer {
        /// A timer on the runtime that is current.
        pub(in super::super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            #[allow(
                deprecated,
                reason = "deprecated for types that lie about their descriptor; an OwnedFd cannot"
            )]
            AsyncFd::with_interest(fd, Interest::READABLE).map(|fd| Self { fd })
        }

        /// Resolves at `deadline`, or at once if that is past. Cancel safe.
        pub(in super::super) async fn at(&self, deadline: Instant) {
            let Some(wait) = deadline.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero())
            else {
                return;
            };
            let it_value = Timespec::try_from(wait).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
            let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
            if timerfd_settime(&self.fd, TimerfdTimerFlags::empty(), &once).is_err() {
                return tokio::time::sleep_until(deadline.into()).await;
            }
            while let Ok(mut guard) = self.fd.readable().await {
                guard.clear_ready();
                // Readiness may be left over from an earlier deadline; only an expiry can be read.
                if rustix::io::read(&self.fd, &mut [0; 8]).is_ok() {
                    return;
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use super::{Instant, io};

    /// Tokio's own timer.
    #[derive(Debug)]
    pub(in super::super) struct Timer;

    impl Timer {
        pub(in super::super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(in super::super) async fn at(&self, deadline: Instant) {
            tokio::time::sleep_until(deadline.into()).await;
        }
    }
}
