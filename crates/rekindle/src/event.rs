//! [`ChangeEvent`]: what the engine tells the program.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::validate::{Scrubber, Secrets};

/// Something that changed, or failed to. Its `Debug` masks the [`Secrets`] of a configuration.
///
/// Sent to every [`HotReloadManager::subscribe`](crate::HotReloadManager::subscribe) receiver and to
/// the handlers. Match with a `..` and a `_` arm: fields and variants are added as the engine learns to say more.
#[derive(Clone, PartialEq)]
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
        /// What of the values is secret. `Debug` shows the event without it; the values here are the
        /// true ones.
        secrets: Secrets,
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
    /// What is on disk was not fit to start with: a revision of the history is in use instead.
    FellBack {
        /// The configuration.
        config_name: String,
        /// The revision in use.
        revision: u64,
        /// What is wrong with what is on disk.
        reason: String,
    },
    /// The history could not be written, or is damaged; the reloads themselves went through.
    HistoryFailed {
        /// What happened.
        error: String,
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

impl ChangeEvent {
    /// What takes the secrets of its values out of messages.
    pub(crate) fn scrubber(&self) -> Scrubber {
        match self {
            Self::ConfigChanged { old_value, new_value, secrets, .. } => {
                secrets.scrubber([("", old_value), ("", new_value)])
            }
            _ => Scrubber::default(),
        }
    }
}

/// As derived, but with the values of a configuration as they may be shown.
impl fmt::Debug for ChangeEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConfigChanged {
                config_name,
                old_value,
                new_value,
                changed,
                secrets,
                generation,
                duration,
            } => f
                .debug_struct("ConfigChanged")
                .field("config_name", config_name)
                .field("old_value", &secrets.mask(old_value))
                .field("new_value", &secrets.mask(new_value))
                .field("changed", &secrets.conceal(changed))
                .field("generation", generation)
                .field("duration", duration)
                .finish_non_exhaustive(),
            Self::FileChanged { path, change_type } => {
                f.debug_struct("FileChanged").field("path", path).field("change_type", change_type).finish()
            }
            Self::ValidationFailed { config_name, error, path, line, column } => f
                .debug_struct("ValidationFailed")
                .field("config_name", config_name)
                .field("error", error)
                .field("path", path)
                .field("line", line)
                .field("column", column)
                .finish(),
            Self::ReloadCompleted { config_name, duration } => f
                .debug_struct("ReloadCompleted")
                .field("config_name", config_name)
                .field("duration", duration)
                .finish(),
            Self::RolledBack { from, to, generation, configs, reason } => f
                .debug_struct("RolledBack")
                .field("from", from)
                .field("to", to)
                .field("generation", generation)
                .field("configs", configs)
                .field("reason", reason)
                .finish(),
            Self::FellBack { config_name, revision, reason } => f
                .debug_struct("FellBack")
                .field("config_name", config_name)
                .field("revision", revision)
                .field("reason", reason)
                .finish(),
            Self::HistoryFailed { error } => f.debug_struct("HistoryFailed").field("error", error).finish(),
            Self::Confirmed { generation, configs } => {
                f.debug_struct("Confirmed").field("generation", generation).field("configs", configs).finish()
            }
            Self::HandlerFailed { handler, error } => {
                f.debug_struct("HandlerFailed").field("handler", handler).field("error", error).finish()
            }
            Self::Degraded { reason } => f.debug_struct("Degraded").field("reason", reason).finish(),
            Self::Recovered { config_name } => {
                f.debug_struct("Recovered").field("config_name", config_name).finish()
            }
            Self::Rescanned { reason, found } => {
                f.debug_struct("Rescanned").field("reason", reason).field("found", found).finish()
            }
            Self::ConfigShadowed { config_name, used, ignored } => f
                .debug_struct("ConfigShadowed")
                .field("config_name", config_name)
                .field("used", used)
                .field("ignored", ignored)
                .finish(),
            Self::BackupFailed { path, error } => {
                f.debug_struct("BackupFailed").field("path", path).field("error", error).finish()
            }
            Self::Lagged { missed } => f.debug_struct("Lagged").field("missed", missed).finish(),
        }
    }
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
