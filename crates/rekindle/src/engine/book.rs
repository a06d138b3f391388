//! The book of configurations: what is known of each one's files, and how each one is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::batch::BatchId;
use super::job::{Input, Known, Member, Undone};
use crate::error::{Error, ErrorKind};
use crate::load::Candidate;
use crate::route::Routes;
use crate::settle::Due;
use crate::validate::Schema;
use crate::watch::{Inventory, Stamp};

/// A path that was due, and what the file system says of it now.
#[derive(Debug, Clone)]
pub(super) struct Touched {
    pub(super) due: Due,
    pub(super) now: Option<Stamp>,
}

/// One configuration.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// What was read last, by path relative to the root.
    known: HashMap<PathBuf, Known>,
    schema: Option<Schema>,
    /// Why it is degraded.
    pub(super) fault: Option<Error>,
    /// What was taken back, if that is why.
    pub(super) undone: Option<Arc<Undone>>,
    /// What it was refused together with: perhaps there is nothing wrong with it.
    pub(super) beside: Vec<String>,
    /// A job is on it, and belongs to this batch.
    pub(super) busy: Option<BatchId>,
    /// Files that were told to be ignored, each with the one used instead.
    pub(super) shadowed: BTreeSet<Shadow>,
}

/// All configurations of an engine.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) routes: Routes,
    entries: BTreeMap<String, Entry>,
    /// What came up, by configuration, while a job was on it or on one that is read beside it.
    waiting: BTreeMap<String, Vec<Touched>>,
}

/// Two files for one layer: the one used, and the one ignored. Relative to the root.
pub(super) type Shadow = (PathBuf, PathBuf);

impl Book {
    pub(super) fn new(routes: Routes) -> Self {
        Self { routes, entries: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    /// The entry of a configuration, made if there is none.
    pub(super) fn entry(&mut self, name: &str) -> &mut Entry {
        self.entries.entry(name.to_owned()).or_default()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// The configurations that are degraded because of something that may be over without a word: a file
    /// that cannot be read, a handler that is still at work. Those that a job is on are left out.
    pub(super) fn to_try_again(&self) -> impl Iterator<Item = &str> {
        let passes = |fault: &Error| matches!(fault.kind(), ErrorKind::Io | ErrorKind::Busy);
        let is_due = move |entry: &Entry| entry.fault.as_ref().is_some_and(passes) && entry.busy.is_none();
        self.entries.iter().filter(move |(_, entry)| is_due(entry)).map(|(name, _)| name.as_str())
    }

    /// Notes what a job read of a configuration's files.
    pub(super) fn learn(
        &mut self,
        name: &str,
        read: &HashMap<PathBuf, Known>,
        schema: Option<Option<Schema>>,
    ) {
        let is_own = |path: &Path| self.routes.of(path).config.as_deref() == Some(name);
        let own: Vec<_> = read.iter().filter(|(path, _)| is_own(path)).collect();
        let entry = self.entries.entry(name.to_owned()).or_default();
        entry.known.extend(own.into_iter().map(|(path, known)| (path.clone(), known.clone())));
        if let Some(schema) = schema {
            entry.schema = schema;
        }
    }

    /// Notes what is to be looked at later. Of a file that comes up again and again the last time counts.
    pub(super) fn put_off(&mut self, name: String, touched: Vec<Touched>) {
        let waiting = self.waiting.entry(name).or_default();
        waiting.retain(|old| touched.iter().all(|new| new.due.path != old.due.path));
        waiting.extend(touched);
    }

    /// Takes out everything that was put off.
    pub(super) fn take_waiting(&mut self) -> BTreeMap<String, Vec<Touched>> {
        std::mem::take(&mut self.waiting)
    }

    /// Forgets a configuration that turned out not to exist.
    pub(super) fn remove(&mut self, name: &str) {
        self.entries.remove(name);
    }

    /// Every file that a configuration has as far as is known: layers, the ignored ones too, and the schema.
    pub(super) fn files(&self, name: &str, inventory: &Inventory) -> Vec<PathBuf> {
        self.places(name).filter(|path| inventory.get(path).is_some()).collect()
    }

    /// Every path at which a configuration can have a file.
    pub(super) fn places(&self, name: &str) -> impl Iterator<Item = PathBuf> {
        let layers = self.routes.layers().iter().flat_map(|layer| self.routes.candidates(name, *layer));
        layers.chain([Routes::schema(name)])
    }

    /// A configuration's part in a job, and the files that newly are in each other's way.
    pub(super) fn member(
        &mut self,
        name: &str,
        inventory: &Inventory,
        touched: &[Touched],
        current: Option<Arc<Candidate>>,
        forced: bool,
    ) -> (Member, Vec<Shadow>) {
        let candidates: Vec<Vec<PathBuf>> =
            self.routes.layers().iter().map(|layer| self.routes.candidates(name, *layer)).collect();
        let entry = self.entry(name);
        let (mut layers, mut shadows) = (Vec::new(), BTreeSet::new());
        for candidates in candidates {
            let mut existing = candidates.into_iter().filter(|path| exists(path, inventory, touched));
            let Some(used) = existing.next() else { continue };
            shadows.extend(existing.map(|ignored| (used.clone(), ignored)));
            layers.push(entry.input(used, touched));
        }
        let schema = Some(Routes::schema(name)).filter(|path| exists(path, inventory, touched));
        let schema = schema.map(|path| entry.input(path, touched));
        let new = shadows.difference(&entry.shadowed).cloned().collect();
        entry.shadowed = shadows;
        let (compiled, undone) = (entry.schema.clone(), entry.undone.clone());
        (Member { name: name.to_owned(), layers, schema, compiled, current, forced, undone }, new)
    }
}

impl Entry {
    /// A file's part in a job: read anew if it was touched or never read, else as known.
    fn input(&self, path: PathBuf, touched: &[Touched]) -> Input {
        let is_touched = touched.iter().any(|touched| touched.due.path == path);
        let known = if is_touched { None } else { self.known.get(&path).cloned() };
        Input { path, known }
    }

    /// Whether it was read, and not found gone since.
    pub(super) fn knows(&self, path: &Path) -> bool {
        self.known.contains_key(path)
    }

    /// Forgets a file that is gone.
    pub(super) fn forget(&mut self, path: &Path) {
        self.known.remove(path);
    }
}

fn exists(path: &Path, inventory: &Inventory, touched: &[Touched]) -> bool {
    let just_looked = touched.iter().find(|touched| touched.due.path == path);
    just_looked.map_or_else(|| inventory.get(path).is_some(), |touched| touched.now.is_some())
}
