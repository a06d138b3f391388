//! Route: which files matter, and what each of them is to the program.
//!
//! In: a path relative to the root. Out: whether it is of interest ([`Interest`]), and what it is
//! ([`Routes::of`]). Pure: paths are compared, never opened.

mod interest;
mod layers;
mod name;
mod pattern;

pub(crate) use interest::{Interest, Temporary, temporary};
pub use layers::RemoteLayer;
pub(crate) use layers::{Format, REMOTE_DIR, Routes, format_of, is_config_file};
pub(crate) use name::check_name;
pub(crate) use pattern::{Pattern, Patterns};
