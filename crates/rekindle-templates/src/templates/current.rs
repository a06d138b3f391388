//! [`Current`]: what is in use at one moment.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::graph::Graph;
use super::version::Versions;
use crate::problem::TemplateProblem;

/// The set in use, and what is wrong. It never changes: another takes its place.
pub(crate) struct Current<R> {
    /// 1 for the first set, one more for each that takes its place.
    pub(crate) generation: u64,
    pub(crate) raw: Arc<R>,
    pub(crate) versions: Arc<Versions>,
    pub(crate) graph: Arc<Graph>,
    pub(crate) digest: Arc<BTreeMap<String, u64>>,
    /// In the order of the templates' names.
    pub(crate) problems: Arc<[TemplateProblem]>,
    /// Templates that are on disk and not in the set, with what keeps them out.
    pub(crate) kept_out: BTreeMap<String, Arc<TemplateProblem>>,
}

impl<R> Current<R> {
    /// No template at all.
    pub(crate) fn empty(raw: Arc<R>) -> Self {
        Self {
            generation: 0,
            raw,
            versions: Arc::default(),
            graph: Arc::default(),
            digest: Arc::default(),
            problems: Arc::new([]),
            kept_out: BTreeMap::new(),
        }
    }
}

impl<R> fmt::Debug for Current<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current")
            .field("generation", &self.generation)
            .field("templates", &self.versions.len())
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}
