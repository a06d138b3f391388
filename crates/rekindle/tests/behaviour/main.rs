//! What the engine does, on real files.

#![allow(clippy::disallowed_methods, reason = "tests write files as anybody would")]

mod backups;
mod control;
mod degraded;
mod fields;
mod groups;
mod handlers;
mod history;
mod layers;
mod limits;
mod observing;
mod pains;
mod remote;
mod secrets;
mod selection;
mod sharing;
mod site;
mod sources;
mod streams;
mod two_phase;
mod undo;
mod updates;
mod validation;
mod waiting;
mod watching;
