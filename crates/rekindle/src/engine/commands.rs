//! What the engine does when it is asked: load by name, look now, go on with other settings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use super::batch::{Asked, BatchId, Reason, Work};
use super::book::Touched;
use super::externals::ExternalSources;
use super::fallback;
use super::run::Engine;
use super::signal::HangUp;
use super::{Command, Shared};
use crate::config::Settings;
use crate::error::{Error, ErrorKind, Result};
use crate::observe::ConfigState;
use crate::route::{Routes, is_config_file};
use crate::settle::Due;
use crate::watch::{Source, Stamp, Watch};

/// How many files are read before the start is done. The rest is read when there is nothing else to do.
const FINGERPRINTS_AT_ONCE: usize = 128;

impl Engine {
    /// Does what is asked for, or defers it. `since` is the batch that was the next when it came.
    pub(super) fn obey(&mut self, command: Command, since: BatchId) {
        if matches!(command, Command::Reload(_)) {
            // A writer may have begun that nobody has heard of yet.
            self.catch_up();
        }
        match command {
            Command::Activate { names, reply } if self.all_in_use(&names) => {
                let _gone = reply.send(Ok(()));
            }
            // Touches no configuration that a job is on.
            Command::Widen { done } => self.widen(&done),
            // Jobs that begin from now on know the topics of now; those before are waited for.
            Command::Meet { ref names, .. } if self.in_the_air(names, since) => {
                self.deferred.push((since, command));
            }
            Command::Meet { reply, .. } => {
                // Whoever asked may have stopped waiting.
                let _gone = reply.send(());
            }
            // A look in the middle of a write could take half of a file for the whole.
            Command::Reload(asked) if self.waits_for_writers(&asked) => {
                self.deferred.push((since, Command::Reload(asked)));
            }
            command if !self.flights.is_empty() => self.deferred.push((since, command)),
            Command::Activate { names, reply } => self.activate(names, reply),
            Command::Reload(asked) => self.reload(asked),
            Command::Update(update) => self.update(*update),
            Command::Adopt { settings, reply } => self.adopt(*settings, reply),
            // Answered by the loop, which ends on it.
            Command::Shutdown { .. } => {}
        }
    }

    fn waits_for_writers(&self, asked: &Asked) -> bool {
        self.settle.has_writers() && asked.at.elapsed() < self.settings.window()
    }

    /// Whether a command waits for nothing but what took off after it came. No change takes off then, or
    /// saves that come one after the other would keep it waiting for ever. What took off before it is its
    /// own to wait for, however long that takes.
    pub(super) fn holds_back(&self) -> bool {
        let waits = |(since, command): &(BatchId, Command)| {
            let for_others = match command {
                Command::Meet { .. } => true,
                Command::Reload(asked) => self.waits_for_writers(asked),
                _ => false,
            };
            !for_others && !self.is_in_the_air_before(*since)
        };
        self.due_undo.is_some() || self.deferred.iter().any(waits)
    }

    fn all_in_use(&self, names: &[String]) -> bool {
        names.iter().all(|name| self.shared.committed.get(name).is_some())
    }

    /// Wants what handlers were registered for, too, and loads the configurations among it.
    fn widen(&mut self, done: &std::sync::mpsc::SyncSender<()>) {
        let mut interest = self.watch.interest().clone();
        if interest.add_patterns(self.shared.handlers.patterns()) {
            self.watch.set_interest(interest);
            self.arm();
            let names: BTreeSet<String> =
                self.wanted_by_pattern().into_iter().filter(|name| !self.book.contains(name)).collect();
            let (loaded, _nobody_waits) = oneshot::channel();
            let work = names.iter().map(|name| self.first_look(name)).collect();
            self.begin(work, Reason::First(loaded));
        }
        // Whoever registered may have stopped waiting.
        let _gone = done.try_send(());
    }

    /// The configurations whose files the patterns want.
    fn wanted_by_pattern(&self) -> BTreeSet<String> {
        let configs = self.inventory.paths().filter(|path| is_config_file(path));
        let wanted = configs.filter(|path| self.watch.interest().by_pattern(path));
        let names = wanted.filter_map(|path| {
            let routed = self.book.routes.of(path);
            routed.layer.and(routed.config)
        });
        names.collect()
    }

    /// Wants configurations by name from now on. The answer comes when they have been loaded.
    fn activate(&mut self, names: Vec<String>, reply: oneshot::Sender<Result<()>>) {
        self.want(&names);
        let work: Vec<Work> = names
            .iter()
            .filter(|name| self.shared.committed.get(name).is_none())
            .map(|name| self.first_look(name))
            .collect();
        let (done, loaded) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        self.begin(work, Reason::First(done));
        tokio::spawn(async move {
            // Ends without a word only together with the engine, which then answers for it.
            if loaded.await.is_ok() {
                let _gone = reply.send(usable(&shared, &names));
            }
        });
    }

    /// Wants the files of configurations, whatever the patterns say.
    pub(super) fn want(&mut self, names: &[String]) {
        let mut interest = self.watch.interest().clone();
        if names.iter().filter(|name| interest.add_config(name)).count() > 0 {
            let is_armed = |name: &String| self.watch.interest().directory(&Routes::directory(name));
            let covered = names.iter().all(is_armed);
            self.watch.set_interest(interest);
            if !covered {
                self.arm();
            }
        }
    }

    /// Arms and lists what the interest wants; new files are noted, not told of.
    fn arm(&mut self) {
        for (path, stamp) in self.watch.list() {
            if self.inventory.get(&path).is_none() {
                self.inventory.insert(path, stamp);
            }
        }
        // Configurations are read by their jobs.
        let routes = &self.book.routes;
        let interest = self.watch.interest();
        let plain = |path: &Path| routes.of(path).config.is_none() && interest.by_pattern(path);
        self.unread = self.inventory.to_fingerprint(plain).into();
        self.fingerprint(FINGERPRINTS_AT_ONCE, None);
        self.note_trouble();
        let environment = self.book.routes.environment().to_owned();
        self.shared.observe.edit(|status| status.environment = environment);
    }

    /// Arms everything and loads every configuration that the patterns want.
    pub(super) fn take_stock(&mut self, reason: Reason) {
        self.arm();
        let mut names = self.wanted_by_pattern();
        names.extend(self.book.names());
        names.extend(self.externals.known.names().cloned());
        let work = names.iter().map(|name| self.first_look(name)).collect();
        self.begin(work, reason);
    }

    /// A look at all files of a configuration, without patience.
    pub(super) fn first_look(&self, name: &str) -> Work {
        let now = Instant::now();
        let touch = |path: PathBuf| {
            let stamp = Stamp::of(&self.shared.root.join(&path));
            // Nobody looked at a file that was made before anybody wanted its configuration.
            let is_wanted = stamp.is_some() && self.watch.interest().file(&path);
            let due = at_once(path, now);
            (is_wanted || self.inventory.get(&due.path).is_some()).then_some(Touched { due, now: stamp })
        };
        let touched = self.book.places(name).filter_map(touch).collect();
        Work { forced: true, ..Work::new(name.to_owned(), touched) }
    }

    /// Looks at everything there is, and answers with what came of it.
    fn reload(&mut self, asked: Asked) {
        self.work_off_all();
        self.refresh_externals();
        let found = self.watch.scan_all(true, &self.inventory);
        let (now, mut others) = (Instant::now(), BTreeMap::<String, Vec<Touched>>::new());
        for signal in found.signals {
            let due = at_once(signal.path, now);
            match self.config_of(&due.path) {
                Some(name) => {
                    let stamp = Stamp::of(&self.shared.root.join(&due.path));
                    others.entry(name).or_default().push(Touched { due, now: stamp });
                }
                None => self.look_at_file(&due),
            }
        }
        let mut work: Vec<Work> = self.book.names().iter().map(|name| self.first_look(name)).collect();
        for (name, touched) in others {
            match work.iter_mut().find(|work| work.name == name) {
                Some(work) => merge_touched(&mut work.touched, touched),
                None => work.push(Work { forced: true, ..Work::new(name, touched) }),
            }
        }
        self.begin(work, Reason::Asked(asked));
    }

    /// Goes on with other settings: arms what they want, and loads everything as they say.
    fn adopt(&mut self, settings: Settings, reply: oneshot::Sender<Result<()>>) {
        let mut interest = match settings.interest() {
            Ok(interest) => interest,
            Err(error) => return drop(reply.send(Err(error))),
        };
        self.hang_up = match HangUp::new(settings.reload_on_sighup) {
            Ok(hang_up) => hang_up,
            Err(error) => return drop(reply.send(Err(error))),
        };
        interest.add_patterns(self.shared.handlers.patterns());
        let externals = match ExternalSources::new(&settings, &self.shared.root) {
            Ok(externals) => externals,
            Err(error) => return drop(reply.send(Err(error))),
        };
        for name in self.book.names().iter().chain(externals.known.names()) {
            interest.add_config(name);
        }
        if source(&settings) == source(&self.settings) {
            self.watch.set_interest(interest);
        } else {
            self.watch = Watch::new(&self.shared.root, interest, source(&settings));
        }
        if settings.history() != self.settings.history() {
            match fallback::open(&settings, &self.shared.root, &self.shared.observe) {
                Ok(opened) => self.keep_history(opened),
                Err(error) => return drop(reply.send(Err(error))),
            }
        }
        self.next_scan = Instant::now();
        self.settle.set(settings.settle, settings.window());
        self.shared.handlers.set_limit(settings.time_limit);
        self.externals = externals;
        self.book.routes = settings.routes();
        self.settings = settings;
        self.take_stock(Reason::First(signal_ready(reply)));
    }
}

/// Who is to tell of changes.
pub(super) fn source(settings: &Settings) -> Source {
    match settings.poll {
        Some(_) => Source::Poll,
        None => Source::System { limit: settings.queue_limit },
    }
}

/// A look without patience.
pub(super) fn at_once(path: PathBuf, now: Instant) -> Due {
    Due { path, from: None, first: now, last: now, last_chance: true, seen: None }
}

/// Whether the configurations can be read; of several that are merged, one is enough.
fn usable(shared: &Shared, names: &[String]) -> Result<()> {
    let status = shared.observe.status();
    let fault = |name: &String| match &status.configs.get(name)?.state {
        ConfigState::Degraded(error) => Some(error.clone()),
        ConfigState::Good => None,
    };
    let in_use = |name: &String| shared.committed.get(name).is_some();
    if let Some(error) = names.iter().filter(|name| !in_use(name)).find_map(fault) {
        return Err(error);
    }
    if names.iter().any(in_use) {
        return Ok(());
    }
    Err(not_found(names))
}

fn not_found(names: &[String]) -> Error {
    let looked_for: Vec<String> =
        names.iter().map(|name| format!("config/{name}.{{toml,yaml,yml,json,jsonc}}")).collect();
    Error::new(ErrorKind::NotFound, format!("there is no configuration {:?}", names.join(", ")))
        .help(format!("looked for {}", looked_for.join(", ")))
}

fn merge_touched(into: &mut Vec<Touched>, more: Vec<Touched>) {
    for touched in more {
        if !into.iter().any(|known| known.due.path == touched.due.path) {
            into.push(touched);
        }
    }
}

impl Engine {
    /// As [`signal_ready`], after what the start found good has been written down, if that is to count
    /// against it when the program crashes right after.
    pub(super) fn signal_started(&self, ready: oneshot::Sender<Result<()>>) -> oneshot::Sender<()> {
        let chronicle = self.chronicle.clone().filter(|_| self.fallback.is_some());
        let Some(chronicle) = chronicle else { return signal_ready(ready) };
        let (done, loaded) = oneshot::channel();
        tokio::spawn(async move {
            if loaded.await.is_ok() {
                chronicle.reached().await;
                let _gone = ready.send(Ok(()));
            }
        });
        done
    }
}

/// Turns the start's answer into one that a batch can give.
pub(super) fn signal_ready(ready: oneshot::Sender<Result<()>>) -> oneshot::Sender<()> {
    let (done, loaded) = oneshot::channel();
    tokio::spawn(async move {
        // If the engine ends before, the dropped sender says so.
        if loaded.await.is_ok() {
            let _gone = ready.send(Ok(()));
        }
    });
    done
}
