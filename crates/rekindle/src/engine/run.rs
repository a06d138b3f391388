//! The loop: waits for the file system, the clock, finished jobs and commands, and drives the stages.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::batch::{Batch, BatchId, Landed, Reason, Work};
use super::book::{Book, Touched};
use super::job::Outcome;
use super::{Command, Shared};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::event::{ChangeEvent, ChangeType, ResourceKind};
use crate::load::Variables;
use crate::route::{Interest, Routes};
use crate::settle::{Due, Settle};
use crate::watch::{Found, Inventory, Look, Stamp, Watch};

/// How often everything is compared with what is known, in case no event told of a change.
const RECONCILE: Duration = Duration::from_secs(30);

/// How often to look while the root is missing or some directories cannot be watched.
const WHILE_DEGRADED: Duration = Duration::from_millis(250);

/// How long a shutdown waits for what is in flight. It is to return within a second.
const FAREWELL: Duration = Duration::from_millis(800);

/// The state of one engine. Its methods are the stages' drivers; see also `batch`.
pub(super) struct Engine {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: Settings,
    pub(super) variables: Arc<Variables>,
    pub(super) watch: Watch,
    pub(super) inventory: Inventory,
    pub(super) settle: Settle,
    pub(super) book: Book,
    pub(super) batches: BTreeMap<BatchId, Batch>,
    pub(super) next_batch: BatchId,
    pub(super) flights: JoinSet<Landed>,
    /// Jobs that overran their time and still run, with the configurations they keep busy.
    pub(super) stuck: Vec<(Vec<String>, JoinHandle<Outcome>)>,
    /// Commands that wait until nothing is in flight.
    deferred: Vec<Command>,
    next_scan: Instant,
}

/// The body of the engine's thread.
pub(super) fn thread(
    runtime: Runtime,
    shared: &Arc<Shared>,
    settings: Settings,
    inbox: mpsc::Receiver<Command>,
    ready: oneshot::Sender<Result<()>>,
) {
    // However this thread ends, nobody may wait for it for ever.
    let _closing = CloseOnDrop(shared);
    runtime.block_on(async {
        match Engine::new(Arc::clone(shared), settings) {
            Ok(engine) => engine.run(inbox, ready).await,
            Err(error) => drop(ready.send(Err(error))),
        }
    });
    // A handler or check that hangs must not hold the thread.
    runtime.shutdown_background();
}

struct CloseOnDrop<'a>(&'a Shared);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What woke the loop.
enum Woken {
    Files,
    Landed(Box<Landed>),
    Asked(Option<Command>),
    Clock,
}

impl Engine {
    fn new(shared: Arc<Shared>, settings: Settings) -> Result<Self> {
        let interest = Interest::new(&settings.config.watch_patterns, &settings.config.exclude_patterns)?;
        let watch = Watch::new(&shared.root, interest, settings.poll.is_some())?;
        let settle = Settle::new(settings.settle, settings.window());
        let book = Book::new(Routes::new(settings.environment()));
        let variables = Arc::new(variables(&settings));
        let interval = settings.poll.or(watch.poll_interval()).unwrap_or(RECONCILE);
        Ok(Self {
            shared,
            settings,
            variables,
            watch,
            inventory: Inventory::default(),
            settle,
            book,
            batches: BTreeMap::new(),
            next_batch: 0,
            flights: JoinSet::new(),
            stuck: Vec::new(),
            deferred: Vec::new(),
            next_scan: Instant::now() + interval,
        })
    }

    async fn run(mut self, mut inbox: mpsc::Receiver<Command>, ready: oneshot::Sender<Result<()>>) {
        self.take_stock(Reason::First(signal_ready(ready)));
        let farewell = loop {
            match self.wait(&mut inbox).await {
                Woken::Files => {
                    let found = self.watch.drain(&self.inventory);
                    self.take_in(found);
                }
                Woken::Landed(landed) => self.land(*landed),
                Woken::Asked(Some(Command::Shutdown { reply })) => break Some(reply),
                Woken::Asked(Some(command)) => self.obey(command),
                Woken::Asked(None) => break None,
                Woken::Clock => {}
            }
            self.on_clock();
        };
        inbox.close();
        self.finish().await;
        self.shared.close();
        if let Some(reply) = farewell {
            // Whoever asked may have stopped waiting.
            let _gone = reply.send(());
        }
    }

    async fn wait(&mut self, inbox: &mut mpsc::Receiver<Command>) -> Woken {
        let deadlines = [self.settle.deadline(), self.batch_deadline(), Some(self.next_scan)];
        let deadline = deadlines.into_iter().flatten().min().unwrap_or(self.next_scan);
        tokio::select! {
            biased;
            Some(landed) = self.flights.join_next() => match landed {
                Ok(landed) => Woken::Landed(Box::new(landed)),
                // A flight catches everything itself; a cancelled one has nobody to report to.
                Err(_) => Woken::Clock,
            },
            () = freed(&mut self.stuck) => Woken::Clock,
            // Before the files: a writer that never stops must not keep anybody waiting for an answer.
            command = inbox.recv() => Woken::Asked(command),
            () = self.watch.changed() => Woken::Files,
            () = tokio::time::sleep_until(deadline.into()) => Woken::Clock,
        }
    }

    /// Everything that a moment can bring about, whatever woke the loop.
    fn on_clock(&mut self) {
        let now = Instant::now();
        if self.next_scan <= now {
            self.scan();
        }
        let due = self.settle.due(now);
        if !due.is_empty() {
            self.look(due);
        }
        self.commit_overdue(now);
        self.free_stuck();
        if self.flights.is_empty() {
            let deferred = std::mem::take(&mut self.deferred);
            deferred.into_iter().for_each(|command| self.obey(command));
        }
    }

    fn free_stuck(&mut self) {
        let (over, still): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.stuck).into_iter().partition(|(_, job)| job.is_finished());
        self.stuck = still;
        over.into_iter().for_each(|(names, _)| self.free(&names));
    }

    fn take_in(&mut self, found: Found) {
        let now = Instant::now();
        for signal in found.signals {
            self.settle.observe(signal, now);
        }
        if found.overflowed {
            self.rescan("the queue of file notifications overflowed");
        }
        self.note_degradation(&found.refused, now);
    }

    /// Compares everything with what is known, because nobody tells, or in case nobody told.
    fn scan(&mut self) {
        let now = Instant::now();
        let found = self.watch.scan(&self.inventory);
        for signal in found.signals {
            self.settle.observe(signal, now);
        }
        let unwatched = found.refused;
        self.next_scan = now + self.settings.poll.or(self.watch.poll_interval()).unwrap_or(RECONCILE);
        self.note_degradation(&unwatched, now);
        if unwatched.is_empty() && self.shared.root.is_dir() {
            self.note_recovery();
        }
        let watched_dirs = self.watch.directories();
        self.shared.observe.edit(|status| status.watched_dirs = watched_dirs);
    }

    fn rescan(&mut self, reason: &str) {
        let now = Instant::now();
        let found = self.watch.scan(&self.inventory);
        let event = ChangeEvent::Rescanned { reason: reason.to_owned(), found: found.signals.len() };
        for signal in found.signals {
            self.settle.observe(signal, now);
        }
        self.shared.observe.announce(&self.shared.handlers, event, &[], false);
    }

    /// Says so, once, when the root is missing or directories cannot be watched, and looks more often.
    fn note_degradation(&mut self, refused: &[(PathBuf, std::io::Error)], now: Instant) {
        let reason = if !self.shared.root.is_dir() {
            format!("the root {} is missing", self.shared.root.display())
        } else if let Some((directory, cause)) = refused.first() {
            let count = refused.len();
            let first = self.shared.root.join(directory);
            format!(
                "{count} directories cannot be watched and are looked at every {WHILE_DEGRADED:?} instead, the first is {}: {cause} (raise the limit: sudo sysctl fs.inotify.max_user_watches=1048576)",
                first.display()
            )
        } else {
            return;
        };
        self.next_scan = self.next_scan.min(now + WHILE_DEGRADED);
        let mut new = false;
        self.shared.observe.edit(|status| {
            new = status.degraded.is_none();
            status.degraded = Some(reason.clone());
        });
        if new {
            let event = ChangeEvent::Degraded { reason };
            self.shared.observe.announce(&self.shared.handlers, event, &[], false);
        }
    }

    fn note_recovery(&mut self) {
        let mut was_degraded = false;
        self.shared.observe.edit(|status| was_degraded = status.degraded.take().is_some());
        if was_degraded {
            let event = ChangeEvent::Recovered { config_name: None };
            self.shared.observe.announce(&self.shared.handlers, event, &[], false);
        }
    }

    /// Looks at the paths that are due: configurations go to their jobs, everything else is told of.
    fn look(&mut self, due: Vec<Due>) {
        let mut work: BTreeMap<String, Vec<Touched>> = BTreeMap::new();
        for due in due {
            match self.config_of(&due.path) {
                Some(name) => self.sort_in(name, due, &mut work),
                None => self.look_at_file(&due),
            }
        }
        let work: Vec<Work> =
            work.into_iter().map(|(name, touched)| Work { name, touched, forced: false }).collect();
        if !work.is_empty() {
            self.begin(work, Reason::Change);
        }
    }

    fn sort_in(&mut self, name: String, due: Due, work: &mut BTreeMap<String, Vec<Touched>>) {
        let now = Stamp::of(&self.shared.root.join(&due.path));
        let in_a_gap = now.is_none() && self.inventory.get(&due.path).is_some() && !due.last_chance;
        if in_a_gap {
            self.settle.hold(&due);
        } else if now.is_some() || self.inventory.get(&due.path).is_some() {
            work.entry(name).or_default().push(Touched { due, now });
        }
    }

    /// The configuration that a path is a layer or the schema of, if anybody wants that one.
    fn config_of(&self, path: &Path) -> Option<String> {
        let routed = self.book.routes.of(path);
        if routed.layer.is_none() && routed.kind != ResourceKind::Schema {
            return None;
        }
        let name = routed.config?;
        let subscribed = || self.shared.topics().iter().any(|topic| topic.names().contains(&name));
        let by_pattern = routed.layer.is_some() && self.watch.interest().by_pattern(path);
        (self.book.contains(&name) || by_pattern || subscribed()).then_some(name)
    }

    fn look_at_file(&mut self, due: &Due) {
        if !self.watch.interest().by_pattern(&due.path) {
            return;
        }
        match self.inventory.look(&self.shared.root, due, self.settings.max_file_size) {
            Look::Same => {}
            Look::Unfinished => self.settle.hold(due),
            Look::Changed(change_type) => self.tell_of_file(due.path.clone(), change_type),
        }
    }

    pub(super) fn tell_of_file(&self, path: PathBuf, change_type: ChangeType) {
        let of_config = self.book.routes.of(&path).config.is_some();
        let event = ChangeEvent::FileChanged { path: self.shared.root.join(&path), change_type };
        self.shared.observe.announce(&self.shared.handlers, event, &[path], of_config);
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Activate { names, reply } if self.all_in_use(&names) => {
                let _gone = reply.send(Ok(()));
            }
            command if !self.flights.is_empty() => self.deferred.push(command),
            Command::Activate { names, reply } => self.activate(names, reply),
            Command::Reload { reply } => self.reload(reply),
            Command::Adopt { settings, reply } => self.adopt(*settings, reply),
            // Answered by the loop, which ends on it.
            Command::Shutdown { .. } => {}
        }
    }

    fn all_in_use(&self, names: &[String]) -> bool {
        names.iter().all(|name| self.shared.committed.get(name).is_some())
    }

    /// Wants configurations by name from now on. The answer comes when they have been loaded.
    fn activate(&mut self, names: Vec<String>, reply: oneshot::Sender<Result<()>>) {
        let mut interest = self.watch.interest().clone();
        if names.iter().filter(|name| interest.add_config(name)).count() > 0 {
            self.watch.set_interest(interest);
            self.arm();
        }
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

    /// Arms and lists what the interest wants; new files are noted, not told of.
    fn arm(&mut self) {
        let mut found = Found::default();
        for (path, stamp) in self.watch.list(&mut found) {
            if self.inventory.get(&path).is_none() {
                self.inventory.insert(path, stamp);
            }
        }
        self.note_degradation(&found.refused, Instant::now());
        let (watched_dirs, environment) =
            (self.watch.directories(), self.book.routes.environment().to_owned());
        self.shared.observe.edit(|status| {
            status.watched_dirs = watched_dirs;
            status.environment = environment;
        });
    }

    /// Arms everything and loads every configuration that the patterns want.
    fn take_stock(&mut self, reason: Reason) {
        self.arm();
        let wanted = self.inventory.paths().filter(|path| self.watch.interest().by_pattern(path));
        let names: std::collections::BTreeSet<String> = wanted
            .filter_map(|path| {
                let routed = self.book.routes.of(path);
                routed.layer.and(routed.config)
            })
            .chain(self.book.names())
            .collect();
        let work = names.iter().map(|name| self.first_look(name)).collect();
        self.begin(work, reason);
    }

    /// A look at all files of a configuration, without patience.
    fn first_look(&self, name: &str) -> Work {
        let now = Instant::now();
        let touch = |path: PathBuf| {
            let stamp = Stamp::of(&self.shared.root.join(&path));
            Touched { due: Due { path, from: None, first: now, last: now, last_chance: true }, now: stamp }
        };
        let files = self.book.files(name, &self.inventory);
        Work { name: name.to_owned(), touched: files.into_iter().map(touch).collect(), forced: true }
    }

    /// Looks at everything there is, and answers with what came of it.
    fn reload(&mut self, reply: oneshot::Sender<super::Receipt>) {
        let found = self.watch.scan(&self.inventory);
        let (now, mut others) = (Instant::now(), HashMap::<String, Vec<Touched>>::new());
        for signal in found.signals {
            let due = Due { path: signal.path, from: None, first: now, last: now, last_chance: true };
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
                None => work.push(Work { name, touched, forced: true }),
            }
        }
        self.begin(work, Reason::Asked(reply));
    }

    /// Goes on with other settings: arms what they want, and loads everything as they say.
    fn adopt(&mut self, settings: Settings, reply: oneshot::Sender<Result<()>>) {
        let config = &settings.config;
        let mut interest = match Interest::new(&config.watch_patterns, &config.exclude_patterns) {
            Ok(interest) => interest,
            Err(error) => return drop(reply.send(Err(error))),
        };
        for name in self.book.names() {
            interest.add_config(&name);
        }
        let poll = settings.poll.is_some();
        if poll == self.settings.poll.is_some() {
            self.watch.set_interest(interest);
        } else {
            self.watch = match Watch::new(&self.shared.root, interest, poll) {
                Ok(watch) => watch,
                Err(error) => return drop(reply.send(Err(error))),
            };
        }
        self.next_scan = Instant::now();
        self.settle.set(settings.settle, settings.window());
        self.shared.handlers.set_limit(settings.time_limit);
        self.variables = Arc::new(variables(&settings));
        self.book.routes = Routes::new(settings.environment());
        self.settings = settings;
        self.take_stock(Reason::First(signal_ready(reply)));
    }

    /// Lets everything in flight land and be handed on, for as long as a farewell may take.
    async fn finish(&mut self) {
        let farewell = async {
            let found = self.watch.drain(&self.inventory);
            self.take_in(found);
            tokio::time::sleep(self.settings.settle).await;
            let due = self.settle.due(Instant::now());
            self.look(due);
            while let Some(landed) = self.flights.join_next().await {
                landed.into_iter().for_each(|landed| self.land(landed));
            }
            self.shared.handlers.finish().await;
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            tracing::warn!("shut down while a handler or a check was still at work");
        }
    }
}

/// Reads the environment variables that the settings ask for.
fn variables(settings: &Settings) -> Variables {
    let Some(prefix) = &settings.env_prefix else { return Variables::default() };
    // A variable that is not UTF-8 cannot be meant for a configuration.
    let all = std::env::vars_os()
        .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
    Variables::new(prefix, all)
}

/// Whether the configurations can be read; of several that are merged, one is enough.
fn usable(shared: &Shared, names: &[String]) -> Result<()> {
    let status = shared.observe.status();
    let fault = |name: &String| match &status.configs.get(name)?.state {
        crate::observe::ConfigState::Degraded(error) => Some(error.clone()),
        crate::observe::ConfigState::Good => None,
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
    Error::new(crate::ErrorKind::NotFound, format!("there is no configuration {:?}", names.join(", ")))
        .help(format!("looked for {}", looked_for.join(", ")))
}

fn merge_touched(into: &mut Vec<Touched>, more: Vec<Touched>) {
    for touched in more {
        if !into.iter().any(|known| known.due.path == touched.due.path) {
            into.push(touched);
        }
    }
}

/// Turns the start's answer into one that a batch can give.
fn signal_ready(ready: oneshot::Sender<Result<()>>) -> oneshot::Sender<()> {
    let (done, loaded) = oneshot::channel();
    tokio::spawn(async move {
        // If the engine ends before, the dropped sender says so.
        if loaded.await.is_ok() {
            let _gone = ready.send(Ok(()));
        }
    });
    done
}

/// Resolves when one of the jobs that overran their time has ended after all.
async fn freed(stuck: &mut [(Vec<String>, JoinHandle<Outcome>)]) {
    std::future::poll_fn(|context| {
        let ended = stuck
            .iter_mut()
            .any(|(_, job)| job.is_finished() || std::pin::Pin::new(job).poll(context).is_ready());
        if ended { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
