//! [`Ledger`]: every generation as it was told of, and what does not add up in that.

use std::collections::BTreeMap;

use rekindle::{ChangeEvent, Snapshot};
use serde_json::Value;

use crate::files::fault_of;
use crate::kind::{Fate, kind_of};

/// The values of all configurations.
pub(crate) type State = BTreeMap<String, Value>;

/// What was told of generations.
#[derive(Debug)]
pub(crate) struct Ledger {
    generation: u64,
    states: BTreeMap<u64, State>,
    /// The generations that were undone.
    undone: u64,
    /// Every generation that brought a value that must not stay, until that is gone.
    pub(crate) faults: Vec<String>,
}

pub(crate) fn state_of(snapshot: &Snapshot) -> State {
    let value = |name: &str| Some((name.to_owned(), snapshot.get(name)?.clone()));
    snapshot.names().into_iter().filter_map(value).collect()
}

impl Ledger {
    /// Begins with what is in use.
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let states = BTreeMap::from([(snapshot.generation(), state_of(snapshot))]);
        Self { generation: snapshot.generation(), states, undone: 0, faults: Vec::new() }
    }

    /// The newest generation, and what it is of.
    pub(crate) fn newest(&self) -> (u64, &State) {
        (self.generation, &self.states[&self.generation])
    }

    pub(crate) fn undone(&self) -> u64 {
        self.undone
    }

    /// Holds what a reader saw of a generation against what was told of it.
    pub(crate) fn judge(&mut self, generation: u64, seen: &State) {
        match self.states.get(&generation) {
            Some(told) if told == seen => {}
            told => {
                self.faults.push(format!("a reader saw {seen:?} of generation {generation}, told: {told:?}"));
            }
        }
    }

    /// Takes in an event.
    pub(crate) fn enter(&mut self, event: &ChangeEvent) {
        match event {
            ChangeEvent::ConfigChanged { config_name, old_value, new_value, generation, .. } => {
                self.rise(*generation, false);
                self.change(config_name, old_value, new_value);
            }
            ChangeEvent::RolledBack { from, to, generation, configs, .. } => {
                self.undone += 1;
                self.rise(*generation, true);
                self.take_back(*from, *to, configs);
            }
            ChangeEvent::Degraded { reason } => self.faults.push(format!("degraded: {reason}")),
            ChangeEvent::HistoryFailed { error } => self.faults.push(format!("the history: {error}")),
            _ => {}
        }
    }

    /// A generation is told of by one or more events, of which the first may have to be its first.
    fn rise(&mut self, generation: u64, is_first: bool) {
        if generation == self.generation && !is_first {
            return;
        }
        if generation != self.generation + 1 {
            self.faults.push(format!("generation {generation} came after {}", self.generation));
        }
        let state = self.states[&self.generation].clone();
        self.generation = generation;
        self.states.insert(generation, state);
    }

    fn change(&mut self, config: &str, old: &Value, new: &Value) {
        let generation = self.generation;
        let state = self.states.entry(generation).or_default();
        if let Some(fault) = fault_of(config, new) {
            self.faults.push(format!("generation {generation} of {config} must not be: {fault}"));
        }
        let known = state.insert(config.to_owned(), new.clone());
        // An undo was entered whole with its first event.
        if known.as_ref() != Some(old) && known.as_ref() != Some(new) {
            self.faults.push(format!("{config} was {known:?}, and is told to have been {old}"));
        }
    }

    fn take_back(&mut self, from: u64, to: u64, configs: &[String]) {
        let of = |generation| self.states.get(&generation);
        let (Some(harmful), Some(before)) = (of(from), of(to)) else {
            return self.faults.push(format!("generations {from} and {to} of an undo were never told of"));
        };
        let before = before.clone();
        let Some(now) = self.states.get(&self.generation) else { return };
        for config in configs.iter().filter(|config| harmful.get(*config) != now.get(*config)) {
            self.faults.push(format!("{config} changed between its generation {from} and the undo of it"));
        }
        let generation = self.generation;
        for config in configs {
            match before.get(config) {
                Some(value) => {
                    self.states.entry(generation).or_default().insert(config.clone(), value.clone())
                }
                None => self.states.entry(generation).or_default().remove(config),
            };
        }
    }

    /// The configurations whose newest value is one that has to be undone.
    pub(crate) fn harmful(&self) -> impl Iterator<Item = &str> {
        let is_harmful =
            |name: &str, value: &Value| kind_of(name, value).is_none_or(|kind| kind.fate() == Fate::IsUndone);
        let newest = self.states[&self.generation].iter();
        newest.filter(move |(name, value)| is_harmful(name, value)).map(|(name, _)| name.as_str())
    }

    /// Forgets what nobody can ask about any more.
    pub(crate) fn prune(&mut self) {
        self.states.retain(|generation, _| *generation + 100 > self.generation);
    }
}
