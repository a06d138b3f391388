//! [`Report`]: what is to be said about what is on disk. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::graph::Graph;
use super::resolve::Missing;
use super::version::{Disk, OnDisk, Versions};
use crate::files::Scope;
use crate::place::{Place, line_and_column};
use crate::problem::{ChainLink, ProblemKind, TemplateProblem};

/// What is known of the newest versions.
pub(super) struct Report<'a> {
    scope: &'a Scope,
    disk: &'a Disk,
    /// The set in use from now on.
    versions: &'a Versions,
    refused: &'a BTreeMap<String, TemplateProblem>,
    missing: &'a BTreeSet<Missing>,
    /// The newest versions, or where there is none those in use.
    newest: Versions,
    graph: Graph,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        scope: &'a Scope,
        disk: &'a Disk,
        versions: &'a Versions,
        refused: &'a BTreeMap<String, TemplateProblem>,
        missing: &'a BTreeSet<Missing>,
    ) -> Self {
        let mut newest = versions.clone();
        for (name, on_disk) in disk {
            if let OnDisk::Good(version) = on_disk {
                newest.insert(name.clone(), Arc::clone(version));
            }
        }
        let graph = Graph::new(&newest);
        Self { scope, disk, versions, refused, missing, newest, graph }
    }

    /// Everything that is wrong, in the order of the templates' names.
    pub(super) fn problems(&self) -> Vec<TemplateProblem> {
        let mut problems: BTreeMap<(String, ProblemKind), TemplateProblem> = BTreeMap::new();
        let broken = self.disk.keys().filter_map(|name| self.own_problem(name));
        for problem in broken.map(|problem| self.with_chain(problem)).chain(self.absences()) {
            problems.entry((problem.template.clone(), problem.kind)).or_insert(problem);
        }
        problems.into_values().collect()
    }

    /// What is wrong with a template's newest source itself.
    fn own_problem(&self, name: &str) -> Option<&TemplateProblem> {
        match self.disk.get(name)? {
            OnDisk::Bad(bad) => Some(&bad.problem),
            OnDisk::Good(_) => self.refused.get(name),
        }
    }

    fn with_chain(&self, problem: &TemplateProblem) -> TemplateProblem {
        problem.clone().by_way_of(self.graph.chain_to(&problem.template))
    }

    /// One problem for each thing that is missing: at the tag that is reached in the fewest steps.
    fn absences(&self) -> impl Iterator<Item = TemplateProblem> {
        let mut first = BTreeMap::<&str, TemplateProblem>::new();
        for missing in self.missing {
            let problem = self.absence(missing);
            let known = first.get(missing.what.as_str());
            if known.is_none_or(|known| problem.chain.len() < known.chain.len()) {
                first.insert(&missing.what, problem);
            }
        }
        first.into_values()
    }

    fn absence(&self, missing: &Missing) -> TemplateProblem {
        let source = self.newest.get(&missing.user).map_or("", |version| version.source.as_str());
        let line = line_and_column(source, missing.start).0;
        let mut chain = self.graph.chain_to(&missing.user);
        chain.push(ChainLink { template: missing.user.clone(), line });
        TemplateProblem::new(ProblemKind::Missing, &missing.what, self.words(missing))
            .in_file(self.scope.shown(&missing.user))
            .at(source, &Place::Span(missing.start..missing.end))
            .by_way_of(chain)
    }

    fn words(&self, missing: &Missing) -> String {
        let Missing { what, user, is_component, .. } = missing;
        let sort = if *is_component { "component" } else { "template" };
        if !is_component && self.versions.contains_key(what) {
            return format!(
                "the {sort} `{what}` is gone and still used here; the last good one stays in use"
            );
        }
        let stays = if self.versions.contains_key(user) { "; the last good set stays in use" } else { "" };
        format!("there is no {sort} `{what}`{stays}")
    }

    /// The templates that are on disk and not in the set, with what keeps them out.
    pub(super) fn kept_out(&self) -> BTreeMap<String, Arc<TemplateProblem>> {
        let names = self.disk.keys().filter(|name| !self.versions.contains_key(*name));
        names.filter_map(|name| Some((name.clone(), Arc::new(self.reason(name)?)))).collect()
    }

    /// What keeps a template out: its own fault, or that of the nearest that it uses.
    fn reason(&self, name: &str) -> Option<TemplateProblem> {
        let (mut seen, mut layer) = (BTreeSet::from([name]), vec![name]);
        while !layer.is_empty() {
            if let Some(problem) = layer.iter().find_map(|at| self.direct_reason(name, at)) {
                return Some(problem);
            }
            let next = layer.iter().flat_map(|at| self.graph.uses(at));
            layer = next.filter(|at| seen.insert(at)).collect();
        }
        None
    }

    fn direct_reason(&self, from: &str, at: &str) -> Option<TemplateProblem> {
        let mut chain = self.graph.chain_between(from, at);
        if let Some(problem) = self.own_problem(at) {
            return Some(problem.clone().by_way_of(chain));
        }
        let problem = self.absence(self.missing.iter().find(|missing| missing.user == at)?);
        chain.extend(problem.chain.last().cloned());
        Some(problem.by_way_of(chain))
    }
}
