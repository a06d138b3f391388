//! A save is exactly one reload, whoever saves and however.
//!
//! The numbers in the tests' comments are those of the pains that users of other programs report again
//! and again: storms and double firing (1), the ConfigMap swap missed (2), a watch that is dead after
//! the first save (3), a half-written file applied (4), a bad load that costs the good value (5).
//!
//! Every test waits for events and asserts on the whole record of them, never on the time they took.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "tests write files as anybody would")]

mod config_map;
mod editors;
mod file_watcher;
mod files;
mod hundred;
mod many;
mod no_change;
mod pains;
mod programs;
mod race;
mod renames;
mod together;
mod writers;
