//! What the measurements share: sites and trees to watch, child processes, figures of a process, tables.

pub(crate) mod app;
pub(crate) mod child;
pub(crate) mod machine;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod results;
pub(crate) mod stats;
pub(crate) mod table;
pub(crate) mod tally;
pub(crate) mod tree;

use std::error::Error;

/// Whatever goes wrong ends the run with a message.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How much to measure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Seconds instead of minutes: shows that everything still runs, says nothing about speed.
    pub(crate) quick: bool,
}

impl Size {
    /// The one or the other.
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}
