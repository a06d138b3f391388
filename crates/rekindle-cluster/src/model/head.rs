//! [`Head`]: what all instances are to use, and how far a rollout is.

use serde::{Deserialize, Serialize};

use super::{Digest, FORMAT, Instance, Label, Plan, Step};

/// What all instances are to use, and how far a rollout is. The one document that everybody follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub(crate) format: u32,
    /// Drawn by lot when the first head is written: a store that was made anew begins another line of rollouts.
    pub line: u64,
    /// How many rollouts there were, the present one among them.
    pub rollout: u64,
    /// What those use who have no part in a rollout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<Release>,
    /// What is on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Candidate>,
    /// How the last rollout ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Ended>,
    /// How many instances there were when they were last counted.
    #[serde(default)]
    pub fleet: u32,
    /// How many coordinators there were. A write of one that has been followed by another does not fit any more.
    #[serde(default)]
    pub term: u64,
}

/// A payload, and the rollout that it came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Release {
    /// The [line](Head::line) of rollouts.
    pub line: u64,
    /// The rollout.
    pub rollout: u64,
    /// The payload.
    pub payload: Digest,
}

/// A release on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Which.
    pub release: Release,
    /// The steps it takes.
    pub plan: Plan,
    /// Where it is.
    pub stage: Stage,
    /// The share of the instances that is to use it, per mille.
    pub share: u16,
    /// Those of the instances use it whose [place](Candidate::place) is below this.
    pub below: u64,
    /// And those with one of these labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    /// What makes the places of the instances others in each rollout.
    pub salt: String,
    /// It waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// A person has seen what is missing in this stage, and wants it to go on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approved: bool,
}

/// Where a candidate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "name", content = "number")]
pub enum Stage {
    /// Every instance says whether it would take it. Nobody uses it.
    Validate,
    /// A step of the plan, counted from 0.
    Step(usize),
}

/// Why a rollout waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// What is to be looked at.
    pub reason: String,
    /// Whether to go on means to go on without what is missing.
    pub inconclusive: bool,
}

/// How a rollout ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Of what.
    pub release: Release,
    /// How.
    pub outcome: Outcome,
    /// Why, where it is not the good end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// How a rollout ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is stable now.
    Promoted,
    /// An instance refused it, and nobody had applied it.
    Refused,
    /// It did harm, or an instance that had to use it did not; all are back on what was stable.
    RolledBack,
    /// A person ended it; all are back on what was stable.
    Aborted,
}

impl Outcome {
    /// In one lower-case word: `promoted`, `refused`, `rolled-back`, `aborted`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::Refused => "refused",
            Self::RolledBack => "rolled-back",
            Self::Aborted => "aborted",
        }
    }
}

impl Head {
    /// Before anything was published in this line.
    pub fn new(line: u64) -> Self {
        Self {
            format: FORMAT,
            line,
            rollout: 0,
            stable: None,
            candidate: None,
            last: None,
            fleet: 0,
            term: 0,
        }
    }

    /// What an instance is to use.
    pub fn target(&self, instance: &Instance) -> Option<Release> {
        let candidate = self.candidate.as_ref().filter(|candidate| candidate.selects(instance));
        candidate.map_or(self.stable, |candidate| Some(candidate.release))
    }
}

impl Candidate {
    /// Whether an instance is to use it. Each finds out for itself.
    pub fn selects(&self, instance: &Instance) -> bool {
        (self.below > 0 && self.place(&instance.id) < self.below)
            || self.labels.iter().any(|label| instance.has(label))
    }

    /// Where an instance stands in this rollout: anywhere below 2⁵³, which JSON can say exactly.
    pub fn place(&self, id: &str) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.salt.as_bytes()).update(&[0]).update(id.as_bytes());
        let bytes = hasher.finalize();
        let first = bytes.as_bytes().first_chunk().copied().unwrap_or_default();
        u64::from_be_bytes(first) >> 11
    }

    /// The step of the plan that it is in.
    pub fn step(&self) -> Option<&Step> {
        match self.stage {
            Stage::Validate => None,
            Stage::Step(number) => self.plan.steps.get(number),
        }
    }
}
