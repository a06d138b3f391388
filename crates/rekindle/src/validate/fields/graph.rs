//! The graph of rules: states, and the steps of a pointer that lead from one to the next.
//!
//! In: paths, or the edges of a schema. Out: where a walk is after each key. The graph may lead back to
//! where it was (a schema that refers to itself); a walk along a value ends with the value.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Rule;

/// Where a walk is: states, without those that only lead on. Empty where no rule can follow.
pub(super) type Here = BTreeSet<usize>;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A key of a table, or the index of an element.
    Key(Box<str>),
    /// Any but these.
    Other(Box<[Box<str>]>),
}

impl Step {
    /// Any at all.
    pub(super) fn any() -> Self {
        Self::Other(Box::default())
    }

    fn is(&self, key: &str) -> bool {
        match self {
            Self::Key(own) => **own == *key,
            Self::Other(except) => !except.iter().any(|other| **other == *key),
        }
    }
}

/// A place in a configuration, as far as the rules tell places apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct State {
    pub(super) rules: BTreeSet<Rule>,
    pub(super) next: Vec<(Step, usize)>,
    /// States that say something of this very place, too.
    pub(super) also: Vec<usize>,
}

/// All rules of a configuration. State 0 is its top.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Graph {
    pub(super) states: Vec<State>,
}

impl Graph {
    /// A rule for the whole.
    pub(super) fn whole(rule: Rule) -> Self {
        Self { states: vec![State { rules: BTreeSet::from([rule]), ..State::default() }] }
    }

    /// Whether there is no rule.
    pub(super) fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// A new state, by its number.
    pub(super) fn push(&mut self) -> usize {
        self.states.push(State::default());
        self.states.len() - 1
    }

    /// Adds the rule of one path.
    pub(super) fn add(&mut self, pointer: &str, rule: Rule) {
        if self.states.is_empty() {
            self.push();
        }
        let mut here = 0;
        for key in super::steps(pointer) {
            let next = self.push();
            let step = if key == "*" { Step::any() } else { Step::Key(key.into()) };
            self.states[here].next.push((step, next));
            here = next;
        }
        self.states[here].rules.insert(rule);
    }

    /// The rules of both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let mut states = vec![State { also: vec![1, 1 + self.states.len()], ..State::default() }];
        states.extend(self.states.iter().map(|state| state.moved(|to| to + 1)));
        let offset = states.len();
        states.extend(other.states.iter().map(|state| state.moved(|to| to + offset)));
        Self { states }
    }

    /// The graph without the states that lead to no rule.
    pub(super) fn pruned(&self) -> Self {
        let useful = self.useful();
        let mut kept = 0;
        let numbers: Vec<usize> =
            useful.iter().map(|useful| (kept, kept += usize::from(*useful)).0).collect();
        let keep = |(state, _): (&State, &bool)| {
            let mut state = state.clone();
            state.next.retain(|(_, to)| useful[*to]);
            state.also.retain(|to| useful[*to]);
            state.moved(|to| numbers[to])
        };
        // Without the top nothing can be reached.
        let states = self.states.iter().zip(&useful).filter(|(_, useful)| **useful).map(keep);
        let states = if useful.first() == Some(&true) { states.collect() } else { Vec::new() };
        Self { states }
    }

    fn useful(&self) -> Vec<bool> {
        let sources = self.sources();
        let mut useful: Vec<bool> = self.states.iter().map(|state| !state.rules.is_empty()).collect();
        let mut queue: Vec<usize> = (0..useful.len()).filter(|state| useful[*state]).collect();
        while let Some(state) = queue.pop() {
            for &(source, _) in &sources[state] {
                if !std::mem::replace(&mut useful[source], true) {
                    queue.push(source);
                }
            }
        }
        useful
    }

    /// Where each state is led to from, and by which step, if by one.
    fn sources(&self) -> Vec<Vec<(usize, Option<&Step>)>> {
        let mut sources = vec![Vec::new(); self.states.len()];
        for (from, state) in self.states.iter().enumerate() {
            state.next.iter().for_each(|(step, to)| sources[*to].push((from, Some(step))));
            state.also.iter().for_each(|to| sources[*to].push((from, None)));
        }
        sources
    }

    /// Where a walk begins.
    pub(super) fn top(&self) -> Here {
        self.closed((0..self.states.len()).take(1))
    }

    /// Where it is after a key.
    pub(super) fn step(&self, here: &Here, key: &str) -> Here {
        let edges = here.iter().flat_map(|state| &self.states[*state].next);
        self.closed(edges.filter(|(step, _)| step.is(key)).map(|(_, to)| *to))
    }

    /// Whether a key is named by a rule, rather than being one of many.
    pub(super) fn names(&self, here: &Here, key: &str) -> bool {
        let mut edges = here.iter().flat_map(|state| &self.states[*state].next);
        edges.any(|(step, _)| matches!(step, Step::Key(own) if **own == *key))
    }

    /// Whether a rule holds here.
    pub(super) fn has(&self, here: &Here, rule: Rule) -> bool {
        here.iter().any(|state| self.states[*state].rules.contains(&rule))
    }

    /// Whether a rule holds for a value or for anything in it.
    pub(super) fn concerns(&self, here: &Here, rule: Rule, value: &Value) -> bool {
        if here.is_empty() {
            return false;
        }
        let below = |key: &str, value| self.concerns(&self.step(here, key), rule, value);
        self.has(here, rule)
            || match value {
                Value::Object(members) => members.iter().any(|(key, value)| below(key, value)),
                Value::Array(items) => {
                    items.iter().enumerate().any(|(index, item)| below(&index.to_string(), item))
                }
                _ => false,
            }
    }

    /// States, and what they lead to without a step.
    fn closed(&self, states: impl IntoIterator<Item = usize>) -> Here {
        let mut here = Here::new();
        let mut queue: Vec<usize> = states.into_iter().collect();
        while let Some(state) = queue.pop() {
            if here.insert(state) {
                queue.extend(&self.states[state].also);
            }
        }
        here
    }

    /// The last keys on the ways to a rule, steps that stand for any key left out. `None` when there is
    /// a way without a key.
    pub(super) fn last_keys(&self, rule: Rule) -> Option<BTreeSet<&str>> {
        let sources = self.sources();
        let (mut keys, mut seen) = (BTreeSet::new(), Here::new());
        let with_rule = |state: &usize| self.states[*state].rules.contains(&rule);
        let mut queue: Vec<usize> = (0..self.states.len()).filter(with_rule).collect();
        while let Some(state) = queue.pop() {
            if state == 0 {
                return None;
            }
            if !seen.insert(state) {
                continue;
            }
            for (from, step) in &sources[state] {
                match step {
                    // The index of an element is not written in a file.
                    Some(Step::Key(key)) if key.parse::<usize>().is_err() => drop(keys.insert(&**key)),
                    _ => queue.push(*from),
                }
            }
        }
        Some(keys)
    }
}

impl State {
    /// A copy whose states have other numbers.
    fn moved(&self, number: impl Fn(usize) -> usize) -> Self {
        let next = self.next.iter().map(|(step, to)| (step.clone(), number(*to))).collect();
        Self { rules: self.rules.clone(), next, also: self.also.iter().map(|to| number(*to)).collect() }
    }
}
