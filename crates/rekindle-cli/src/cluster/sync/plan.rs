//! What a directory and a store have to take over from each other, by what both had at last. Pure.

use std::collections::{BTreeMap, BTreeSet};

use rekindle_cluster::Digest;

/// Texts by the name of their file, as `shop/prices.json`.
pub(super) type Files = BTreeMap<String, String>;

/// What both had at last.
pub(super) type Base = BTreeMap<String, Digest>;

/// Whose word counts where both have changed the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Ours,
    Theirs,
}

/// What is to be done for both to be the same.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Files of the directory that are to become what the store has; `None`: to go.
    pub(super) here: BTreeMap<String, Option<String>>,
    /// Files of the store that are to become what the directory has; `None`: to go.
    pub(super) there: BTreeMap<String, Option<String>>,
    /// Files that both have changed, each otherwise.
    pub(super) conflicts: BTreeSet<String>,
    /// Of `here`, those whose own change is lost by it.
    pub(super) given_up: BTreeSet<String>,
}

impl Plan {
    /// Compares the three. What only one side has changed the other takes over; what both have, only if `winner` says whose it is.
    pub(super) fn of(base: &Base, ours: &Files, theirs: &Files, winner: Option<Side>) -> Self {
        let names: BTreeSet<&String> = base.keys().chain(ours.keys()).chain(theirs.keys()).collect();
        let mut plan = Self::default();
        for name in names {
            let (here, there) = (ours.get(name), theirs.get(name));
            if here == there {
                continue;
            }
            let is_changed = |text: Option<&String>| text.map(|text| digest(text)) != base.get(name).copied();
            match (is_changed(here), is_changed(there), winner) {
                (true, true, None) => {
                    plan.conflicts.insert(name.clone());
                }
                (true, true, Some(Side::Theirs)) => {
                    plan.given_up.insert(name.clone());
                    plan.here.insert(name.clone(), there.cloned());
                }
                (true, _, _) => {
                    plan.there.insert(name.clone(), here.cloned());
                }
                (false, _, _) => {
                    plan.here.insert(name.clone(), there.cloned());
                }
            }
        }
        plan
    }
}

/// What is there after some files have become something else.
pub(super) fn with(files: &Files, changes: &BTreeMap<String, Option<String>>) -> Files {
    let mut files = files.clone();
    for (name, text) in changes {
        match text {
            Some(text) => files.insert(name.clone(), text.clone()),
            None => files.remove(name),
        };
    }
    files
}

/// Of a file's text.
pub(super) fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

/// What both have, once they are the same.
pub(super) fn base(files: &Files) -> Base {
    files.iter().map(|(name, text)| (name.clone(), digest(text))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn files(some: &[(&str, &str)]) -> Files {
        some.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn what_one_side_changed_the_other_takes_over() {
        let base = base(&files(&[("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")]));
        let ours = files(&[("a", "2"), ("b", "1"), ("d", "1"), ("new", "x")]);
        let theirs = files(&[("a", "1"), ("b", "3"), ("c", "1")]);
        let plan = Plan::of(&base, &ours, &theirs, None);
        assert_eq!(plan.here, BTreeMap::from([("b".into(), Some("3".into())), ("d".into(), None)]));
        let there = [("a".into(), Some("2".into())), ("c".into(), None), ("new".into(), Some("x".into()))];
        assert_eq!((plan.there, plan.conflicts.len()), (BTreeMap::from(there), 0));
    }

    #[test]
    fn what_both_changed_is_a_conflict_unless_it_is_said_whose_word_counts() {
        let base = base(&files(&[("a", "1"), ("b", "1")]));
        let (ours, theirs) = (files(&[("a", "2")]), files(&[("a", "3"), ("b", "4")]));
        let plan = Plan::of(&base, &ours, &theirs, None);
        assert_eq!(plan.conflicts, BTreeSet::from(["a".into(), "b".into()]));
        let plan = Plan::of(&base, &ours, &theirs, Some(Side::Ours));
        assert_eq!(plan.there, BTreeMap::from([("a".into(), Some("2".into())), ("b".into(), None)]));
        let plan = Plan::of(&base, &ours, &theirs, Some(Side::Theirs));
        assert_eq!(with(&ours, &plan.here), theirs);
        assert_eq!(plan.given_up.len(), 2);
    }

    fn some_files() -> impl Strategy<Value = Files> {
        prop::collection::btree_map("[a-d]", "[0-2]", 0..4)
    }

    proptest! {
        #[test]
        fn both_are_the_same_afterwards_and_no_change_is_lost(
            before in some_files(), ours in some_files(), theirs in some_files(),
        ) {
            let base = base(&before);
            let plan = Plan::of(&base, &ours, &theirs, None);
            let (ours_then, theirs_then) = (with(&ours, &plan.here), with(&theirs, &plan.there));
            for name in before.keys().chain(ours.keys()).chain(theirs.keys()) {
                let (now, then) = (ours_then.get(name), theirs_then.get(name));
                if plan.conflicts.contains(name) {
                    prop_assert_eq!((now, then), (ours.get(name), theirs.get(name)));
                    continue;
                }
                prop_assert_eq!(now, then);
                for side in [&ours, &theirs] {
                    prop_assert!(side.get(name) == before.get(name) || side.get(name) == now);
                }
            }
            prop_assert!(plan.given_up.is_empty());
            if plan.conflicts.is_empty() {
                prop_assert_eq!(Plan::of(&super::base(&ours_then), &ours_then, &theirs_then, None), Plan::default());
            }
            for side in [Side::Ours, Side::Theirs] {
                let plan = Plan::of(&base, &ours, &theirs, Some(side));
                prop_assert!(plan.conflicts.is_empty());
                prop_assert_eq!(with(&ours, &plan.here), with(&theirs, &plan.there));
            }
        }
    }
}
