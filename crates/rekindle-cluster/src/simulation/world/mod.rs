//! The store, the network and the engines of a simulated fleet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

mod acts;
mod chances;
mod laws;

pub(super) use chances::Chances;
use laws::check_share;

use super::random::Random;
use crate::model::{Digest, Head, Instance, Outcome, Release};
use crate::rollout::coordinator::{Coordinator, Decision, Fleet};
use crate::rollout::participant::{Participant, Task};

const NETWORK: Duration = Duration::from_millis(2);
const ENGINE: Duration = Duration::from_millis(20);
const LEASE: Duration = Duration::from_secs(10);
/// How often the store looks for leases that have ended.
const EXPIRY: Duration = Duration::from_millis(500);
const RETRY: Duration = Duration::from_millis(500);
/// Coordinators look at what has changed this often.
const LOOK: Duration = Duration::from_millis(10);
/// What is under way at the end of the trouble then has time to come to an end.
const REST: Duration = Duration::from_secs(300);

/// What is drawn for payloads and instances.
#[derive(Debug, Clone, Copy)]
enum Lot {
    IsRefused = 1,
    Refuses,
    IsSick,
    FallsSick,
}

#[derive(Debug)]
enum Event {
    /// An instance sees the head.
    Sees(usize, u64, Arc<Head>),
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
    /// A coordinator looks.
    Look(usize),
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
    /// The store has a word of it.
    is_listed: bool,
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
    queue: BTreeMap<(Instant, u64), Event>,
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
    is_over: bool,
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
            is_listed: false,
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
            queue: BTreeMap::new(),
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
            is_over: false,
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
        self.queue.insert((self.now + wait, self.number), event);
    }

    pub(super) fn run(&mut self) {
        let last = self.end() + REST;
        while !self.is_over
            && let Some(((at, _), event)) = self.queue.pop_first()
            && at < last
        {
            self.now = at;
            self.happens(event);
        }
        self.check_end();
    }

    /// When the trouble ends.
    fn end(&self) -> Instant {
        self.began + self.chances.busy
    }

    pub(super) fn ends(&self) -> Vec<&'static str> {
        self.ends.iter().map(|(_, outcome)| outcome.as_str()).collect()
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Sees(at, ..) | Event::Done(at, ..) | Event::Look(at) | Event::Health(at, ..)
                if self.nodes[at].is_stopped =>
            {
                self.nodes[at].held.push(event);
            }
            Event::Sees(at, revision, head) => {
                let node = &mut self.nodes[at];
                // A watch tells what happens in its order.
                if node.is_up && !node.is_cut && revision > node.seen {
                    node.seen = revision;
                    node.part.follow(Head::clone(&head));
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
                    self.nodes[at].is_listed = true;
                    self.fleet.insert(says.id.clone(), *says);
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
            Event::Look(at) => self.look(at),
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
        if !node.is_up || node.told.as_ref() == Some(node.part.says()) && !again {
            return;
        }
        let says = node.part.says().clone();
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
        let is_sick = self.draws(release.payload, Lot::IsSick, self.chances.sick)
            && self.per_node(at, Lot::FallsSick, 300);
        let result = if is_sick { Err("answers are late".to_owned()) } else { Ok(()) };
        self.nodes[at].part.health(release, result, false);
        self.go_on(at);
    }

    /// Whether an engine refuses a payload: some payloads are refused by some of the instances.
    fn refuses(&self, at: usize, payload: Digest) -> bool {
        self.draws(payload, Lot::IsRefused, self.chances.refusing) && self.per_node(at, Lot::Refuses, 200)
    }

    /// By lot, but always the same for a payload.
    fn draws(&self, payload: Digest, what: Lot, chance: u64) -> bool {
        let first = payload.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Random::new(first ^ what as u64).per_mille(chance)
    }

    /// By lot, but always the same for an instance.
    fn per_node(&self, at: usize, what: Lot, chance: u64) -> bool {
        let at = u64::try_from(at).expect("it fits");
        Random::new((at << 8) ^ what as u64).per_mille(chance)
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
            self.send(at, &Arc::new(self.head.clone()));
        }
        self.tell(at, !self.nodes[at].is_listed);
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
            let node = &mut self.nodes[at];
            if std::mem::take(&mut node.is_listed) {
                self.fleet.remove(&node.part.says().id);
                self.stir();
            }
        }
    }

    /// The lease is free: who takes it writes so into the head.
    fn take_over(&mut self, at: usize) {
        let head = Head { term: self.head.term + 1, ..self.head.clone() };
        self.coordinator = Some((at, self.now + LEASE));
        self.nodes[at].coordinator = Some((head.term, Coordinator::default()));
        self.commit(head);
        self.look_in(LOOK, at);
    }

    /// Something has changed that a coordinator may want to know.
    fn stir(&mut self) {
        if let Some((at, _)) = self.coordinator
            && self.nodes[at].coordinator.is_some()
        {
            self.look_in(LOOK, at);
        }
    }

    /// Makes a coordinator look, unless it does so before.
    fn look_in(&mut self, wait: Duration, at: usize) {
        let when = self.now + wait;
        if self.nodes[at].look.is_none_or(|look| look > when || look < self.now) {
            self.nodes[at].look = Some(when);
            self.after(wait, Event::Look(at));
        }
    }

    fn look(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        if node.look.is_none_or(|look| look > self.now) {
            return;
        }
        node.look = None;
        if !node.is_up {
            return;
        }
        if node.is_cut {
            return self.look_in(RETRY, at);
        }
        let Some((term, coordinator)) = &mut node.coordinator else { return };
        let term = *term;
        if self.head.term != term {
            // Somebody has followed.
            node.coordinator = None;
            return;
        }
        match coordinator.decide(&self.head, &self.fleet, self.now) {
            Decision::Wait(Some(until)) => {
                self.look_in(until.saturating_duration_since(self.now) + LOOK, at);
            }
            Decision::Wait(None) => {}
            Decision::Write(head) => {
                check_share(&self.head, &head, &self.fleet);
                let late = self.random.delay(NETWORK);
                self.after(late, Event::Write(self.revision, term, head));
                // It looks again when it hears what came of it; or does not hear.
                self.look_in(late + RETRY, at);
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
        let head = Arc::new(self.head.clone());
        for at in 0..self.nodes.len() {
            if self.nodes[at].is_up && !self.nodes[at].is_cut && !self.random.per_mille(self.chances.lost) {
                self.send(at, &head);
            }
        }
        self.stir();
    }

    fn send(&mut self, at: usize, head: &Arc<Head>) {
        let late = self.random.delay(NETWORK);
        self.nodes[at].sent = self.revision;
        self.after(late, Event::Sees(at, self.revision, Arc::clone(head)));
    }
}

fn named(at: usize) -> Instance {
    Instance::new(format!("i{at}"))
}
