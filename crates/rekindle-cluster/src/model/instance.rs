//! [`Instance`]: what an instance says of itself, under its lease.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FORMAT, Label, Release};

/// What an instance says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    pub(crate) format: u32,
    /// Its name, which no other has.
    pub id: String,
    /// The release it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Release>,
    /// What it says of the newest candidate it has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// What it cannot do at present: it does not accept what is stable, or it cannot read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The version of the program.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// What it is chosen by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The generation of its engine.
    #[serde(default)]
    pub generation: u64,
}

/// What an instance says of a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Of which: a store that was restored may give a number of a rollout again.
    pub release: Release,
    /// What it says.
    pub verdict: Verdict,
}

/// What an instance says of a candidate. Each follows from the ones before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "is", content = "why")]
pub enum Verdict {
    /// It would take it.
    Accepted,
    /// It would not, or could not.
    Refused(String),
    /// It uses it, and how that goes is to be seen.
    Applied,
    /// It uses it, and is well.
    Healthy,
    /// It used it, was not well, and is back on what it had.
    Sick(String),
}

impl Instance {
    /// One that has nothing to say yet.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            format: FORMAT,
            id: id.into(),
            applied: None,
            answer: None,
            trouble: None,
            version: String::new(),
            labels: BTreeMap::new(),
            generation: 0,
        }
    }

    /// What it says of a release.
    pub fn verdict(&self, release: Release) -> Option<&Verdict> {
        self.answer.as_ref().filter(|answer| answer.release == release).map(|answer| &answer.verdict)
    }

    /// Whether what it says of a candidate ends that one's rollout.
    pub(crate) fn is_alarming(&self) -> bool {
        let verdict = self.answer.as_ref().map(|answer| &answer.verdict);
        matches!(verdict, Some(Verdict::Refused(_) | Verdict::Sick(_)))
    }

    /// Whether it has a label.
    pub fn has(&self, label: &Label) -> bool {
        self.labels.get(&label.key) == Some(&label.value)
    }
}
