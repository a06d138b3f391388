//! What must hold of a fleet, whatever happens to it.

use std::collections::BTreeSet;

use super::{Node, World};
use crate::model::{Head, Outcome, Release};
use crate::rollout::coordinator::Fleet;

impl World {
    /// One candidate after the other; each that ends is noted, and no step takes more than its share.
    pub(super) fn check_step(&mut self, next: &Head) {
        let (before, after) = (self.head.candidate.as_ref(), next.candidate.as_ref());
        if let Some(candidate) = before {
            match after {
                Some(same) => assert_eq!(same.release, candidate.release, "never two at once"),
                None => {
                    let ended = next.last.as_ref().expect("an end is noted");
                    assert_eq!(ended.release, candidate.release);
                    if ended.outcome == Outcome::Refused {
                        let rollout = candidate.release.rollout;
                        let users = self.used.range((rollout, 0)..(rollout + 1, 0)).count();
                        assert_eq!(users, 0, "refused, and used already");
                    }
                    self.ends.push((ended.release, ended.outcome));
                }
            }
        }
        if let Some(candidate) = after {
            self.widest.insert(candidate.release.rollout, next.clone());
        }
    }

    /// Nobody uses what it was not chosen for, or refuses.
    pub(super) fn check_exposure(&mut self, at: usize, release: Release) {
        assert!(!self.refuses(at, release.payload), "an engine took what it refuses");
        let is_stable = self.ends.contains(&(release, Outcome::Promoted));
        let instance = self.nodes[at].part.says();
        let widest = self.widest.get(&release.rollout).and_then(|head| head.candidate.as_ref());
        let is_chosen = widest.is_some_and(|candidate| candidate.selects(instance));
        assert!(is_stable || is_chosen, "{} uses {release:?} unasked", instance.id);
        self.used.insert((release.rollout, at));
    }

    /// Everything that was published has come to an end, and everybody uses what is stable.
    pub(super) fn check_end(&self) {
        assert!(self.head.candidate.is_none(), "a rollout never ends: {:?}", self.head);
        let ended: BTreeSet<u64> = self.ends.iter().map(|(release, _)| release.rollout).collect();
        for release in &self.published {
            assert!(ended.contains(&release.rollout), "{release:?} was lost");
        }
        if let Some(other) = self.other_than_stable() {
            panic!("{:?} is not on {:?}", self.nodes[other].part.says(), self.head.stable);
        }
    }

    /// Nothing is under way, and everybody is there.
    pub(super) fn is_settled(&self) -> bool {
        let is_there = |node: &Node| node.is_up && !node.is_cut && !node.is_stopped;
        self.head.candidate.is_none() && self.nodes.iter().all(is_there) && self.other_than_stable().is_none()
    }

    /// An instance that does not use what is stable, and could.
    fn other_than_stable(&self) -> Option<usize> {
        (0..self.nodes.len()).find(|at| {
            let says = self.nodes[*at].part.says();
            let refuses = self
                .head
                .stable
                .is_some_and(|stable| self.refuses(*at, stable.payload) || says.trouble.is_some());
            says.applied != self.head.stable && !refuses
        })
    }
}

/// A step takes no more of those who are there than its share, but at least one.
pub(super) fn check_share(before: &Head, after: &Head, fleet: &Fleet) {
    let (Some(before), Some(after)) = (&before.candidate, &after.candidate) else { return };
    if after.below == before.below {
        return;
    }
    let allowed = (fleet.len() * usize::from(after.share) / 1000).max(1);
    let taken = fleet.keys().filter(|id| after.place(id) < after.below).count();
    assert!(taken <= allowed, "{taken} of {} are more than {allowed}", fleet.len());
}
