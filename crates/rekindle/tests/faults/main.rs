//! Faults of the world around: writers that are killed, disks that are full, limits that are reached,
//! rights that are taken away, clocks that run back, places that go and come, names and links of all kinds.
//!
//! What needs a limit, a mount or less rights than the caller has gets a process of its own, in
//! namespaces of its own: see [`rekindle_test::child`]. Nothing global is changed, and nothing is left behind.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "tests write files as anybody would")]

mod clock;
mod full_disk;
mod limits;
mod links;
mod names;
mod places;
mod rights;
mod stopped;
mod writers;
