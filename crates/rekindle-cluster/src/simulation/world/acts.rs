//! What people, machines and the network do to a fleet.

use std::time::Duration;

use super::{Event, NETWORK, World, named};
use crate::model::{Digest, Instance, Plan, Step};
use crate::rollout::participant::Participant;
use crate::rollout::request;

/// Before it is looked whether all has come to an end.
const LEAST_REST: Duration = Duration::from_secs(60);

impl World {
    pub(super) fn publish(&mut self) {
        if self.now > self.end() {
            return;
        }
        let wait = Duration::from_secs(1 + self.random.below(60));
        self.after(wait, Event::Publish);
        // Several at once, made of the same head.
        let revision = self.revision;
        let base = self.head.clone();
        for _ in 0..1 + self.random.below(3) {
            let payload = Digest::of(&self.random.next().to_be_bytes());
            let steps = [100, 500, 1000].map(Step::Share).to_vec();
            let plan = Plan { steps, bake_ms: 2_000, patience_ms: 10_000, ..Plan::default() };
            let made = request::publish(&base, payload, plan, format!("{payload}"));
            if let Ok(head) = made
                && revision == self.revision
            {
                self.published.push(head.candidate.as_ref().expect("it was just made").release);
                self.commit(head);
            }
        }
    }

    pub(super) fn trouble(&mut self) {
        if self.now > self.end() {
            return;
        }
        let wait = Duration::from_millis(200 + self.random.below(8000));
        self.after(wait, Event::Trouble);
        let size = u64::try_from(self.nodes.len()).expect("it fits");
        let first = self.random.below(size);
        let last = if self.random.per_mille(200) { first + self.random.below(size) } else { first };
        let what = self.random.below(3);
        // Half of the time it is the coordinator.
        let chosen = self.coordinator.map(|(at, _)| at).filter(|_| self.random.per_mille(500));
        for number in first..=last {
            let at = usize::try_from(number % size).expect("it fits");
            let at = chosen.filter(|_| first == last).unwrap_or(at);
            let node = &mut self.nodes[at];
            match what {
                0 => node.is_cut = true,
                1 => node.is_stopped = true,
                _ => {
                    node.is_up = false;
                    node.coordinator = None;
                    node.held.clear();
                }
            }
            let mends = Duration::from_millis(self.random.below(15_000));
            self.after(mends, Event::Mend(at));
        }
    }

    pub(super) fn mend(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        node.is_cut = false;
        node.is_stopped = false;
        let held = std::mem::take(&mut node.held);
        if !node.is_up {
            // A new process: it has what it had on disk, and a name that it had before.
            let applied = node.part.says().applied;
            node.is_up = true;
            node.life += 1;
            node.told = None;
            node.sent = 0;
            node.seen = 0;
            node.look = None;
            node.part = Participant::new(Instance { applied, ..named(at) });
            let life = node.life;
            self.after(NETWORK, Event::Beat(at, life));
        }
        held.into_iter().for_each(|event| self.after(Duration::ZERO, event));
    }

    /// Goes on with what waits for a person; now and then ends it.
    pub(super) fn person(&mut self) {
        self.after(Duration::from_secs(5), Event::Person);
        self.is_over = self.now > self.end() + LEAST_REST && self.is_settled();
        if self.head.candidate.as_ref().is_some_and(|candidate| candidate.paused.is_some()) {
            let is_over = self.random.per_mille(300);
            let asked =
                if is_over { request::abort(&self.head, "by hand") } else { request::approve(&self.head) };
            self.commit(asked.expect("it is paused"));
        }
    }
}
