//! Services that are replaced while they work, on real files.

#![allow(clippy::disallowed_methods, reason = "tests write files as anybody would")]

mod draining;
mod kit;
mod lines;
#[cfg(feature = "log-filter")]
mod log_filter;
mod pool;
mod state;
mod supervising;
mod vetoes;
mod worker;
