//! [`Compiler`]: from what is on disk to the next set. It runs on a thread of its own, and has no lock.
//!
//! In: paths that changed. Out: a [`Current`] to take the place of the one in use.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use super::current::Current;
use super::graph::Graph;
use super::report::Report;
use super::resolve::{Inputs, Resolved, resolve};
use super::version::{Bad, Disk, OnDisk, Version, Versions};
use crate::engine::{Edit, Engine, Fault};
use crate::files::{self, Scope, Text};
use crate::inbox::Work;
use crate::problem::{ProblemKind, TemplateProblem};

/// What is known of the files of one scope.
pub(crate) struct Compiler<E: Engine> {
    scope: Scope,
    /// The configured engine without the templates of files.
    base: Arc<E::Raw>,
    disk: Disk,
}

impl<E: Engine> Compiler<E> {
    pub(crate) fn new(scope: Scope, base: Arc<E::Raw>) -> Self {
        Self { scope, base, disk: Disk::new() }
    }

    /// Whether something may be mended without anybody telling.
    pub(crate) fn has_to_try_again(&self) -> bool {
        self.unreadable().next().is_some()
    }

    fn unreadable(&self) -> impl Iterator<Item = &String> {
        let may_pass = |on_disk: &OnDisk| matches!(on_disk, OnDisk::Bad(bad) if bad.may_pass);
        self.disk.iter().filter(move |(_, on_disk)| may_pass(on_disk)).map(|(name, _)| name)
    }

    /// Looks at the files that are to be looked at.
    pub(crate) fn look(&mut self, work: &Work, used: &Versions) {
        let root = self.scope.root().canonicalize().unwrap_or_else(|_| self.scope.root().to_path_buf());
        let mut names: BTreeSet<String> = self.unreadable().cloned().collect();
        names.extend(work.paths.iter().filter_map(|path| self.scope.name(path)));
        if work.everything {
            names.extend(self.disk.keys().cloned());
            names.extend(files::list(&self.scope, &root));
        }
        for name in names {
            self.look_at(name, &root, used);
        }
    }

    fn look_at(&mut self, name: String, root: &Path, used: &Versions) {
        let known = self.disk.get(&name);
        let now = match files::read(&self.scope.path(&name), root) {
            Ok(None) => None,
            Ok(Some(text)) if known.is_some_and(|known| known.hash() == Some(text.hash)) => return,
            Ok(Some(text)) => Some(self.judge(&name, text, used)),
            Err(fault) => {
                let problem = self.problem(ProblemKind::Unreadable, &name, fault.message);
                Some(OnDisk::Bad(Arc::new(Bad { problem, hash: None, may_pass: fault.may_pass })))
            }
        };
        match now {
            Some(now) => drop(self.disk.insert(name, now)),
            None => drop(self.disk.remove(&name)),
        }
    }

    /// A file's text: whether the engine takes it, if that is not known.
    fn judge(&self, name: &str, text: Text, used: &Versions) -> OnDisk {
        if let Some(same) = used.get(name).filter(|version| version.hash == text.hash) {
            return OnDisk::Good(Arc::clone(same));
        }
        match guarded(name, || E::parse(&self.base, name, &text.text)) {
            Ok(parsed) => OnDisk::Good(Arc::new(Version { source: text.text, hash: text.hash, parsed })),
            Err(fault) => {
                let problem = self.fault_in(ProblemKind::Syntax, name, &text.text, &fault);
                OnDisk::Bad(Arc::new(Bad { problem, hash: Some(text.hash), may_pass: false }))
            }
        }
    }

    /// The set that belongs into the place of the one in use: that one itself when nothing differs.
    pub(crate) fn compile(&self, used: &Current<E::Raw>) -> Current<E::Raw> {
        let mut refused = BTreeMap::<String, TemplateProblem>::new();
        loop {
            let resolved = self.resolve(used, &refused);
            let fault = match self.build(&resolved.versions, used) {
                Ok(raw) => return self.finish(raw, resolved, &refused, None, used),
                Err(fault) => fault,
            };
            let problem = self.fault_of_set(&fault, &resolved.versions);
            let culprits = culprits(&fault, &resolved.versions, &used.versions);
            if culprits.is_empty() {
                let resolved = Resolved { versions: (*used.versions).clone(), ..resolved };
                return self.finish(Arc::clone(&used.raw), resolved, &refused, Some(problem), used);
            }
            refused.extend(culprits.into_iter().map(|name| (name, problem.clone())));
        }
    }

    fn resolve(&self, used: &Current<E::Raw>, refused: &BTreeMap<String, TemplateProblem>) -> Resolved {
        let has = |name: &str| E::has(&self.base, name);
        resolve(&Inputs { disk: &self.disk, used: &used.versions, refused, has: &has })
    }

    fn build(&self, versions: &Versions, used: &Current<E::Raw>) -> Result<Arc<E::Raw>, Fault> {
        let (changed, removed) = difference(&used.versions, versions);
        if changed.is_empty() && removed.is_empty() {
            return Ok(Arc::clone(&used.raw));
        }
        let all = versions.iter().map(|(name, version)| (name.as_str(), version.source.as_str())).collect();
        let edit = Edit { base: &*self.base, previous: &*used.raw, all: &all, changed, removed };
        guarded("", || E::build(&edit)).map(Arc::new)
    }

    fn finish(
        &self,
        raw: Arc<E::Raw>,
        resolved: Resolved,
        refused: &BTreeMap<String, TemplateProblem>,
        of_set: Option<TemplateProblem>,
        used: &Current<E::Raw>,
    ) -> Current<E::Raw> {
        let Resolved { versions, missing } = resolved;
        let report = Report::new(&self.scope, &self.disk, &versions, refused, &missing);
        let (kept_out, mut problems) = (report.kept_out(), report.problems());
        problems.extend(of_set);
        let differs = used.generation == 0 || !Arc::ptr_eq(&raw, &used.raw);
        Current {
            generation: used.generation + u64::from(differs),
            raw,
            graph: if differs { Arc::new(Graph::new(&versions)) } else { Arc::clone(&used.graph) },
            digest: if differs { Arc::new(digest(&versions)) } else { Arc::clone(&used.digest) },
            versions: if differs { Arc::new(versions) } else { Arc::clone(&used.versions) },
            problems: problems.into(),
            kept_out,
        }
    }

    fn problem(&self, kind: ProblemKind, name: &str, message: impl Into<String>) -> TemplateProblem {
        TemplateProblem::new(kind, name, message).in_file(self.scope.shown(name))
    }

    fn fault_in(&self, kind: ProblemKind, name: &str, text: &str, fault: &Fault) -> TemplateProblem {
        let problem = self.problem(kind, name, &fault.message);
        match &fault.place {
            Some(place) => problem.at(text, place),
            None => problem,
        }
    }

    /// What the engine says against a set as a whole.
    fn fault_of_set(&self, fault: &Fault, versions: &Versions) -> TemplateProblem {
        let name = fault.template.as_deref().unwrap_or_default();
        match versions.get(name) {
            Some(version) => self.fault_in(ProblemKind::Syntax, name, &version.source, fault),
            None => TemplateProblem::new(ProblemKind::Set, self.scope.pattern(), &fault.message),
        }
    }
}

/// Which newest versions are to blame: that of the template at fault, or those it uses, or all there are.
fn culprits(fault: &Fault, versions: &Versions, used: &Versions) -> Vec<String> {
    let (changed, _) = difference(used, versions);
    let Some(at_fault) = fault.template.as_deref().filter(|name| versions.contains_key(*name)) else {
        return changed.into_iter().map(str::to_owned).collect();
    };
    if changed.contains(&at_fault) {
        return vec![at_fault.to_owned()];
    }
    let graph = Graph::new(versions);
    let uses = |name: &&&str| graph.affected([**name]).contains(at_fault);
    let used_by_it: Vec<String> = changed.iter().filter(uses).map(|name| (*name).to_owned()).collect();
    if used_by_it.is_empty() { changed.into_iter().map(str::to_owned).collect() } else { used_by_it }
}

/// Names that are new or hold something else, and names that are gone.
pub(super) fn difference<'a>(before: &'a Versions, now: &'a Versions) -> (Vec<&'a str>, Vec<&'a str>) {
    let differs = |(name, version): &(&String, &Arc<Version>)| {
        before.get(*name).is_none_or(|known| known.hash != version.hash)
    };
    let changed = now.iter().filter(differs).map(|(name, _)| name.as_str());
    let removed = before.keys().filter(|name| !now.contains_key(*name)).map(String::as_str);
    (changed.collect(), removed.collect())
}

fn digest(versions: &Versions) -> BTreeMap<String, u64> {
    versions.iter().map(|(name, version)| (name.clone(), version.hash)).collect()
}

/// An engine that panics over a source has found a fault in it, too.
fn guarded<T>(name: &str, call: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        let message = format!("the engine panicked over it: {}", said.unwrap_or_else(|| "no message".into()));
        Err(Fault { template: (!name.is_empty()).then(|| name.to_owned()), place: None, message })
    })
}
