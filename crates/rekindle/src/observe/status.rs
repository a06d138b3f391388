//! [`Status`]: what an engine would say if asked how it is.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Durations;
use crate::engine::Receipt;
use crate::error::{Error, ErrorKind};
use crate::event::ChangeEvent;
use crate::load::Candidate;

/// How an engine is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Status {
    /// The directory it watches.
    pub root: PathBuf,
    /// The environment whose layer applies.
    pub environment: String,
    /// The generation in use; 0 before the first good value.
    pub generation: u64,
    /// How many directories the system watches for the engine; where it is not asked to, how many are walked.
    pub watched_dirs: usize,
    /// How many are looked at at an interval instead, because the system does not tell of them.
    pub polled_dirs: usize,
    /// Every configuration, by name.
    pub configs: BTreeMap<String, ConfigStatus>,
    /// What keeps the engine itself from fully doing its work.
    pub degraded: Option<String>,
    /// Configurations that were reloaded, since the start.
    pub reloads: u64,
    /// Changes that were refused, since the start.
    pub refused: u64,
    /// Calls of handlers that failed, since the start.
    pub handler_failures: u64,
    /// How often everything had to be looked at anew because notifications were lost.
    pub rescans: u64,
    /// Why the history cannot be written, if it cannot.
    pub history_failure: Option<String>,
    /// How often the system's queue of notifications overflowed, since the start. Each brings a rescan.
    pub overflows: u64,
    /// Where the [control socket](crate::HotReloadBuilder::control_socket) is open, absolute.
    pub control_socket: Option<PathBuf>,
    /// Why the control socket is not open, if it was to be.
    pub control_failure: Option<String>,
    /// Generations that were undone, since the start.
    pub rollbacks: u64,
    /// The newest generation that is on [probation](crate::Probation), if any is.
    pub on_probation: Option<u64>,
    /// What came of the last reload.
    pub last_reload: Option<Receipt>,
    /// How long the stages of reloads took, since the start.
    pub durations: Durations,
    /// Files that the regular comparison found changed though nothing had told of them, since the start.
    pub reconciled: u64,
}

/// How one configuration is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConfigStatus {
    /// Good, or why not.
    pub state: ConfigState,
    /// The generation that its value is from; `None` if there never was a good one.
    pub generation: Option<u64>,
    /// The files it was layered from, weakest first, absolute.
    pub files: Vec<PathBuf>,
    /// Where two files claim one layer: the one that is used, and the one that is not read; absolute.
    pub shadowed: Vec<(PathBuf, PathBuf)>,
    /// Fields that keep their running values until the program starts anew, in the order of the pointers.
    pub pending: Vec<Pending>,
}

/// A field whose value on disk waits for a restart. Secrets in its values are shown as `"***"`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Pending {
    /// The field, as a JSON pointer.
    pub pointer: String,
    /// What it is in the running program; `None` where it is not there.
    pub running: Option<Value>,
    /// What it will be after a restart; `None` where it will not be there.
    pub on_disk: Option<Value>,
}

impl Pending {
    /// What is pending of a configuration.
    pub(crate) fn of(config: &Candidate) -> Vec<Self> {
        let secrets = config.secrets();
        let pending = config.held.iter().map(|held| {
            let shown = |value: &Value| secrets.mask_at(&held.pointer, value);
            let (running, on_disk) = (held.running.as_ref().map(shown), held.on_disk.as_ref().map(shown));
            Self { pointer: secrets.name(&held.pointer), running, on_disk }
        });
        pending.collect()
    }
}

/// Whether what is on disk is what is in use.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ConfigState {
    /// It is.
    Good,
    /// What is on disk is not fit to be applied. The last good value stays in use, if there was one.
    Degraded(Error),
}

/// How what runs and what is on disk stand to each other, from [`ConfigStatus::drift`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Drift {
    /// They are the same.
    InSync,
    /// What is on disk cannot be loaded: a restart would fail, for this reason, at its file, line and column.
    Invalid(Error),
    /// What is on disk is valid, and something in the program refused it: a handler that did not prepare.
    Refused(Error),
    /// What is on disk did harm when it was in use, and was undone.
    RolledBack(Error),
    /// What is on disk is in use but for these fields, which wait for a restart.
    HeldForRestart(Vec<Pending>),
}

impl Drift {
    /// Whether a restart of the program would fail, or do without the configuration.
    pub fn breaks_a_restart(&self) -> bool {
        matches!(self, Self::Invalid(_))
    }

    /// In a few lower-case words: `in sync`, `invalid`, `refused`, `rolled back`, `held for a restart`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::InSync => "in sync",
            Self::Invalid(_) => "invalid",
            Self::Refused(_) => "refused",
            Self::RolledBack(_) => "rolled back",
            Self::HeldForRestart(_) => "held for a restart",
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            Self::InSync => Ok(()),
            Self::Invalid(error) => write!(f, ", and a restart would fail: {error}"),
            Self::Refused(error) | Self::RolledBack(error) => write!(f, ": {error}"),
            Self::HeldForRestart(pending) => {
                let pointers: Vec<&str> = pending.iter().map(|field| field.pointer.as_str()).collect();
                write!(f, ": {}", pointers.join(", "))
            }
        }
    }
}

impl ConfigStatus {
    /// How what runs and what is on disk stand to each other. Its `Display` is one line.
    pub fn drift(&self) -> Drift {
        match &self.state {
            ConfigState::Degraded(error) => match error.kind() {
                ErrorKind::RolledBack => Drift::RolledBack(error.clone()),
                ErrorKind::Veto | ErrorKind::Busy => Drift::Refused(error.clone()),
                _ => Drift::Invalid(error.clone()),
            },
            ConfigState::Good if self.pending.is_empty() => Drift::InSync,
            ConfigState::Good => Drift::HeldForRestart(self.pending.clone()),
        }
    }
}

impl Status {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            environment: String::new(),
            generation: 0,
            watched_dirs: 0,
            polled_dirs: 0,
            configs: BTreeMap::new(),
            degraded: None,
            reloads: 0,
            refused: 0,
            handler_failures: 0,
            rescans: 0,
            history_failure: None,
            overflows: 0,
            control_socket: None,
            control_failure: None,
            rollbacks: 0,
            on_probation: None,
            last_reload: None,
            durations: Durations::default(),
            reconciled: 0,
        }
    }

    /// Whether anything at all is not as it should be.
    pub fn is_degraded(&self) -> bool {
        self.degraded.is_some() || self.failures().next().is_some()
    }

    /// The configurations that are not good on disk, and why.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &Error)> {
        self.configs.iter().filter_map(|(name, config)| match &config.state {
            ConfigState::Degraded(error) => Some((name.as_str(), error)),
            ConfigState::Good => None,
        })
    }

    pub(super) fn count(&mut self, event: &ChangeEvent) {
        match event {
            ChangeEvent::ReloadCompleted { .. } => self.reloads += 1,
            ChangeEvent::ValidationFailed { .. } => self.refused += 1,
            ChangeEvent::HandlerFailed { .. } => self.handler_failures += 1,
            ChangeEvent::RolledBack { .. } => {
                self.rollbacks += 1;
                self.on_probation = None;
            }
            ChangeEvent::Confirmed { .. } => self.on_probation = None,
            ChangeEvent::Rescanned { .. } => self.rescans += 1,
            _ => {}
        }
    }
}
