//! The hub: what the content is by now, what is wrong with it, and who has to be told.
//!
//! Nothing is queued for anybody. A page says which revision it shows, and whenever its connection can take
//! something, it is given the difference to now: a slow one skips what is between.

mod log;

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use self::log::{Log, Missed};
use crate::{Problem, Update};

pub(crate) use self::log::Revision;

/// See the module.
#[derive(Debug)]
pub(crate) struct Hub {
    state: Mutex<State>,
    /// Counts what there is to tell of.
    stirred: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    /// By source, by name: the digest of a content.
    resources: HashMap<String, HashMap<String, u64>>,
    /// By source.
    problems: BTreeMap<String, Vec<Problem>>,
    /// Rises with every change of the problems.
    problems_version: u64,
    /// How often pages were told to load anew though no content had changed.
    asked: u64,
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
        let resources = HashMap::from([("program".to_owned(), HashMap::from([(String::new(), program)]))]);
        let log = Log::new(digest(&resources, 0));
        let problems = BTreeMap::new();
        let state = State { resources, problems, problems_version: 0, asked: 0, log };
        Self { state: Mutex::new(state), stirred: watch::Sender::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is made of assignments that cannot panic half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What pages show from the beginning: not a change to tell of.
    pub(crate) fn begin(&self, source: &str, contents: HashMap<String, u64>) {
        let mut state = self.state();
        state.resources.insert(source.to_owned(), contents);
        state.log = Log::new(digest(&state.resources, state.asked));
    }

    /// Takes over what a source consists of by now, and what brings pages up to date with it.
    pub(crate) fn publish(&self, source: &str, contents: HashMap<String, u64>, updates: Vec<Update>) {
        let mut state = self.state();
        state.resources.insert(source.to_owned(), contents);
        self.step(&mut state, updates);
    }

    /// Has every page loaded anew.
    pub(crate) fn reload(&self) {
        let mut state = self.state();
        state.asked += 1;
        self.step(&mut state, vec![Update::Reload]);
    }

    fn step(&self, state: &mut State, updates: Vec<Update>) {
        let revision = digest(&state.resources, state.asked);
        state.log.step(revision, updates);
        self.stirred.send_modify(|count| *count += 1);
    }

    /// Takes over what is wrong with a source by now.
    pub(crate) fn set_problems(&self, source: &str, problems: Vec<Problem>) {
        let mut state = self.state();
        let before = state.problems.get(source).map_or(&[][..], Vec::as_slice);
        if before == problems {
            return;
        }
        state.problems.insert(source.to_owned(), problems);
        state.problems_version += 1;
        self.stirred.send_modify(|count| *count += 1);
    }

    /// All that is wrong, and the version of that.
    pub(crate) fn problems(&self) -> (u64, Vec<Problem>) {
        let state = self.state();
        (state.problems_version, state.problems.values().flatten().cloned().collect())
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
}

/// The same for the same contents, in whatever order they came.
fn digest(resources: &HashMap<String, HashMap<String, u64>>, asked: u64) -> Revision {
    let each = resources.iter().flat_map(|(source, contents)| {
        contents.iter().map(move |(name, content)| hash(&(source, name, content)))
    });
    each.fold(hash(&("asked", asked)), |digest, one| digest ^ one)
}

/// The same in every run of one build: the hasher has fixed keys.
pub(crate) fn hash(value: &impl Hash) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    value.hash(&mut hasher);
    mix(hasher.finish())
}

/// FNV-1a, <http://www.isthe.com/chongo/tech/comp/fnv/>: fixed by its authors, unlike the standard library's hasher.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Spreads what differs in the last bytes over all bits, as digests are joined by XOR: the finalizer of MurmurHash3.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// By what pages and hub speak of a template without telling its path.
pub(crate) fn template_id(name: &str) -> String {
    format!("{:06x}", hash(&name) & 0x00ff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(of: &[(&str, u64)]) -> HashMap<String, u64> {
        of.iter().map(|(name, content)| ((*name).to_owned(), *content)).collect()
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
    fn what_does_not_change_the_content_is_told_to_nobody() {
        let hub = Hub::new(7);
        hub.begin("assets", contents(&[("a", 1)]));
        let page = hub.revision();
        hub.publish("assets", contents(&[("a", 1)]), vec![Update::Reload]);
        assert_eq!(hub.news(page), None);
        hub.reload();
        assert_eq!(hub.news(page).unwrap().updates, [Update::Reload]);
    }

    #[test]
    fn problems_are_a_state() {
        let hub = Hub::new(7);
        let stirred = hub.stirred();
        hub.set_problems("assets", Vec::new());
        assert!(!stirred.has_changed().unwrap());
        assert_eq!(hub.problems(), (0, Vec::new()));
    }
}
