//! Which version of each template belongs into the next set. Pure.
//!
//! In: what is on disk, and the set in use, in which everything that is needed is there. Out: the next such
//! set, made of the newest version of each template with which that holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::graph::components;
use super::version::{Disk, OnDisk, Version, Versions};
use crate::engine::{Reference, Target};
use crate::problem::TemplateProblem;

/// What a set is made from.
pub(crate) struct Inputs<'a> {
    pub(crate) disk: &'a Disk,
    /// The set in use.
    pub(crate) used: &'a Versions,
    /// Templates whose newest version the engine did not take together with the others, and why.
    pub(crate) refused: &'a BTreeMap<String, TemplateProblem>,
    /// Whether the engine has a template without a file.
    pub(crate) has: &'a dyn Fn(&str) -> bool,
}

/// Something that is needed and not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Missing {
    /// What: a template, or a component.
    pub(crate) what: String,
    pub(crate) is_component: bool,
    /// The template that needs it.
    pub(crate) user: String,
    /// Where in the newest version of that template, in bytes.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The next set.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) versions: Versions,
    /// What newest versions need and nobody has.
    pub(crate) missing: BTreeSet<Missing>,
}

/// Makes the next set.
///
/// A version falls back to the one in use when it needs what is not there; what was removed stays as long as
/// somebody needs it. Neither is ever taken back in the same call, and so this ends.
pub(crate) fn resolve(inputs: &Inputs<'_>) -> Resolved {
    let mut resolved = Resolved { versions: newest(inputs), missing: BTreeSet::new() };
    loop {
        let steps = next_steps(inputs, &mut resolved);
        if steps.is_empty() {
            return resolved;
        }
        for (name, step) in steps {
            match step {
                Step::Use(version) => drop(resolved.versions.insert(name, version)),
                Step::Leave => drop(resolved.versions.remove(&name)),
            }
        }
    }
}

/// A change to the set that is being made.
enum Step {
    Use(Arc<Version>),
    Leave,
}

/// The newest version of each template that is on disk, or else the one in use.
fn newest(inputs: &Inputs<'_>) -> Versions {
    let versions = inputs.disk.iter().filter_map(|(name, on_disk)| {
        let newest = match on_disk {
            OnDisk::Good(version) if !inputs.refused.contains_key(name) => Some(version),
            OnDisk::Good(_) | OnDisk::Bad(_) => inputs.used.get(name),
        };
        Some((name.clone(), Arc::clone(newest?)))
    });
    versions.collect()
}

/// What is to be changed because something that is needed is not there.
fn next_steps(inputs: &Inputs<'_>, resolved: &mut Resolved) -> Vec<(String, Step)> {
    let Resolved { versions, missing } = resolved;
    let components = components(versions);
    let is_there = |reference: &Reference| match &reference.target {
        Target::Templates(names) => {
            names.iter().any(|name| versions.contains_key(name) || (inputs.has)(name))
        }
        Target::Component(component) => components.contains_key(component.as_str()),
        Target::Any => true,
    };
    let mut steps = Vec::new();
    for (name, version) in versions.iter() {
        let needed = version.references().iter().filter(|reference| reference.needed);
        for reference in needed.filter(|reference| !is_there(reference)) {
            missing.extend(absence(inputs.disk, name, version, reference));
            steps.extend(remedy(inputs.used, name, version, reference));
        }
    }
    steps
}

/// What to do about a template that needs what is not there.
fn remedy(
    used: &Versions,
    name: &str,
    version: &Arc<Version>,
    reference: &Reference,
) -> Option<(String, Step)> {
    if let Some((back, removed)) = in_use(used, reference) {
        return Some((back.to_owned(), Step::Use(Arc::clone(removed))));
    }
    match used.get(name) {
        Some(last) if Arc::ptr_eq(last, version) => None,
        Some(last) => Some((name.to_owned(), Step::Use(Arc::clone(last)))),
        None => Some((name.to_owned(), Step::Leave)),
    }
}

/// What a tag led to in the set in use.
fn in_use<'a>(used: &'a Versions, reference: &Reference) -> Option<(&'a str, &'a Arc<Version>)> {
    let found = match &reference.target {
        Target::Templates(names) => names.iter().find_map(|name| used.get_key_value(name)),
        Target::Component(component) => {
            used.iter().find(|(_, version)| version.parsed.components.contains(component))
        }
        Target::Any => None,
    };
    found.map(|(name, version)| (name.as_str(), version))
}

/// What to say about it: nothing when what is needed is on disk and broken, for that is said already, or
/// when it is not the newest version that needs it.
fn absence(disk: &Disk, user: &str, version: &Arc<Version>, reference: &Reference) -> Option<Missing> {
    let is_newest = matches!(disk.get(user), Some(OnDisk::Good(newest)) if Arc::ptr_eq(newest, version));
    let (what, is_component) = match &reference.target {
        Target::Templates(names) if names.iter().any(|name| disk.contains_key(name)) => return None,
        Target::Templates(names) => (names.first()?, false),
        Target::Component(component) => (component, true),
        Target::Any => return None,
    };
    let missing = Missing {
        what: what.clone(),
        is_component,
        user: user.to_owned(),
        start: reference.span.start,
        end: reference.span.end,
    };
    is_newest.then_some(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Parsed;
    use crate::problem::ProblemKind;
    use crate::templates::version::Bad;

    /// A version that needs these; `?` before a name: it can do without.
    fn version(hash: u64, needs: &[&str]) -> Arc<Version> {
        let references = needs.iter().map(|name| Reference {
            target: Target::Templates(name.trim_start_matches('?').split('|').map(str::to_owned).collect()),
            needed: !name.starts_with('?'),
            span: 0..1,
        });
        let parsed = Parsed { references: references.collect(), components: Vec::new() };
        Arc::new(Version { source: " ".into(), hash, parsed })
    }

    fn bad() -> OnDisk {
        let problem = TemplateProblem::new(ProblemKind::Syntax, "", "");
        OnDisk::Bad(Arc::new(Bad { problem, hash: None, may_pass: false }))
    }

    fn set<const N: usize>(versions: [(&str, Arc<Version>); N]) -> Versions {
        versions.map(|(name, version)| (name.to_owned(), version)).into()
    }

    fn disk<const N: usize>(versions: [(&str, Arc<Version>); N]) -> Disk {
        versions.map(|(name, version)| (name.to_owned(), OnDisk::Good(version))).into()
    }

    /// The next set as `name=hash`, and what is missing as `user→what`.
    fn next(disk: &Disk, used: &Versions) -> (Vec<String>, Vec<String>) {
        let inputs = Inputs { disk, used, refused: &BTreeMap::new(), has: &|name| name == "builtin" };
        let Resolved { versions, missing } = resolve(&inputs);
        let versions = versions.iter().map(|(name, version)| format!("{name}={}", version.hash));
        let missing = missing.iter().map(|missing| format!("{}→{}", missing.user, missing.what));
        (versions.collect(), missing.collect())
    }

    #[test]
    fn the_newest_of_each_is_taken_where_everything_is_there() {
        let disk = disk([("a", version(2, &["b", "?nowhere", "builtin", "no|b"])), ("b", version(2, &[]))]);
        let (set, missing) = next(&disk, &set([("a", version(1, &[])), ("gone", version(1, &[]))]));
        assert_eq!((set, missing), (vec!["a=2".into(), "b=2".into()], vec![]));
    }

    #[test]
    fn what_is_broken_keeps_its_last_good_one() {
        let mut disk = disk([("b", version(2, &["a"]))]);
        disk.insert("a".into(), bad());
        let (next, missing) = next(&disk, &set([("a", version(1, &[])), ("b", version(1, &[]))]));
        assert_eq!((next, missing), (vec!["a=1".into(), "b=2".into()], vec![]));
    }

    #[test]
    fn what_has_never_been_good_keeps_those_out_that_are_new_and_need_it() {
        let mut disk =
            disk([("new", version(2, &["mid"])), ("mid", version(2, &["a"])), ("old", version(2, &["a"]))]);
        disk.insert("a".into(), bad());
        let (next, missing) = next(&disk, &set([("old", version(1, &[]))]));
        assert_eq!((next, missing), (vec!["old=1".into()], vec![]), "what is wrong with `a` is said already");
    }

    #[test]
    fn what_was_removed_stays_as_long_as_it_is_needed_and_so_does_what_it_needs() {
        let user = version(1, &["a"]);
        let used = set([("user", Arc::clone(&user)), ("a", version(1, &["b"])), ("b", version(1, &[]))]);
        let (next, missing) = next(&disk([("user", user)]), &used);
        assert_eq!(next, ["a=1", "b=1", "user=1"]);
        assert_eq!(missing, ["user→a"]);
    }

    #[test]
    fn what_only_an_old_version_needs_is_not_missed() {
        let used = set([("user", version(1, &["a"])), ("a", version(1, &[]))]);
        let mut disk = disk([]);
        disk.insert("user".into(), bad());
        assert_eq!(next(&disk, &used), (vec!["a=1".into(), "user=1".into()], vec![]));
    }

    #[test]
    fn one_that_needs_nothing_there_falls_back_and_does_not_take_others_along() {
        let used = set([("a", version(1, &[])), ("b", version(1, &["a"]))]);
        let disk = disk([("a", version(2, &["nowhere"])), ("b", version(2, &["a"]))]);
        assert_eq!(next(&disk, &used), (vec!["a=1".into(), "b=2".into()], vec!["a→nowhere".into()]));
    }

    #[test]
    fn a_circle_is_a_set_like_any() {
        let disk = disk([("a", version(1, &["b"])), ("b", version(1, &["a"])), ("c", version(1, &["c"]))]);
        assert_eq!(next(&disk, &set([])).0, ["a=1", "b=1", "c=1"]);
    }
}
