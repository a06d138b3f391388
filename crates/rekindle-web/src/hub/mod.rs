//! The hub: what the content is by now, what is wrong with it, and who has to be told.
//!
//! Nothing is queued for anybody. A page says which revision it shows, and whenever its connection can take
//! something, it is given the difference to now: a slow one skips what is between.

mod clients;
mod digest;
mod log;
#[cfg(test)]
mod properties;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use self::digest::Resources;
use self::log::{Log, Missed, Resource, Turn};
use crate::{Change, Problem, Update};

pub(crate) use self::clients::{Clients, Seat};
pub(crate) use self::digest::{hash, template_id};
pub(crate) use self::log::Revision;

/// The source of what was asked for by the program and is no content.
const ASKED: &str = "asked";

/// See the module.
#[derive(Debug)]
pub(crate) struct Hub {
    state: Mutex<State>,
    clients: Arc<Clients>,
    /// Counts what there is to tell of; closed when there will be nothing more.
    stirred: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    resources: Resources,
    /// By source.
    problems: BTreeMap<String, Vec<Problem>>,
    /// A digest of the problems: the same in the next run, if they are.
    problems_version: u64,
    is_closed: bool,
    log: Log,
}

/// The difference between what a page shows and what there is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct News {
    /// The revision after them.
    pub(crate) revision: Revision,
    pub(crate) updates: Vec<Update>,
}

impl Hub {
    /// A hub of a program, with what tells one build of it from another.
    pub(crate) fn new(program: u64) -> Self {
        let resources = Resources::from([("program".to_owned(), HashMap::from([(String::new(), program)]))]);
        let log = Log::new(digest::revision(&resources));
        let (problems, problems_version) = (BTreeMap::new(), version_of(&BTreeMap::new()));
        let state = State { resources, problems, problems_version, is_closed: false, log };
        Self { state: Mutex::new(state), clients: Clients::new(), stirred: watch::Sender::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is made of assignments that cannot panic half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is connected.
    pub(crate) fn clients(&self) -> &Arc<Clients> {
        &self.clients
    }

    /// What pages show from the beginning: not a change to tell of.
    pub(crate) fn begin(&self, source: &str, contents: HashMap<String, u64>) {
        let mut state = self.state();
        state.resources.insert(source.to_owned(), contents);
        state.log = Log::new(digest::revision(&state.resources));
    }

    /// Takes over what a source consists of by now, and what brings pages up to date with it.
    pub(crate) fn publish(&self, source: &str, contents: HashMap<String, u64>, updates: Vec<Update>) {
        let mut state = self.state();
        let before = state.resources.insert(source.to_owned(), contents).unwrap_or_default();
        let resources = differences(source, &before, &state.resources[source]);
        self.step(&mut state, vec![Turn { resources, updates }]);
    }

    /// Takes over single changes of a source, of one step.
    pub(crate) fn change(&self, source: &str, changes: impl IntoIterator<Item = Change>) {
        let mut state = self.state();
        let contents = state.resources.entry(source.to_owned()).or_default();
        let turns = changes.into_iter().filter_map(|change| turn(source, contents, change)).collect();
        self.step(&mut state, turns);
    }

    /// Has every page loaded anew though no content has changed that is known of.
    pub(crate) fn reload(&self) {
        let mut state = self.state();
        let contents = state.resources.entry(ASKED.to_owned()).or_default();
        let content = contents.get("").map_or(1, |count| count + 1);
        let change = Change { resource: String::new(), content: Some(content), update: Update::Reload };
        let turns = turn(ASKED, contents, change).into_iter().collect();
        self.step(&mut state, turns);
    }

    fn step(&self, state: &mut State, turns: Vec<Turn>) {
        let revision = digest::revision(&state.resources);
        if revision != state.log.current() {
            state.log.step(revision, turns);
            self.stir();
        }
    }

    fn stir(&self) {
        self.stirred.send_modify(|count| *count += 1);
    }

    /// Takes over what is wrong with a source by now.
    pub(crate) fn set_problems(&self, source: &str, problems: Vec<Problem>) {
        let mut state = self.state();
        state.problems.insert(source.to_owned(), problems);
        let version = version_of(&state.problems);
        if version == state.problems_version {
            return;
        }
        state.problems_version = version;
        self.stir();
        self.clients.stir();
    }

    /// All that is wrong, and the version of that.
    pub(crate) fn problems(&self) -> (u64, Vec<Problem>) {
        let state = self.state();
        (state.problems_version, state.problems.values().flatten().cloned().collect())
    }

    /// All that is wrong with some of the sources.
    pub(crate) fn problems_of(&self, is_meant: impl Fn(&str) -> bool) -> Vec<Problem> {
        let state = self.state();
        let meant = state.problems.iter().filter(|(source, _)| is_meant(source));
        meant.flat_map(|(_, problems)| problems).cloned().collect()
    }

    pub(crate) fn problems_version(&self) -> u64 {
        self.state().problems_version
    }

    pub(crate) fn revision(&self) -> Revision {
        self.state().log.current()
    }

    /// What a page has to be told that shows `revision`; `None` when it is up to date.
    pub(crate) fn news(&self, revision: Revision) -> Option<News> {
        let state = self.state();
        let updates = match state.log.since(revision) {
            Missed::Nothing => return None,
            Missed::Updates(updates) => updates,
            Missed::Unknown => vec![Update::Reload],
        };
        Some(News { revision: state.log.current(), updates })
    }

    /// Is told that there may be something to tell.
    pub(crate) fn stirred(&self) -> watch::Receiver<u64> {
        self.stirred.subscribe()
    }

    /// Ends all connections: there will be nothing more to tell.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
        self.stir();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().is_closed
    }
}

/// Makes a change in what is known of a source; `None` if it is none.
fn turn(source: &str, contents: &mut HashMap<String, u64>, change: Change) -> Option<Turn> {
    let Change { resource: name, content: after, update } = change;
    let id = hash(&(source, &name));
    let before = match after {
        Some(content) => contents.insert(name, content),
        None => contents.remove(&name),
    };
    let resource = Resource { id, before, after };
    (before != after).then(|| Turn { resources: vec![resource], updates: vec![update] })
}

/// What has come, gone, or become another.
fn differences(source: &str, before: &HashMap<String, u64>, now: &HashMap<String, u64>) -> Vec<Resource> {
    let resource = |name: &String| {
        let (before, after) = (before.get(name).copied(), now.get(name).copied());
        Resource { id: hash(&(source, name)), before, after }
    };
    let gone = before.keys().filter(|name| !now.contains_key(*name));
    now.keys().chain(gone).map(resource).filter(|resource| resource.before != resource.after).collect()
}

fn version_of(problems: &BTreeMap<String, Vec<Problem>>) -> u64 {
    let all: Vec<_> = problems.values().flatten().collect();
    hash(&serde_json::to_string(&all).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(of: &[(&str, u64)]) -> HashMap<String, u64> {
        of.iter().map(|(name, content)| ((*name).to_owned(), *content)).collect()
    }

    fn change(resource: &str, content: impl Into<Option<u64>>, update: Update) -> Change {
        Change { resource: resource.into(), content: content.into(), update }
    }

    #[test]
    fn a_hub_made_anew_on_the_same_content_has_the_same_revision() {
        let make = |pairs: &[(&str, u64)]| {
            let hub = Hub::new(7);
            hub.begin("assets", contents(pairs));
            hub
        };
        let before = make(&[("a", 1), ("b", 2)]);
        assert_eq!(before.revision(), make(&[("b", 2), ("a", 1)]).revision());
        assert_ne!(before.revision(), make(&[("a", 2), ("b", 1)]).revision());
        assert_eq!(make(&[("a", 1), ("b", 2)]).news(before.revision()), None);
        let news = make(&[("a", 1)]).news(before.revision()).unwrap();
        assert_eq!(news.updates, [Update::Reload]);
    }

    #[test]
    fn what_has_changed_since_has_the_revision_of_what_it_came_to() {
        let hub = Hub::new(7);
        hub.begin("assets", contents(&[("a", 1), ("gone", 1)]));
        hub.change("assets", [change("a", 2, Update::Reload), change("gone", None, Update::Reload)]);
        let anew = Hub::new(7);
        anew.begin("assets", contents(&[("a", 2)]));
        assert_eq!(hub.revision(), anew.revision());
    }

    #[test]
    fn what_does_not_change_the_content_is_told_to_nobody() {
        let hub = Hub::new(7);
        hub.begin("assets", contents(&[("a", 1)]));
        let (page, stirred) = (hub.revision(), hub.stirred());
        hub.change("assets", [change("a", 1, Update::Reload)]);
        hub.publish("assets", contents(&[("a", 1)]), vec![Update::Reload]);
        assert_eq!(hub.news(page), None);
        assert!(!stirred.has_changed().unwrap());
        hub.reload();
        assert_eq!(hub.news(page).unwrap().updates, [Update::Reload]);
    }

    #[test]
    fn problems_are_a_state() {
        let hub = Hub::new(7);
        let version = hub.problems_version();
        hub.set_problems("assets", vec![Problem::new("a", "A", "wrong")]);
        assert_ne!(hub.problems_version(), version);
        let stirred = hub.stirred();
        hub.set_problems("assets", vec![Problem::new("a", "A", "wrong")]);
        assert!(!stirred.has_changed().unwrap());
        hub.set_problems("assets", Vec::new());
        assert_eq!(hub.problems(), (version, Vec::new()));
    }

    #[test]
    fn ids_of_templates_are_those_of_the_document() {
        assert_eq!([template_id("page.html"), template_id("")], ["fc632c", "992926"]);
    }
}
