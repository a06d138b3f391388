//! Validate: candidates in, [`Verified`] or the reasons against them out.
//!
//! In order: JSON Schema, the type of every subscriber, custom checks. All or nothing: whatever one
//! of them refuses, nobody sees. No clock, no file, no channel; user code is called with no lock held,
//! and a panic in it is an error of this change and of no other.

mod diff;
mod fields;
mod keep;
mod refusal;
mod schema;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::error::{Error, ErrorKind, Result, panic_text};
use crate::load::Candidate;
use crate::propagate::{Ready, Topic, Veto};
pub(crate) use diff::{changed_pointers, overlaps};
pub use fields::Secrets;
pub(crate) use fields::{Declared, Fields, Rule, Scrubber, below, steps};
pub(crate) use keep::{immutable, of_mixture, until_restart};
use refusal::as_refusal;
pub(crate) use refusal::type_message;
pub(crate) use schema::Schema;

/// A custom check: refuses what configurations are about to be, or lets it pass.
pub(crate) struct Check {
    pub(crate) configs: Vec<String>,
    pub(crate) run: CheckFn,
}

/// What a check does with the values of its configurations, as far as they exist.
pub(crate) type CheckFn = Box<dyn Fn(&BTreeMap<&str, &Value>) -> Result<()> + Send + Sync>;

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Check").field("configs", &self.configs).finish_non_exhaustive()
    }
}

/// What candidates are held against.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) root: &'a Path,
    /// Schemas by configuration; not to be given when validation is switched off.
    pub(crate) schemas: Vec<(&'a str, &'a Schema)>,
    pub(crate) checks: Vec<Arc<Check>>,
    pub(crate) topics: Vec<Arc<dyn Topic>>,
}

/// Configurations that passed everything, with the values their subscribers are about to get.
///
/// Only [`validate`] makes one, and nothing else can be committed.
#[derive(Debug)]
pub(crate) struct Verified {
    candidates: Vec<Arc<Candidate>>,
    ready: Vec<Box<dyn Ready>>,
}

impl Verified {
    /// What is to be committed.
    pub(crate) fn candidates(&self) -> &[Arc<Candidate>] {
        &self.candidates
    }

    /// A handler's refusal of one of them, as an error that says who, and points at what it is about.
    pub(crate) fn veto(&self, veto: &Veto, root: &Path) -> Error {
        let name = veto.proposal.config_name();
        match self.candidates.iter().find(|candidate| candidate.name == name) {
            Some(candidate) => refusal::as_veto(veto, candidate, root),
            None => veto.error.clone(),
        }
    }

    /// What is to be committed, and what is to be handed on once it is.
    pub(crate) fn into_parts(self) -> (Vec<Arc<Candidate>>, Vec<Box<dyn Ready>>) {
        (self.candidates, self.ready)
    }
}

/// Holds candidates against the rules. `others` gives the configurations a topic reads beside them.
///
/// # Errors
///
/// All reasons against them, as one error.
pub(crate) fn validate(
    candidates: Vec<Arc<Candidate>>,
    others: &dyn Fn(&str) -> Option<Arc<Candidate>>,
    rules: &Rules<'_>,
) -> Result<Verified> {
    let find = |name: &str| candidates.iter().find(|c| c.name == name).cloned().or_else(|| others(name));
    let mut problems = Vec::new();
    for candidate in &candidates {
        problems.extend(against_schema(candidate, rules));
    }
    let mut ready = Vec::new();
    for topic in &rules.topics {
        match guarded("decoding", || Arc::clone(topic).decode(&find, rules.root)) {
            Ok(value) => ready.extend(value),
            Err(panic) if panic.kind() == ErrorKind::Panic => {
                // It may quote any of the values that went into it.
                let read = topic.names().iter().filter_map(|name| find(name));
                let said =
                    read.fold(panic.message().to_owned(), |said, config| config.scrubber().scrub(&said));
                problems.push(Error::new(ErrorKind::Panic, said));
            }
            Err(error) => problems.push(error),
        }
    }
    problems.extend(against_checks(&candidates, &find, rules));
    Error::all(problems).map_or(Ok(Verified { candidates, ready }), Err)
}

/// Values that were in use before, to be handed out again. They have passed all checks once, and whoever
/// began to read since then with a type that they do not fit keeps what it has: the errors say so.
pub(crate) fn revert(
    candidates: Vec<Arc<Candidate>>,
    others: &dyn Fn(&str) -> Option<Arc<Candidate>>,
    topics: &[Arc<dyn Topic>],
    root: &Path,
) -> (Verified, Vec<Error>) {
    let find = |name: &str| candidates.iter().find(|c| c.name == name).cloned().or_else(|| others(name));
    let (mut ready, mut errors) = (Vec::new(), Vec::new());
    for topic in topics {
        match guarded("decoding", || Arc::clone(topic).decode(&find, root)) {
            Ok(value) => ready.extend(value),
            Err(error) => errors.push(error),
        }
    }
    (Verified { candidates, ready }, errors)
}

fn against_schema(candidate: &Candidate, rules: &Rules<'_>) -> Vec<Error> {
    let schema = rules.schemas.iter().find(|(name, _)| *name == candidate.name);
    let faults = schema.map(|(_, schema)| schema.faults(candidate)).unwrap_or_default();
    let pointed = faults.into_iter().map(|(pointer, message)| {
        let error = Error::new(ErrorKind::Schema, message).about(candidate.secrets().name(&pointer));
        candidate.point(error, &pointer, rules.root)
    });
    pointed.collect()
}

fn against_checks(
    candidates: &[Arc<Candidate>],
    find: &dyn Fn(&str) -> Option<Arc<Candidate>>,
    rules: &Rules<'_>,
) -> Vec<Error> {
    let concerned =
        |check: &&Arc<Check>| candidates.iter().any(|candidate| check.configs.contains(&candidate.name));
    let refusals = rules.checks.iter().filter(concerned).filter_map(|check| {
        let found: Vec<_> = check.configs.iter().filter_map(|name| find(name)).collect();
        let values = found.iter().map(|candidate| (candidate.name.as_str(), &candidate.value)).collect();
        let refusal = guarded("a check", || (check.run)(&values)).err()?;
        let is_meant = |candidate: &&Arc<Candidate>| refusal.config() == Some(candidate.name.as_str());
        let is_new = |candidate: &&Arc<Candidate>| candidates.iter().any(|new| new.name == candidate.name);
        let meant = found.iter().find(is_meant).or_else(|| found.iter().find(is_new))?;
        Some(as_refusal(&refusal, meant, rules.root))
    });
    refusals.collect()
}

/// Calls user code; its panic becomes an error.
pub(crate) fn guarded<T>(what: &str, user_code: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(user_code)).unwrap_or_else(|panic| {
        let said = panic_text(&*panic);
        Err(Error::new(ErrorKind::Panic, format!("{what} panicked: {said}")))
    })
}
