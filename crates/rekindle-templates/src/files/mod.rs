//! The files of a glob: which they are, what they are called, and what they hold.
//!
//! In: a root and a glob. Out: names, and bytes or the reason why there are none.

mod list;
mod read;
mod scope;

pub(crate) use list::list;
pub(crate) use read::{Text, fingerprint, read};
pub(crate) use scope::Scope;
