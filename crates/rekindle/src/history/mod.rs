//! History: the good generations of every configuration, kept on disk, and the marks of the runs that used them.
//!
//! In: the files of a configuration that came into use ([`NewRecord`]), and later what became of it
//! ([`Outcome`]). Out: a list of revisions, and the exact contents of each. [`runs`] tells a program
//! that crashed from one that ended. [`record`] and [`prune`] are pure; [`read`], [`write`]
//! and [`tidy`] do the IO, which blocks.
//!
//! Contents are in blobs, each once, and a record, which is written after its blobs, names them: what
//! is listed is whole. Whatever is damaged nevertheless is told of, and costs only itself. Reading takes no
//! lock. Writers take one, so that several processes can share a root.

mod layout;
mod lock;
mod prune;
mod read;
mod record;
pub(crate) mod runs;
#[cfg(test)]
mod tests;
mod tidy;
mod trigger;
mod view;
mod write;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use crate::error::Error;
use layout::Layout;
pub(crate) use record::Record;
pub use trigger::{Outcome, Trigger};
pub use view::HistoryEntry;

/// How much is kept of each configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Revisions.
    pub(crate) revisions: usize,
    /// Bytes of contents, those that revisions share counted once.
    pub(crate) bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { revisions: 50, bytes: 16 << 20 }
    }
}

/// The history of a root. Nothing is made on disk before something is recorded.
#[derive(Debug)]
pub(crate) struct History {
    layout: Layout,
    limits: Limits,
    /// Whether what crashed writers left behind has been looked for.
    is_swept: AtomicBool,
    /// Bytes written since what is too old was last looked for, by configuration.
    untidied: Mutex<HashMap<String, u64>>,
}

/// A generation of a configuration to be recorded.
#[derive(Debug, Clone)]
pub(crate) struct NewRecord {
    pub(crate) config: String,
    pub(crate) generation: u64,
    /// The [`Run::id`].
    pub(crate) run: String,
    pub(crate) time: jiff::Timestamp,
    pub(crate) trigger: Trigger,
    /// Weakest layer first.
    pub(crate) files: Vec<Content>,
    /// JSON pointers.
    pub(crate) changed: Vec<String>,
    /// What is known of it by now.
    pub(crate) outcome: Outcome,
}

/// A file of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// Relative to the root.
    pub(crate) path: PathBuf,
    pub(crate) bytes: Arc<[u8]>,
    /// The permission bits, where the system has them.
    pub(crate) mode: Option<u32>,
}

/// What came of recording.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// The new record, or the one that had the same files before.
    pub(crate) record: Record,
    #[cfg_attr(not(test), allow(dead_code, reason = "the engine does not mind, the tests do"))]
    pub(crate) is_new: bool,
    /// Why what is too old could not be removed. The record is safe all the same.
    pub(crate) untidy: Option<Error>,
}

/// The revisions of a configuration, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Those that are whole, every content of them looked at.
    pub(crate) records: Vec<Record>,
    /// Those that are not.
    pub(crate) damaged: Vec<Damaged>,
}

/// A revision that cannot be used.
#[derive(Debug, Clone)]
pub(crate) struct Damaged {
    #[cfg_attr(not(test), allow(dead_code, reason = "the error names the file"))]
    pub(crate) revision: u64,
    pub(crate) error: Error,
}

/// Makes the directory of all that this crate keeps below a root.
pub(crate) fn make_home(root: &Path) -> std::io::Result<()> {
    Layout::new(root).make_home()
}

impl History {
    /// The history of the program whose root this is.
    pub(crate) fn open(root: &Path, limits: Limits) -> Self {
        Self {
            layout: Layout::new(root),
            limits,
            is_swept: AtomicBool::default(),
            untidied: Mutex::default(),
        }
    }
}
