//! [`Plan`]: the steps in which a release reaches the instances.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The steps of a rollout, and how long each may and must take.
///
/// ```
/// use rekindle_cluster::{Plan, Step};
///
/// let plan = Plan { steps: vec![Step::Share(10), Step::Share(1000)], ..Plan::default() };
/// assert!(plan.check().is_ok());
/// assert!(Plan { steps: vec![Step::Share(500)], ..Plan::default() }.check().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// Who gets it one after the other. The last step is all. Default: 10 %, 50 %, 100 %.
    pub steps: Vec<Step>,
    /// How long those of a step must be well with it before the next one begins, in milliseconds.
    /// Default: 30,000.
    pub bake_ms: u64,
    /// How long the instances may take to answer whether they accept it, and those of a step to use it, in
    /// milliseconds. Default: 60,000.
    pub patience_ms: u64,
    /// How much of the fleet as it was last known has to be there, per mille. Default: 500.
    pub least_live: u16,
    /// Whether a person has to approve of each step. Default: no.
    pub manual: bool,
}

/// Who gets a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Those with this label.
    Label(Label),
    /// So many of a thousand, but at least one.
    Share(u16),
}

/// What an instance says of itself: `zone=eu`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// What is said: `zone`.
    pub key: String,
    /// And what of it: `eu`.
    pub value: String,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            steps: vec![Step::Share(100), Step::Share(500), Step::Share(1000)],
            bake_ms: 30_000,
            patience_ms: 60_000,
            least_live: 500,
            manual: false,
        }
    }
}

impl Plan {
    /// Everybody at once, as soon as everybody accepts it.
    pub fn at_once() -> Self {
        Self { steps: vec![Step::Share(1000)], bake_ms: 0, ..Self::default() }
    }

    /// How long the instances of a step have to be well.
    pub fn bake(&self) -> Duration {
        Duration::from_millis(self.bake_ms)
    }

    /// How long instances may take.
    pub fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms)
    }

    /// Whether it leads to the end, and each step further than the one before.
    ///
    /// # Errors
    ///
    /// [`Error::Plan`] says what is wrong with it.
    pub fn check(&self) -> Result<()> {
        let shares: Vec<u16> = self
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Share(share) => Some(*share),
                Step::Label(_) => None,
            })
            .collect();
        let first_share = self.steps.iter().position(|step| matches!(step, Step::Share(_)));
        let last_label = self.steps.iter().rposition(|step| matches!(step, Step::Label(_)));
        if shares.last() != Some(&1000) {
            return Err(Error::Plan("its last step has to be all: a share of 1000".to_owned()));
        }
        if !shares.is_sorted_by(|a, b| a < b) || shares.first() == Some(&0) {
            return Err(Error::Plan("each share has to be larger than the one before".to_owned()));
        }
        if last_label > first_share {
            return Err(Error::Plan("labels come before shares".to_owned()));
        }
        if self.least_live > 1000 {
            return Err(Error::Plan(format!("{} per mille of the fleet cannot be there", self.least_live)));
        }
        if self.patience_ms == 0 {
            return Err(Error::Plan("nobody can answer at once: `patience_ms` has to be more".to_owned()));
        }
        Ok(())
    }
}
