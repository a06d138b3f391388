//! [`ChangeEvent`]: what the engine tells the program.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

/// Something that changed, or failed to.
///
/// Sent to every [`HotReloadManager::subscribe`](crate::HotReloadManager::subscribe) receiver and to
/// the handlers. Match with a `..` and a `_` arm: fields and variants are added as the engine learns to say more.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ChangeEvent {
    /// A configuration has a new value, and every reader sees it by now.
    ConfigChanged {
        /// The configuration: `app` for `config/app.toml`.
        config_name: String,
        /// What it was; `Null` if there was no good value before.
        old_value: Value,
        /// What it is.
        new_value: Value,
        /// JSON pointers of what differs, in order; the empty pointer for the whole.
        changed: Vec<String>,
        /// The generation this value belongs to. All that changed in one batch shares it.
        generation: u64,
        /// From the notice of the finished write to the moment every reader saw the value.
        duration: Duration,
    },
    /// A watched file has new content, came, went or was renamed.
    FileChanged {
        /// The file, absolute.
        path: PathBuf,
        /// How it changed.
        change_type: ChangeType,
    },
    /// A configuration on disk is not fit to be applied; the last good value stays.
    ValidationFailed {
        /// The configuration.
        config_name: String,
        /// One line: place, fault, and what to do.
        error: String,
        /// The file at fault, absolute, where it is one file's fault.
        path: Option<PathBuf>,
        /// The line, from 1.
        line: Option<usize>,
        /// The column in characters, from 1.
        column: Option<usize>,
    },
    /// A configuration's new value has been handed to streams and handlers.
    ReloadCompleted {
        /// The configuration.
        config_name: String,
        /// From the notice of the finished write until the value was handed on.
        duration: Duration,
    },
    /// A generation was applied, did harm, and was undone: the values before it are in use again.
    RolledBack {
        /// The generation that was undone.
        from: u64,
        /// The generation whose values are in use again.
        to: u64,
        /// The number that they have now: generations only rise.
        generation: u64,
        /// The configurations that were taken back.
        configs: Vec<String>,
        /// What went wrong.
        reason: String,
    },
    /// Generations have passed their probation.
    Confirmed {
        /// The newest of them.
        generation: u64,
        /// The configurations they changed.
        configs: Vec<String>,
    },
    /// A handler returned an error, panicked or overran its time limit.
    HandlerFailed {
        /// The handler, by the pattern or the type it was registered with.
        handler: String,
        /// What happened.
        error: String,
    },
    /// The engine cannot fully do its work; `status()` says the same until it can.
    Degraded {
        /// Why, and what to do.
        reason: String,
    },
    /// What was degraded or invalid is good again.
    Recovered {
        /// The configuration, or `None` for the engine as a whole.
        config_name: Option<String>,
    },
    /// Everything was compared with what was known, because notifications were lost, or found to differ
    /// though nothing had told; nothing is missed.
    Rescanned {
        /// What made it necessary.
        reason: String,
        /// How many files turned out to differ from what was known.
        found: usize,
    },
    /// Two files claim the same layer of a configuration; one of them is not read.
    ConfigShadowed {
        /// The configuration.
        config_name: String,
        /// The file in use.
        used: PathBuf,
        /// The file that is ignored.
        ignored: PathBuf,
    },
    /// The bytes that a reload replaced could not be kept; the reload itself went through.
    BackupFailed {
        /// The configuration file whose old bytes are not backed up.
        path: PathBuf,
        /// What happened.
        error: String,
    },
    /// A receiver was too slow and this many events were left out before the next one.
    Lagged {
        /// How many.
        missed: u64,
    },
}

/// How a file changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeType {
    /// New content in a file that was there.
    Modified,
    /// A file that was not there.
    Created,
    /// A file that is no longer there, and has not come back for a whole debounce window.
    Deleted,
    /// A file that had another name before.
    Renamed {
        /// The name it had, absolute.
        from: PathBuf,
    },
}

/// What a watched file is to the program, decided by its directory first and its extension second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResourceKind {
    /// A configuration, or a layer of one.
    Config,
    /// The JSON Schema of a configuration.
    Schema,
    /// A template: below a `templates` directory, or a `.hbs` file.
    Template,
    /// A static asset: below a `static` or `assets` directory.
    Asset,
    /// Watched because a pattern says so.
    Other,
}

impl ResourceKind {
    /// The kind in one lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Schema => "schema",
            Self::Template => "template",
            Self::Asset => "asset",
            Self::Other => "other",
        }
    }
}

impl ChangeType {
    /// The change in one lower-case word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Modified => "modified",
            Self::Created => "created",
            Self::Deleted => "deleted",
            Self::Renamed { .. } => "renamed",
        }
    }
}
