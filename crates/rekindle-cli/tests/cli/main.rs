//! The real binary on real directories.

mod check;
mod cluster;
mod control;
mod demo;
mod dev;
mod help;
mod new;
mod support;
#[cfg(unix)]
mod tui;
mod watch;
