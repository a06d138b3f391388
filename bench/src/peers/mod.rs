//! Who is measured: rekindle, what is written by hand without it, and the libraries that do a part of it.

#[cfg(target_os = "linux")]
pub(crate) mod inotify;
#[cfg(not(target_os = "linux"))]
#[path = "no_inotify.rs"]
pub(crate) mod inotify;
pub(crate) mod reloaders;
pub(crate) mod watchers;

use tokio::runtime::{Builder, Runtime};

use crate::harness::Result;

/// The program's runtime: one worker, which is idle unless something is called on it.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(1).enable_all().build()?)
}
