//! [`Record`]: an event as it is told, with paths relative to the root.
//!
//! In: a [`ChangeEvent`] of the library. Out: what [`render`](crate::render) shows to people, and what
//! its serialization, one line of JSON, shows to programs. The field names here are an interface. A secret
//! does not get this far: what is recorded has `***` in its place.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rekindle::{ChangeEvent, ChangeType, HotReloadManager};
use serde::Serialize;
use serde_json::Value;

/// One line of `watch --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Record {
    /// Everything is armed and loaded.
    Ready {
        root: String,
        watched_dirs: usize,
    },
    /// As the library's event of the same name, and so are the following.
    ConfigChanged {
        config_name: String,
        generation: u64,
        changed: Vec<String>,
        old_value: Value,
        new_value: Value,
        duration_us: u64,
    },
    FileChanged {
        path: String,
        change_type: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        kind: &'static str,
    },
    ValidationFailed {
        config_name: String,
        path: Option<String>,
        line: Option<usize>,
        column: Option<usize>,
        error: String,
    },
    ReloadCompleted {
        config_name: String,
        duration_us: u64,
    },
    HandlerFailed {
        handler: String,
        error: String,
    },
    RolledBack {
        from: u64,
        to: u64,
        generation: u64,
        config_names: Vec<String>,
        reason: String,
    },
    Confirmed {
        generation: u64,
        config_names: Vec<String>,
    },
    FellBack {
        config_name: String,
        revision: u64,
        reason: String,
    },
    HistoryFailed {
        error: String,
    },
    Degraded {
        reason: String,
    },
    Recovered {
        config_name: Option<String>,
    },
    Rescanned {
        reason: String,
        found: usize,
    },
    ConfigShadowed {
        config_name: String,
        used: String,
        ignored: String,
    },
    BackupFailed {
        path: String,
        error: String,
    },
    Lagged {
        missed: u64,
    },
    /// An event that this command line is too old to know.
    Unknown {
        text: String,
    },
}

/// Makes records of what an engine tells.
#[derive(Debug, Clone)]
pub(crate) struct Scribe<'a> {
    manager: &'a HotReloadManager,
}

impl<'a> Scribe<'a> {
    /// Of this engine.
    pub(crate) fn new(manager: &'a HotReloadManager) -> Self {
        Self { manager }
    }

    /// The first record.
    pub(crate) fn ready(&self) -> Record {
        let root = self.manager.root().to_string_lossy().into_owned();
        Record::Ready { root, watched_dirs: self.manager.status().watched_dirs }
    }

    /// What is not as it should be at the start, as if it had just happened.
    pub(crate) fn doubts(&self) -> Vec<Record> {
        let status = self.manager.status();
        let record = |(name, error): (&str, &rekindle::Error)| Record::ValidationFailed {
            config_name: name.to_owned(),
            path: error.path().map(|path| self.relative(path)),
            line: error.line(),
            column: error.column(),
            error: error.to_string(),
        };
        let degraded = status.degraded.clone().map(|reason| Record::Degraded { reason });
        let shadowed = status.configs.iter().flat_map(|(name, config)| {
            config.shadowed.iter().map(|(used, ignored)| Record::ConfigShadowed {
                config_name: name.clone(),
                used: self.relative(used),
                ignored: self.relative(ignored),
            })
        });
        degraded.into_iter().chain(shadowed).chain(status.failures().map(record)).collect()
    }

    /// The record of an event.
    pub(crate) fn record(&self, event: ChangeEvent) -> Record {
        match event {
            ChangeEvent::ConfigChanged {
                config_name,
                generation,
                changed,
                secrets,
                old_value,
                new_value,
                duration,
            } => {
                let (changed, duration_us) = (secrets.conceal(&changed), micros(duration));
                let (old_value, new_value) = (secrets.mask(&old_value), secrets.mask(&new_value));
                Record::ConfigChanged { config_name, generation, changed, old_value, new_value, duration_us }
            }
            ChangeEvent::FileChanged { path, change_type } => self.file(&path, &change_type),
            ChangeEvent::ValidationFailed { config_name, error, path, line, column } => {
                let path = path.map(|path: PathBuf| self.relative(&path));
                Record::ValidationFailed { config_name, path, line, column, error }
            }
            ChangeEvent::ReloadCompleted { config_name, duration } => {
                Record::ReloadCompleted { config_name, duration_us: micros(duration) }
            }
            ChangeEvent::ConfigShadowed { config_name, used, ignored } => {
                let (used, ignored) = (self.relative(&used), self.relative(&ignored));
                Record::ConfigShadowed { config_name, used, ignored }
            }
            ChangeEvent::BackupFailed { path, error } => {
                Record::BackupFailed { path: self.relative(&path), error }
            }
            ChangeEvent::HandlerFailed { handler, error } => Record::HandlerFailed { handler, error },
            ChangeEvent::RolledBack { from, to, generation, configs, reason } => {
                Record::RolledBack { from, to, generation, config_names: configs, reason }
            }
            ChangeEvent::Confirmed { generation, configs } => {
                Record::Confirmed { generation, config_names: configs }
            }
            ChangeEvent::FellBack { config_name, revision, reason } => {
                Record::FellBack { config_name, revision, reason }
            }
            ChangeEvent::HistoryFailed { error } => Record::HistoryFailed { error },
            ChangeEvent::Degraded { reason } => Record::Degraded { reason },
            ChangeEvent::Recovered { config_name } => Record::Recovered { config_name },
            ChangeEvent::Rescanned { reason, found } => Record::Rescanned { reason, found },
            ChangeEvent::Lagged { missed } => Record::Lagged { missed },
            other => Record::Unknown { text: format!("{other:?}") },
        }
    }

    fn file(&self, path: &Path, change_type: &ChangeType) -> Record {
        let from = match change_type {
            ChangeType::Renamed { from } => Some(self.relative(from)),
            _ => None,
        };
        let kind = self.manager.kind_of(path).as_str();
        Record::FileChanged { path: self.relative(path), change_type: change_type.as_str(), from, kind }
    }

    /// A path as it is shown: relative to the root, and as near as text can where it is none.
    fn relative(&self, path: &Path) -> String {
        path.strip_prefix(self.manager.root()).unwrap_or(path).to_string_lossy().into_owned()
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Record {
    /// One line of JSON, with its end.
    pub(crate) fn json(&self) -> Result<String, std::io::Error> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_fields_are_those_of_the_help() {
        let file =
            Record::FileChanged { path: "a".into(), change_type: "created", from: None, kind: "asset" };
        let expected =
            json!({"event": "file_changed", "path": "a", "change_type": "created", "kind": "asset"});
        assert_eq!(serde_json::to_value(file).expect("a value"), expected);
        let lagged = Record::Lagged { missed: 3 }.json().expect("a line");
        assert_eq!(lagged, "{\"event\":\"lagged\",\"missed\":3}\n");
    }
}
