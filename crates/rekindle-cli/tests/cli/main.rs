//! The real binary on real directories.

mod check;
mod control;
mod demo;
mod help;
mod support;
#[cfg(unix)]
mod tui;
mod watch;
