//! The store, the network and the engines of a simulated fleet, and what must hold of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::time::{Duration, Instant};

use super::random::Random;
use crate::model::{Digest, Head, Instance, Outcome, Plan, Release, Step};
use crate::rollout::coordinator::{Coordinator, Decision, Fleet};
use crate::rollout::participant::{Participant, Task};
use crate::rollout::request;

const NETWORK: Duration = Duration::from_millis(2);
const ENGINE: Duration = Duration::from_millis(20);
const LEASE: Duration = Duration::from_secs(10);
/// How often the store looks for leases that have ended.
const EXPIRY: Duration = Duration::from_millis(500);
const RETRY: Duration = Duration::from_millis(500);
/// Coordinators look at what has changed this often.
const LOOK: Duration = Duration::from_millis(10);
/// What is under way then has time to come to an end.
const REST: Duration = Duration::from_secs(300);

/// How often what happens, per mille.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chances {
    lost: u64,
    trouble: u64,
    refusing: u64,
    sick: u64,
    /// For how long there is trouble, and something is published.
    busy: Duration,
}

impl Chances {
    pub(super) fn none() -> Self {
        Self { lost: 0, trouble: 0, refusing: 0, sick: 0, busy: Duration::from_secs(200) }
    }

    pub(super) fn trouble() -> Self {
        Self { lost: 50, trouble: 1000, refusing: 150, sick: 150, busy: Duration::from_secs(200) }
    }
}

#[derive(Debug)]
enum Event {
    /// An instance sees the head.
    Sees(usize, u64, Box<Head>),
    /// What an instance says of itself arrives.
    Says(usize, u64, u64, Box<Instance>),
    /// An engine has done what it was asked for.
    Done(usize, u64, Task),
    /// An engine is well with a release, or not.
    Health(usize, u64, Release),
    /// An instance tries to be heard again.
    Again(usize, u64),
    /// An instance keeps its lease, and tries to be coordinator.
    Beat(usize, u64),
    /// The coordinator of a term looks.
    Look(usize, u64),
    /// Its write arrives.
    Write(u64, u64, Box<Head>),
    Publish,
    Trouble,
    Mend(usize),
    Person,
}

/// Of an instance, in the order of time.
#[derive(Debug)]
struct Node {
    part: Participant,
    /// Rises when it is started anew; what was begun before does not count.
    life: u64,
    is_up: bool,
    /// Nothing goes in or out.
    is_cut: bool,
    /// It does nothing, but what it has begun goes out when it goes on.
    is_stopped: bool,
    lease: Instant,
    /// What it wrote last of itself.
    told: Option<Instance>,
    coordinator: Option<(u64, Coordinator)>,
    look: Option<Instant>,
    /// The revision of the head that it has, or is sent.
    sent: u64,
    seen: u64,
    /// How often it has told of itself.
    words: u64,
    held: Vec<Event>,
}

pub(super) struct World {
    random: Random,
    chances: Chances,
    began: Instant,
    now: Instant,
    number: u64,
    queue: BinaryHeap<Reverse<(Instant, u64)>>,
    events: HashMap<u64, Event>,
    nodes: Vec<Node>,
    head: Head,
    revision: u64,
    fleet: Fleet,
    coordinator: Option<(usize, Instant)>,
    published: Vec<Release>,
    ends: Vec<(Release, Outcome)>,
    /// Who has ever used what.
    used: BTreeSet<(u64, usize)>,
    /// Everything that a rollout has ever allowed.
    widest: BTreeMap<u64, Head>,
    expired: Instant,
}

impl World {
    pub(super) fn new(random: Random, size: usize, chances: Chances) -> Self {
        let began = Instant::now();
        let node = |number: usize| Node {
            part: Participant::new(named(number)),
            life: 0,
            is_up: true,
            is_cut: false,
            is_stopped: false,
            lease: began + LEASE,
            told: None,
            coordinator: None,
            look: None,
            sent: 0,
            seen: 0,
            words: 0,
            held: Vec::new(),
        };
        let mut world = Self {
            random,
            chances,
            began,
            now: began,
            number: 0,
            queue: BinaryHeap::new(),
            events: HashMap::new(),
            nodes: (0..size).map(node).collect(),
            head: Head::new(1),
            revision: 0,
            fleet: Fleet::new(),
            coordinator: None,
            published: Vec::new(),
            ends: Vec::new(),
            used: BTreeSet::new(),
            widest: BTreeMap::new(),
            expired: began,
        };
        for at in 0..size {
            let soon = world.random.delay(NETWORK);
            world.after(soon, Event::Beat(at, 0));
        }
        world.after(Duration::from_secs(2), Event::Publish);
        world.after(Duration::from_secs(5), Event::Person);
        if chances.trouble > 0 {
            world.after(Duration::from_secs(1), Event::Trouble);
        }
        world
    }

    fn after(&mut self, wait: Duration, event: Event) {
        self.number += 1;
        self.queue.push(Reverse((self.now + wait, self.number)));
        self.events.insert(self.number, event);
    }

    pub(super) fn run(&mut self) {
        while let Some(Reverse((at, number))) = self.queue.pop() {
            if at > self.began + self.chances.busy + REST {
                break;
            }
            self.now = at;
            let event = self.events.remove(&number).expect("it was put there");
            self.happens(event);
        }
        self.check_end();
    }

    pub(super) fn ends(&self) -> Vec<&'static str> {
        self.ends.iter().map(|(_, outcome)| outcome.as_str()).collect()
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Sees(at, ..) | Event::Done(at, ..) | Event::Look(at, _) | Event::Health(at, ..)
                if self.nodes[at].is_stopped =>
            {
                self.nodes[at].held.push(event);
            }
            Event::Sees(at, revision, head) => {
                let node = &mut self.nodes[at];
                // A watch tells what happens in its order.
                if node.is_up && !node.is_cut && revision > node.seen {
                    node.seen = revision;
                    node.part.follow(*head);
                    self.go_on(at);
                }
            }
            Event::Says(at, life, word, says) => {
                let node = &self.nodes[at];
                // Each word is written in the place of the one before: a late one does not fit any more.
                if node.is_up
                    && !node.is_cut
                    && (node.life, node.words) == (life, word)
                    && node.lease > self.now
                {
                    self.fleet.insert(name(at), *says);
                    self.stir();
                }
            }
            Event::Done(at, life, task) => self.done(at, life, task),
            Event::Health(at, life, release) => self.health(at, life, release),
            Event::Again(at, life) => {
                if self.nodes[at].life == life {
                    self.tell(at, true);
                }
            }
            Event::Beat(at, life) => self.beat(at, life),
            Event::Look(at, term) => self.look(at, term),
            Event::Write(revision, term, head) => self.write(revision, term, *head),
            Event::Publish => self.publish(),
            Event::Trouble => self.trouble(),
            Event::Mend(at) => self.mend(at),
            Event::Person => self.person(),
        }
    }

    /// The next task of an instance, and a word on what is new.
    fn go_on(&mut self, at: usize) {
        if let Some(task) = self.nodes[at].part.next() {
            let (takes, life) = (self.random.delay(ENGINE), self.nodes[at].life);
            self.after(takes, Event::Done(at, life, task));
        }
        self.tell(at, false);
    }

    fn tell(&mut self, at: usize, again: bool) {
        let node = &mut self.nodes[at];
        let says = node.part.says().clone();
        if !node.is_up || node.told.as_ref() == Some(&says) && !again {
            return;
        }
        node.told = Some(says.clone());
        node.words += 1;
        let (life, word) = (node.life, node.words);
        if node.is_cut || self.random.per_mille(self.chances.lost) {
            self.after(RETRY, Event::Again(at, life));
        } else {
            let late = self.random.delay(NETWORK);
            self.after(late, Event::Says(at, life, word, Box::new(says)));
        }
    }

    fn done(&mut self, at: usize, life: u64, task: Task) {
        if self.nodes[at].life != life || !self.nodes[at].is_up {
            return;
        }
        let result = |world: &Self, release: Release| match world.refuses(at, release.payload) {
            true => Err("the port is no number".to_owned()),
            false => Ok(()),
        };
        match task {
            Task::Validate(release) => {
                let result = result(self, release);
                self.nodes[at].part.validated(release, result);
            }
            Task::Apply(release) => {
                let result = result(self, release);
                if result.is_ok() {
                    self.check_exposure(at, release);
                    let (bakes, life) = (self.random.delay(ENGINE), self.nodes[at].life);
                    self.after(bakes, Event::Health(at, life, release));
                }
                self.nodes[at].part.applied(release, result);
            }
            Task::Clear => self.nodes[at].part.cleared(Ok(())),
        }
        self.go_on(at);
    }

    fn health(&mut self, at: usize, life: u64, release: Release) {
        if self.nodes[at].life != life || !self.nodes[at].is_up {
            return;
        }
        let is_sick =
            self.draws(release.payload, "sick", self.chances.sick) && self.per_node(at, "sick", 300);
        let result = if is_sick { Err("answers are late".to_owned()) } else { Ok(()) };
        self.nodes[at].part.health(release, result, false);
        self.go_on(at);
    }

    /// Whether an engine refuses a payload: some payloads are refused by some of the instances.
    fn refuses(&self, at: usize, payload: Digest) -> bool {
        self.draws(payload, "refused", self.chances.refusing) && self.per_node(at, "refuses", 200)
    }

    fn draws(&self, payload: Digest, what: &str, chance: u64) -> bool {
        let digest = Digest::of(format!("{payload} {what}").as_bytes()).to_string();
        u64::from_str_radix(&digest[..8], 16).expect("hexadecimal") % 1000 < chance
    }

    fn per_node(&self, at: usize, what: &str, chance: u64) -> bool {
        self.draws(Digest::of(name(at).as_bytes()), what, chance)
    }

    fn beat(&mut self, at: usize, life: u64) {
        if self.nodes[at].life != life || !self.nodes[at].is_up {
            return;
        }
        self.after(LEASE / 4, Event::Beat(at, life));
        self.expire();
        if self.nodes[at].is_cut || self.nodes[at].is_stopped {
            return;
        }
        if self.nodes[at].lease <= self.now {
            // Its lease has ended: it takes a new one, and says everything again.
            self.nodes[at].told = None;
        }
        self.nodes[at].lease = self.now + LEASE;
        if self.nodes[at].sent != self.revision {
            self.send(at);
        }
        self.tell(at, !self.fleet.contains_key(&name(at)));
        match self.coordinator {
            Some((holder, _)) if holder == at && self.nodes[at].coordinator.is_some() => {
                self.coordinator = Some((at, self.now + LEASE));
            }
            None => self.take_over(at),
            Some(_) => {}
        }
    }

    fn expire(&mut self) {
        let now = self.now;
        if now < self.expired + EXPIRY {
            return;
        }
        self.expired = now;
        if self.coordinator.is_some_and(|(_, lease)| lease <= now) {
            self.coordinator = None;
        }
        let gone: Vec<usize> = (0..self.nodes.len()).filter(|at| self.nodes[*at].lease <= now).collect();
        for at in gone {
            if self.fleet.remove(&name(at)).is_some() {
                self.stir();
            }
        }
    }

    /// The lease is free: who takes it writes so into the head.
    fn take_over(&mut self, at: usize) {
        let head = Head { term: self.head.term + 1, ..self.head.clone() };
        self.coordinator = Some((at, self.now + LEASE));
        self.nodes[at].coordinator = Some((head.term, Coordinator::default()));
        let term = head.term;
        self.commit(head);
        self.look_in(LOOK, at, term);
    }

    /// Something has changed that a coordinator may want to know.
    fn stir(&mut self) {
        if let Some((at, _)) = self.coordinator
            && let Some((term, _)) = &self.nodes[at].coordinator
        {
            let term = *term;
            self.look_in(LOOK, at, term);
        }
    }

    /// Makes a coordinator look, unless it does so before.
    fn look_in(&mut self, wait: Duration, at: usize, term: u64) {
        let when = self.now + wait;
        if self.nodes[at].look.is_none_or(|look| look > when || look < self.now) {
            self.nodes[at].look = Some(when);
            self.after(wait, Event::Look(at, term));
        }
    }

    fn look(&mut self, at: usize, term: u64) {
        let node = &mut self.nodes[at];
        if node.look.is_none_or(|look| look > self.now) {
            return;
        }
        node.look = None;
        if !node.is_up {
            return;
        }
        if node.is_cut {
            return self.look_in(RETRY, at, term);
        }
        let Some((own, coordinator)) = &mut node.coordinator else { return };
        if *own != term || self.head.term != term {
            // Somebody has followed.
            if *own == term {
                node.coordinator = None;
            }
            return;
        }
        match coordinator.decide(&self.head, &self.fleet, self.now) {
            Decision::Wait(Some(until)) => {
                self.look_in(until.saturating_duration_since(self.now) + LOOK, at, term);
            }
            Decision::Wait(None) => {}
            Decision::Write(head) => {
                check_share(&self.head, &head, &self.fleet);
                let late = self.random.delay(NETWORK);
                self.after(late, Event::Write(self.revision, term, head));
                // It looks again when it hears what came of it; or does not hear.
                self.look_in(late + RETRY, at, term);
            }
        }
    }

    fn write(&mut self, revision: u64, term: u64, head: Head) {
        if revision == self.revision && term == self.head.term {
            self.commit(head);
        }
    }

    fn commit(&mut self, head: Head) {
        self.check_step(&head);
        self.head = head;
        self.revision += 1;
        for at in 0..self.nodes.len() {
            if self.nodes[at].is_up && !self.nodes[at].is_cut && !self.random.per_mille(self.chances.lost) {
                self.send(at);
            }
        }
        self.stir();
    }

    fn send(&mut self, at: usize) {
        let late = self.random.delay(NETWORK);
        self.nodes[at].sent = self.revision;
        self.after(late, Event::Sees(at, self.revision, Box::new(self.head.clone())));
    }

    fn publish(&mut self) {
        if self.now > self.began + self.chances.busy {
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

    fn trouble(&mut self) {
        if self.now > self.began + self.chances.busy {
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

    fn mend(&mut self, at: usize) {
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
    fn person(&mut self) {
        self.after(Duration::from_secs(5), Event::Person);
        if self.head.candidate.as_ref().is_some_and(|candidate| candidate.paused.is_some()) {
            let is_over = self.random.per_mille(300);
            let asked =
                if is_over { request::abort(&self.head, "by hand") } else { request::approve(&self.head) };
            self.commit(asked.expect("it is paused"));
        }
    }

    /// One candidate after the other; each that ends is noted, and no step takes more than its share.
    fn check_step(&mut self, next: &Head) {
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
    fn check_exposure(&mut self, at: usize, release: Release) {
        assert!(!self.refuses(at, release.payload), "an engine took what it refuses");
        let is_stable = self.ends.contains(&(release, Outcome::Promoted));
        let instance = named(at);
        let widest = self.widest.get(&release.rollout).and_then(|head| head.candidate.as_ref());
        let is_chosen = widest.is_some_and(|candidate| candidate.selects(&instance));
        assert!(is_stable || is_chosen, "{} uses {release:?} unasked", instance.id);
        self.used.insert((release.rollout, at));
    }

    /// Everything that was published has come to an end, and everybody uses what is stable.
    fn check_end(&self) {
        assert!(self.head.candidate.is_none(), "a rollout never ends: {:?}", self.head);
        let ended: BTreeSet<u64> = self.ends.iter().map(|(release, _)| release.rollout).collect();
        for release in &self.published {
            assert!(ended.contains(&release.rollout), "{release:?} was lost");
        }
        for node in &self.nodes {
            let says = node.part.says();
            let refuses = self.head.stable.is_some_and(|stable| {
                let at = says.id.trim_start_matches('i').parse().expect("it is a number");
                self.refuses(at, stable.payload) || says.trouble.is_some()
            });
            assert!(says.applied == self.head.stable || refuses, "{says:?} is not on {:?}", self.head.stable);
        }
    }
}

/// A step takes no more of those who are there than its share, but at least one.
fn check_share(before: &Head, after: &Head, fleet: &Fleet) {
    let (Some(before), Some(after)) = (&before.candidate, &after.candidate) else { return };
    let allowed = (fleet.len() * usize::from(after.share) / 1000).max(1);
    let taken = fleet.keys().filter(|id| after.place(id) < after.below).count();
    assert!(
        taken <= allowed || after.below == before.below,
        "{taken} of {} are more than {allowed}",
        fleet.len()
    );
}

fn name(at: usize) -> String {
    format!("i{at}")
}

fn named(at: usize) -> Instance {
    Instance::new(name(at))
}
