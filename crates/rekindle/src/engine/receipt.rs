//! [`Receipt`]: what came of a reload, whatever triggered it.

use std::time::{Duration, SystemTime};

use crate::error::Error;
use crate::history::Trigger;

/// What came of a reload. The same for all triggers: a change of files, a call, a signal, an update.
///
/// ```
/// # use rekindle::{prelude::*, testing::create_test_workspace_with_structure};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let (_dir, ws) = create_test_workspace_with_structure();
/// # std::fs::write(ws.config_dir().join("app.toml"), "port = 80")?;
/// let manager = ws.start_hot_reload().await?;
/// let receipt = manager.reload_now().await?;
/// assert!(matches!(receipt.outcome, ReloadOutcome::Unchanged));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Receipt {
    /// Rises with every reload of this engine.
    pub id: u64,
    /// What asked for it.
    pub trigger: Trigger,
    /// The generation in use afterwards.
    pub generation: u64,
    /// What came of it.
    pub outcome: ReloadOutcome,
    /// Where the time went.
    pub stages: StageTimes,
    /// When it was done.
    pub at: SystemTime,
}

/// What came of a reload.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ReloadOutcome {
    /// Values changed, and every reader sees the new ones.
    Applied {
        /// The configurations that changed.
        configs: Vec<String>,
    },
    /// Nothing differs from what is in use.
    Unchanged,
    /// At least one configuration is not fit to be applied. Others may have been.
    Refused {
        /// Which were refused, by whom, and why.
        refusals: Vec<Refusal>,
        /// The configurations that did change.
        applied: Vec<String>,
    },
    /// It was applied and did harm, and what was before is in use again.
    RolledBack {
        /// The configurations that were taken back.
        configs: Vec<String>,
        /// The generation whose values are in use again.
        to: u64,
        /// What went wrong.
        reason: Error,
    },
}

/// A configuration that was refused.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Refusal {
    /// The configuration.
    pub config: String,
    /// Who refused it: `syntax`, `schema`, `type`, `check`, `handler NAME` and so on.
    pub by: String,
    /// Why, and where it stands.
    pub error: Error,
}

/// Where the time of a reload went. Of configurations that were at work side by side the slowest counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StageTimes {
    /// From the notice of the finished write to the beginning of the work on it.
    pub settle: Duration,
    /// Reading, parsing and layering.
    pub load: Duration,
    /// Schema, decoding and checks.
    pub validate: Duration,
    /// Handlers getting ready, and the writing of an update.
    pub prepare: Duration,
    /// The swap and the handing on to readers.
    pub commit: Duration,
    /// Waiting for critical handlers.
    pub notify: Duration,
    /// All of it.
    pub total: Duration,
}

impl Receipt {
    /// Whether every configuration that changed on disk was applied, and stayed.
    pub fn is_applied(&self) -> bool {
        matches!(self.outcome, ReloadOutcome::Applied { .. })
    }

    /// The configurations with a new value.
    pub fn applied(&self) -> &[String] {
        match &self.outcome {
            ReloadOutcome::Applied { configs } | ReloadOutcome::Refused { applied: configs, .. } => configs,
            ReloadOutcome::Unchanged | ReloadOutcome::RolledBack { .. } => &[],
        }
    }

    /// What was refused.
    pub fn refusals(&self) -> &[Refusal] {
        match &self.outcome {
            ReloadOutcome::Refused { refusals, .. } => refusals,
            _ => &[],
        }
    }
}

impl Refusal {
    pub(crate) fn new(config: &str, error: &Error) -> Self {
        Self { config: config.to_owned(), by: error.refused_by(), error: error.clone() }
    }
}

impl ReloadOutcome {
    /// All that [`as_str`](Self::as_str) may be.
    #[cfg(feature = "metrics")]
    pub(crate) const NAMES: [&'static str; 4] = ["applied", "unchanged", "refused", "rolled-back"];

    /// The outcome in one lower-case word: `applied`, `unchanged`, `refused`, `rolled-back`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::Unchanged => "unchanged",
            Self::Refused { .. } => "refused",
            Self::RolledBack { .. } => "rolled-back",
        }
    }
}

impl StageTimes {
    /// The names of the stages, in order, with `total` as the last.
    pub const NAMES: [&'static str; 7] =
        ["settle", "load", "validate", "prepare", "commit", "notify", "total"];

    /// The times in the order of [`NAMES`](Self::NAMES).
    pub fn all(&self) -> [Duration; 7] {
        [self.settle, self.load, self.validate, self.prepare, self.commit, self.notify, self.total]
    }

    /// Stage by stage the longer one.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            settle: self.settle.max(other.settle),
            load: self.load.max(other.load),
            validate: self.validate.max(other.validate),
            prepare: self.prepare.max(other.prepare),
            commit: self.commit.max(other.commit),
            notify: self.notify.max(other.notify),
            total: self.total.max(other.total),
        }
    }
}
