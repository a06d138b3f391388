//! The engine: a thread that drives the stages for one root, and the handle to it.

mod backlog;
mod batch;
mod book;
mod chronicle;
mod commands;
mod compare;
mod control;
mod edit;
mod externals;
mod fallback;
mod flight;
mod git;
mod job;
mod look;
mod probation;
mod receipt;
mod remote;
mod run;
mod signal;
mod timer;
mod trial;
mod trust;
mod update;
mod verdict;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::{broadcast, mpsc, oneshot};

use self::batch::Asked;
use self::chronicle::Chronicle;
pub(crate) use self::externals::environment;
pub use self::fallback::StartPolicy;
pub(crate) use self::probation::HealthCheck;
pub use self::probation::Probation;
#[cfg(feature = "health-http")]
pub(crate) use self::probation::url_check;
pub use self::receipt::{Receipt, Refusal, ReloadOutcome, StageTimes};
pub use self::remote::RemoteDocument;
use self::update::Update;
use crate::commit::Committed;
use crate::config::Settings;
use crate::error::{Error, ErrorKind, Result};
use crate::event::ChangeEvent;
use crate::history::Trigger;
use crate::observe::Observe;
use crate::propagate::{ConfigStream, Handlers, Merge, Part, Registration, Topic, Typed, check_pointer};
use crate::validate::Check;

/// How many commands may wait for the engine.
const COMMANDS: usize = 64;

/// How long registering a handler waits until its files are watched. Usually that takes microseconds.
const WIDENED_WITHIN: Duration = Duration::from_secs(1);

/// What the engine can be asked for.
#[derive(Debug)]
pub(crate) enum Command {
    /// Load these configurations if they are not, and keep them live from now on.
    Activate { names: Vec<String>, reply: oneshot::Sender<Result<()>> },
    /// Answer when nothing can be applied to these any more that was begun before this was asked.
    Meet { names: Vec<String>, reply: oneshot::Sender<()> },
    /// Look at everything now, without patience for more than what is being written.
    Reload(Asked),
    /// Change a configuration's files, if what they hold then is good.
    Update(Box<Update>),
    /// Watch what handlers were registered for meanwhile, too.
    Widen { done: std::sync::mpsc::SyncSender<()> },
    /// Go on with other settings.
    Adopt { settings: Box<Settings>, reply: oneshot::Sender<Result<()>> },
    /// Finish what is in flight and end.
    Shutdown { reply: oneshot::Sender<()> },
}

/// What the engine's thread and its handles share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) root: PathBuf,
    pub(crate) committed: Committed,
    pub(crate) observe: Arc<Observe>,
    pub(crate) handlers: Handlers,
    pub(crate) topics: Mutex<Vec<Arc<dyn Topic>>>,
    pub(crate) checks: Mutex<Vec<Arc<Check>>>,
    pub(crate) health_checks: Mutex<Vec<Arc<HealthCheck>>>,
    /// Where it is written down which generations were good.
    chronicle: Mutex<Option<Chronicle>>,
    /// The last handle went while its thread panicked.
    crashing: AtomicBool,
}

impl Shared {
    fn chronicle(&self) -> Result<Chronicle> {
        let chronicle = self.chronicle.lock().unwrap_or_else(PoisonError::into_inner).clone();
        chronicle.ok_or_else(|| {
            let message = "this engine keeps no history";
            Error::new(ErrorKind::History, message)
                .help("switch it on with `HotReloadBuilder::history(true)`")
        })
    }

    fn set_chronicle(&self, chronicle: Option<Chronicle>) {
        *self.chronicle.lock().unwrap_or_else(PoisonError::into_inner) = chronicle;
    }

    fn is_crashing(&self) -> bool {
        self.crashing.load(Ordering::Relaxed)
    }

    /// The topics in use. Those that nobody reads any more are let go: they must not refuse anything.
    pub(crate) fn topics(&self) -> Vec<Arc<dyn Topic>> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.retain(|topic| Arc::strong_count(topic) > 1 || topic.has_receivers());
        topics.clone()
    }

    /// The configurations that hang together, since somebody reads or checks them as one.
    pub(crate) fn ties(&self) -> Vec<Vec<String>> {
        let (topics, checks) = (self.topics(), self.checks());
        let read = topics.iter().map(|topic| topic.names());
        let checked = checks.iter().map(|check| check.configs.as_slice());
        read.chain(checked).filter(|names| names.len() > 1).map(<[String]>::to_vec).collect()
    }

    pub(crate) fn checks(&self) -> Vec<Arc<Check>> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn health_checks(&self) -> Vec<Arc<HealthCheck>> {
        self.health_checks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends everything that waits for the engine.
    fn close(&self) {
        let topics = std::mem::take(&mut *self.topics.lock().unwrap_or_else(PoisonError::into_inner));
        topics.iter().for_each(|topic| topic.close());
        self.observe.close();
    }
}

/// A running engine. When the last handle is dropped, it stops.
#[derive(Debug)]
pub(crate) struct EngineHandle {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
    /// Whether the options were stated by somebody, rather than being the defaults.
    stated: Mutex<Option<Settings>>,
    /// Whoever answers questions from outside of the program.
    #[cfg(unix)]
    control: Mutex<Option<crate::control::Server>>,
    /// Held while what a shared store says is taken in.
    remote_turn: tokio::sync::Mutex<()>,
}

/// What an engine starts with beside its settings.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) handlers: Vec<Registration>,
    pub(crate) checks: Vec<Arc<Check>>,
    pub(crate) health_checks: Vec<Arc<HealthCheck>>,
}

impl EngineHandle {
    /// Starts an engine; when it resolves, everything is armed and loaded.
    pub(crate) async fn start(
        root: PathBuf,
        settings: Settings,
        stated: bool,
        parts: Parts,
    ) -> Result<Arc<Self>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("rekindle-work")
            .build()?;
        let observe = Observe::new(&root);
        let report = {
            let observe = Arc::clone(&observe);
            Arc::new(move |event: ChangeEvent| observe.tell(event))
        };
        let handlers = Handlers::new(runtime.handle().clone(), settings.time_limit, report);
        let shared = Arc::new(Shared {
            root,
            committed: Committed::default(),
            observe,
            handlers,
            topics: Mutex::default(),
            checks: Mutex::new(parts.checks),
            health_checks: Mutex::new(parts.health_checks),
            chronicle: Mutex::default(),
            crashing: AtomicBool::new(false),
        });
        let fails = settings.start_policy == StartPolicy::Fail;
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let stated = Mutex::new(stated.then(|| settings.clone()));
        let handle = Arc::new(Self {
            shared: Arc::clone(&shared),
            commands,
            stated,
            #[cfg(unix)]
            control: Mutex::default(),
            remote_turn: tokio::sync::Mutex::default(),
        });
        parts.handlers.into_iter().try_for_each(|handler| handle.enlist(handler))?;
        let (ready, started) = oneshot::channel();
        std::thread::Builder::new()
            .name("rekindle".into())
            .spawn(move || run::thread(runtime, &shared, settings, inbox, ready))?;
        started.await.unwrap_or_else(|_| Err(Error::stopped()))?;
        match handle.shared.observe.status().failures().next() {
            Some((_, error)) if fails => Err(error.clone()),
            _ => Ok(handle),
        }
    }

    /// The configurations in use.
    pub(crate) fn committed(&self) -> &Committed {
        &self.shared.committed
    }

    /// What is shared with the engine's thread.
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The watched directory.
    pub(crate) fn root(&self) -> &Path {
        &self.shared.root
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&self) -> bool {
        !self.commands.is_closed()
    }

    /// Every event from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<ChangeEvent> {
        self.shared.observe.subscribe()
    }

    /// Registers a handler; it is called on the runtime that is current here.
    ///
    /// When it returns, the files it is for are watched, so that no later change to them is missed.
    ///
    /// # Errors
    ///
    /// What is wrong with the registration.
    pub(crate) fn add_handler(&self, handler: Registration) -> Result<()> {
        let widens = handler.wants_files();
        self.enlist(handler)?;
        let (done, widened) = std::sync::mpsc::sync_channel(1);
        // If the engine has ended, or is too busy to say so, there is nothing to wait for.
        if widens && self.commands.try_send(Command::Widen { done }).is_ok() {
            let _in_time = widened.recv_timeout(WIDENED_WITHIN);
        }
        Ok(())
    }

    /// Registers a handler with an engine that is about to look at the handlers anyway.
    fn enlist(&self, handler: Registration) -> Result<()> {
        self.shared.handlers.add(handler.checked()?, tokio::runtime::Handle::try_current().ok())
    }

    /// Joins this engine with options of one's own, or with none.
    ///
    /// An engine that nobody stated options for takes them on; one that somebody did must have the same.
    pub(crate) async fn join(&self, stated: Option<Settings>) -> Result<()> {
        let Some(settings) = stated else { return Ok(()) };
        {
            let mut mine = self.stated.lock().unwrap_or_else(PoisonError::into_inner);
            match &*mine {
                Some(mine) if *mine == settings => return Ok(()),
                Some(_) => return Err(conflict(self.root())),
                None => *mine = Some(settings.clone()),
            }
        }
        self.ask(|reply| Command::Adopt { settings: Box::new(settings), reply }).await?
    }

    async fn ask<R>(&self, command: impl FnOnce(oneshot::Sender<R>) -> Command) -> Result<R> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| Error::stopped())?;
        answer.await.map_err(|_| Error::stopped())
    }

    /// Looks at everything now.
    pub(crate) async fn reload(&self) -> Result<Receipt> {
        self.ask(|reply| Command::Reload(Asked::new(Trigger::Reload, Some(reply)))).await?
    }

    /// Ends the engine for everybody.
    pub(crate) async fn shutdown(&self) {
        self.close_control().await;
        // An engine that has ended already has nothing left to finish.
        let _ended_already = self.ask(|reply| Command::Shutdown { reply }).await;
    }

    /// A stream of the configurations `names`, the later merged over the earlier.
    pub(crate) async fn stream<T>(
        self: &Arc<Self>,
        names: &[&str],
        pointer: Option<&str>,
        merge: Merge<T>,
    ) -> Result<ConfigStream<T>>
    where
        T: DeserializeOwned + Send + Clone + 'static,
    {
        names.iter().try_for_each(|name| crate::route::check_name(name))?;
        pointer.map_or(Ok(()), check_pointer)?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let wanted = names.clone();
        self.ask(|reply| Command::Activate { names: wanted, reply }).await??;
        // A type that does not fit is an error here; it never gets to refuse a change.
        let part = Part { names, pointer: pointer.filter(|pointer| !pointer.is_empty()).map(str::to_owned) };
        self.value(&Typed::new(part.clone(), merge))?;
        let topic = self.topic::<T>(part, merge);
        // What a job began with before there was this topic is applied without telling it.
        let names = topic.names().to_vec();
        self.ask(|reply| Command::Meet { names, reply }).await?;
        loop {
            let (value, version) = self.value(&topic)?;
            if let Some(mailbox) = topic.open_mailbox(version) {
                return Ok(ConfigStream::new(value, mailbox, topic, Arc::clone(self)));
            }
        }
    }

    /// The value that a topic has now, and the generation it is from.
    fn value<T>(&self, topic: &Typed<T>) -> Result<(T, u64)>
    where
        T: DeserializeOwned + Send + Clone + 'static,
    {
        let picked = self.committed().pick(topic.names());
        let value = topic.value(&|name| picked.find(name), self.root())?;
        let value =
            value.ok_or_else(|| Error::new(ErrorKind::NotFound, "none of the configurations exists"))?;
        Ok((value, picked.version))
    }

    /// The topic of a type, made if there is none.
    fn topic<T>(&self, part: Part, merge: Merge<T>) -> Arc<Typed<T>>
    where
        T: DeserializeOwned + Send + Clone + 'static,
    {
        let mut topics = self.shared.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |topic: &Arc<dyn Topic>| {
            (*topic.part() == part).then(|| Arc::clone(topic).as_any())?.downcast::<Typed<T>>().ok()
        };
        if let Some(topic) = topics.iter().find_map(same) {
            return topic;
        }
        let topic = Typed::new(part, merge);
        topics.push(Arc::clone(&topic) as Arc<dyn Topic>);
        topic
    }
}

/// A program that panics drops its handles, too: that is no clean end.
impl Drop for EngineHandle {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.crashing.store(true, Ordering::Relaxed);
        }
    }
}

fn conflict(root: &Path) -> Error {
    let message = format!("an engine with other options already serves {}", root.display());
    Error::new(ErrorKind::Conflict, message)
        .help("state the options once, where the first manager is started")
}
