//! [`Log`]: what has happened, as entries. Pure.

use std::collections::VecDeque;

use serde_json::Value;

use super::facts::{Health, Reload};
use crate::record::Record;
use crate::render::{Row, plain, rows};

/// How many entries are kept.
const KEPT: usize = 200;
/// How many changed fields are kept of a reload.
const FIELDS: usize = 100;

/// What has happened, the newest as the last.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    /// Changes of generations whose reload has not come to its end.
    changes: Vec<(u64, Change)>,
}

/// One thing that has happened.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Entry {
    Reload(Box<Reload>, Vec<Change>),
    News(News),
}

/// A field that a reload changed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub(super) config: String,
    pub(super) row: Row,
}

/// What no reload tells of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct News {
    pub(super) at: String,
    pub(super) health: Health,
    pub(super) word: &'static str,
    pub(super) told: String,
}

impl News {
    /// The news in a record, if no reload tells the same.
    pub(super) fn of(record: &Record, at: String) -> Option<Self> {
        let health = match record {
            Record::FileChanged { kind: "config" | "schema", .. } => return None,
            Record::Ready { .. }
            | Record::ConfigChanged { .. }
            | Record::ReloadCompleted { .. }
            | Record::ValidationFailed { .. } => return None,
            Record::FileChanged { .. }
            | Record::Recovered { .. }
            | Record::Confirmed { .. }
            | Record::Unknown { .. } => Health::Good,
            Record::RolledBack { .. } | Record::HandlerFailed { .. } | Record::BackupFailed { .. } => {
                Health::Bad
            }
            Record::FellBack { .. }
            | Record::HistoryFailed { .. }
            | Record::Degraded { .. }
            | Record::Rescanned { .. }
            | Record::ConfigShadowed { .. }
            | Record::Lagged { .. } => Health::Doubtful,
        };
        let (_, word, told) = plain(record);
        Some(Self { at, health, word, told: anstream::adapter::strip_str(&told).to_string() })
    }
}

impl Log {
    /// A configuration has a new value. Its reload is yet to be told.
    pub(super) fn changed(
        &mut self,
        config: &str,
        generation: u64,
        changed: &[String],
        old: &Value,
        new: &Value,
    ) {
        let changes = rows(changed, old, new).into_iter().take(FIELDS);
        let changes = changes.map(|row| (generation, Change { config: config.to_owned(), row }));
        self.changes.extend(changes);
    }

    /// A reload has come to its end. What it changed has been told before.
    pub(super) fn reload(&mut self, reload: Reload) {
        let (its, others): (Vec<_>, Vec<_>) =
            self.changes.drain(..).partition(|(generation, _)| *generation <= reload.generation);
        self.changes = others;
        let changes = its.into_iter().map(|(_, change)| change).take(FIELDS).collect();
        self.extend([Entry::Reload(Box::new(reload), changes)]);
    }

    /// Entries, newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev()
    }

    /// Adds entries, and forgets the oldest.
    pub(super) fn extend<E: Into<Entry>>(&mut self, entries: impl IntoIterator<Item = E>) {
        self.entries.extend(entries.into_iter().map(Into::into));
        let excess = self.entries.len().saturating_sub(KEPT);
        self.entries.drain(..excess);
    }
}

impl From<News> for Entry {
    fn from(news: News) -> Self {
        Self::News(news)
    }
}

impl Entry {
    /// Whether a configuration has to do with it.
    pub(super) fn is_about(&self, name: &str) -> bool {
        match self {
            Self::Reload(reload, _) => {
                let refused = reload.refused.iter().map(|(config, _)| config);
                reload.configs.iter().chain(refused).any(|config| config == name)
            }
            Self::News(_) => false,
        }
    }
}
