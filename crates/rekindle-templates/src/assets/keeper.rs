//! The thread that keeps the manifest: changed files in, a new manifest and its news out.
//!
//! It reads what changed and nothing else. Whatever takes long, which is compressing, it leaves to
//! [`siblings`](super::siblings).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::address;
use super::change::AssetNews;
use super::look::{self, Seen};
use super::manifest::{Manifest, Outcome};
use super::media;
use super::representation::Encoding;
use super::shared::Shared;
use crate::inbox::{Inbox, Work};

/// How long until what could not be read is tried again: no event may tell that it can be by now.
const RETRY: Duration = Duration::from_millis(500);

/// What the thread knows beside the manifest.
pub(super) struct Keeper {
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: Arc<Inbox>,
    /// Where assets are put whose siblings are to be looked at.
    pub(super) encoder: Arc<Inbox>,
    /// What could not be read when it was last tried.
    unreadable: BTreeSet<PathBuf>,
    /// Of what the last listing found fault with.
    unlisted: BTreeSet<PathBuf>,
}

/// What a round has found so far.
#[derive(Default)]
struct Round {
    outcomes: BTreeMap<String, Outcome>,
    findings: Vec<(String, Option<String>)>,
    /// The assets whose siblings are to be looked at.
    to_encode: BTreeSet<PathBuf>,
}

impl Keeper {
    pub(super) fn new(shared: Arc<Shared>, inbox: Arc<Inbox>, encoder: Arc<Inbox>) -> Self {
        Self { shared, inbox, encoder, unreadable: BTreeSet::new(), unlisted: BTreeSet::new() }
    }

    /// Works until the inbox is closed. `ready` is called when everything has been looked at for the first time.
    pub(super) fn run(mut self, ready: impl FnOnce()) {
        self.take_in(Work { everything: true, ..Work::default() });
        ready();
        loop {
            let retry = (!self.unreadable.is_empty()).then_some(RETRY);
            let Some(work) = self.inbox.next(retry) else { return };
            self.take_in(work);
        }
    }

    /// Looks at what is to be looked at, and tells of what came of it.
    fn take_in(&mut self, work: Work) {
        let before = self.shared.manifest.load_full();
        let mut round = Round::default();
        let paths = self.paths(work, &before, &mut round);
        let (encoded, plain): (BTreeSet<_>, BTreeSet<_>) =
            paths.into_iter().partition(|path| is_encoded(path));
        for path in plain {
            self.look(&path, &before, &mut round);
        }
        for path in beside(&round.outcomes, &before, &self.shared).chain(encoded).collect::<BTreeSet<_>>() {
            self.look_at_encoded(&path, &before, &mut round);
        }
        self.publish(&before, round);
    }

    /// All paths to look at.
    fn paths(&mut self, work: Work, before: &Manifest, round: &mut Round) -> BTreeSet<PathBuf> {
        let mut paths = work.paths;
        paths.append(&mut self.unreadable);
        if work.everything {
            let listing = look::list(&self.shared.scope);
            paths.extend(listing.files);
            paths.extend(before.names().map(|name| self.shared.scope.path(name)));
            let mended = std::mem::take(&mut self.unlisted).into_iter().map(|path| (path, None));
            self.unlisted.extend(listing.faults.iter().map(|(path, _)| path.clone()));
            let faults = listing.faults.into_iter().map(|(path, fault)| (path, Some(fault)));
            let shown = |(path, fault): (PathBuf, _)| (self.shared.shown(&path), fault);
            round.findings.extend(mended.chain(faults).map(shown));
        }
        paths
    }

    /// Looks at one file.
    fn look(&mut self, path: &Path, before: &Manifest, round: &mut Round) {
        let scope = &self.shared.scope;
        let Some(name) = scope.name(path) else { return };
        let known = before.entry(&name);
        let seen = match look::look(scope, path, known.map(|entry| &**entry)) {
            Seen::Holds(_) | Seen::Same if !address::is_addressable(&name) => {
                Seen::Refused(NO_ADDRESS.into())
            }
            seen => seen,
        };
        let (outcome, finding) = match seen {
            Seen::Same => (None, None),
            Seen::Holds(content) => (Some(Outcome::Holds(content)), None),
            Seen::Gone => (Some(Outcome::Gone), None),
            Seen::Refused(why) => (Some(Outcome::Gone), Some(why)),
            Seen::Unreadable(why) => {
                self.unreadable.insert(path.to_owned());
                (None, Some(why))
            }
        };
        round.findings.push((self.shared.shown(path), finding));
        round.outcomes.extend(outcome.map(|outcome| (name, outcome)));
    }

    /// Looks at a file that is encoded: beside the file that it is made from it is no asset of its own.
    fn look_at_encoded(&mut self, path: &Path, before: &Manifest, round: &mut Round) {
        let Some(name) = self.shared.scope.name(path) else { return };
        let Some(source) = source_of(&name).filter(|source| is_there(source, before, round)) else {
            return self.look(path, before, round);
        };
        round.to_encode.insert(self.shared.scope.path(source));
        if before.entry(&name).is_some() {
            round.outcomes.insert(name, Outcome::Gone);
        }
    }

    /// Makes the new manifest the one in use, then tells of it.
    fn publish(&self, before: &Manifest, round: Round) {
        let shared = &self.shared;
        let new = round
            .outcomes
            .iter()
            .filter(|(name, outcome)| matches!(outcome, Outcome::Holds(_)) && media::is_compressible(name));
        let mut to_encode: BTreeSet<PathBuf> = new.map(|(name, _)| shared.scope.path(name)).collect();
        to_encode.extend(round.to_encode);
        let (next, changes) = before.with(round.outcomes.into_iter().collect(), SystemTime::now());
        shared.manifest.store(Arc::new(next));
        shared.note(round.findings);
        if !changes.is_empty() {
            tracing::debug!(changes = changes.len(), "assets changed");
            shared.tell(AssetNews::Changed(changes.into()));
        }
        if !to_encode.is_empty() {
            self.encoder.add(to_encode);
        }
    }
}

const NO_ADDRESS: &str = "a file of this name has no address that means the same everywhere, and is not served; \
    rename it without `:`, `\\`, control characters, and dots or spaces at an end";

/// The files beside those that came or went, which are their siblings from now on, or no longer.
fn beside(
    outcomes: &BTreeMap<String, Outcome>,
    before: &Manifest,
    shared: &Shared,
) -> impl Iterator<Item = PathBuf> {
    let comes_or_goes = |(name, outcome): &(&String, &Outcome)| {
        matches!(outcome, Outcome::Holds(_)) != before.entry(name).is_some() && media::is_compressible(name)
    };
    let names = outcomes.iter().filter(comes_or_goes).map(|(name, _)| name);
    let siblings =
        names.flat_map(|name| Encoding::ALL.map(|encoding| format!("{name}{}", encoding.ending())));
    siblings.map(|name| shared.scope.path(&name)).collect::<Vec<_>>().into_iter()
}

/// Whether a file is encoded, by its name.
fn is_encoded(path: &Path) -> bool {
    path.to_str().is_some_and(|path| source_of(path).is_some())
}

/// The name of what an encoded file is made from.
fn source_of(name: &str) -> Option<&str> {
    Encoding::ALL.iter().find_map(|encoding| name.strip_suffix(encoding.ending()))
}

/// Whether there is such an asset, after this round, and one that has siblings.
fn is_there(name: &str, before: &Manifest, round: &Round) -> bool {
    let is_there = match round.outcomes.get(name) {
        Some(outcome) => matches!(outcome, Outcome::Holds(_)),
        None => before.entry(name).is_some(),
    };
    is_there && media::is_compressible(name)
}
