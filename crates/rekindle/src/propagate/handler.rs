//! [`ReloadHandler`], and the queues through which handlers are called.
//!
//! Each handler has a queue and a worker of its own: its events come in order and one at a time, and
//! one that fails, panics or hangs holds up nobody else.

use std::any::type_name;
use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinHandle};

use crate::error::Result;
use crate::event::ChangeEvent;
use crate::route::Pattern;

/// Something that is told of changes.
///
/// Closures `Fn(ChangeEvent) -> Result<()>` are handlers of every event.
///
/// ```
/// use rekindle::prelude::*;
///
/// struct Pool;
///
/// #[async_trait::async_trait]
/// impl ReloadHandler for Pool {
///     async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
///         if let ChangeEvent::ConfigChanged { new_value, .. } = event {
///             println!("resize to {}", new_value["size"]);
///         }
///         Ok(())
///     }
///
///     fn can_handle(&self, event: &ChangeEvent) -> bool {
///         matches!(event, ChangeEvent::ConfigChanged { config_name, .. } if config_name == "pool")
///     }
/// }
///
/// let _boxed: Box<dyn ReloadHandler> = Box::new(Pool);
/// let _closure: Box<dyn ReloadHandler> = Box::new(|_event: ChangeEvent| Ok(()));
/// ```
#[async_trait]
pub trait ReloadHandler: Send + Sync {
    /// Takes in one event. Called on the runtime that was current when the handler was registered, or
    /// else when the engine started; on a thread of the engine's where there was none.
    ///
    /// # Errors
    ///
    /// Whatever it returns is reported as [`ChangeEvent::HandlerFailed`]; so are a panic and a call that
    /// takes longer than the time limit (10 s unless set otherwise).
    async fn handle_change(&self, event: ChangeEvent) -> Result<()>;

    /// Whether it wants this event.
    fn can_handle(&self, event: &ChangeEvent) -> bool;

    /// Whether [`handle_change`](Self::handle_change) may block its thread. It then runs on a thread
    /// for blocking work. Default: `false`; closures: `true`.
    fn may_block(&self) -> bool {
        false
    }
}

#[async_trait]
impl<F> ReloadHandler for F
where
    F: Fn(ChangeEvent) -> Result<()> + Send + Sync,
{
    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        self(event)
    }

    fn can_handle(&self, _event: &ChangeEvent) -> bool {
        true
    }

    fn may_block(&self) -> bool {
        true
    }
}

/// A boxed handler is the handler in it.
#[async_trait]
impl ReloadHandler for Box<dyn ReloadHandler> {
    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        (**self).handle_change(event).await
    }

    fn can_handle(&self, event: &ChangeEvent) -> bool {
        (**self).can_handle(event)
    }

    fn may_block(&self) -> bool {
        (**self).may_block()
    }
}

/// A shared handler is the handler that is shared.
#[async_trait]
impl<H: ReloadHandler + ?Sized> ReloadHandler for Arc<H> {
    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        (**self).handle_change(event).await
    }

    fn can_handle(&self, event: &ChangeEvent) -> bool {
        (**self).can_handle(event)
    }

    fn may_block(&self) -> bool {
        (**self).may_block()
    }
}

/// How many events may wait for one handler.
const QUEUE_CAPACITY: usize = 1024;

/// Which events a handler is offered.
#[derive(Debug)]
pub(crate) enum Filter {
    /// All.
    All,
    /// One per change of a file that matches: `ConfigChanged` for configurations, `FileChanged` for others.
    Files(Pattern),
}

/// An event on its way to the handlers.
#[derive(Debug)]
pub(crate) struct Dispatch<'a> {
    pub(crate) event: &'a ChangeEvent,
    /// The files that it is about, relative to the root.
    pub(crate) paths: &'a [PathBuf],
    /// Whether those files are configurations.
    pub(crate) of_config: bool,
}

impl Filter {
    fn wants(&self, dispatch: &Dispatch<'_>) -> bool {
        let Self::Files(pattern) = self else { return true };
        let right_kind = match dispatch.event {
            ChangeEvent::ConfigChanged { .. } => true,
            ChangeEvent::FileChanged { .. } => !dispatch.of_config,
            _ => false,
        };
        right_kind && dispatch.paths.iter().any(|path| pattern.matches(path))
    }
}

/// A registered handler: what it wants, and the queue of its worker.
struct Registered {
    name: String,
    filter: Filter,
    handler: Box<dyn ReloadHandler>,
    queue: Mutex<Queue>,
    filled: Notify,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<ChangeEvent>,
    missed: u64,
    closed: bool,
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered")
            .field("name", &self.name)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

impl Registered {
    fn with_queue<R>(&self, act: impl FnOnce(&mut Queue) -> R) -> R {
        act(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, event: ChangeEvent) {
        self.with_queue(|queue| {
            if queue.events.len() == QUEUE_CAPACITY {
                queue.events.pop_front();
                queue.missed += 1;
            }
            queue.events.push_back(event);
        });
        self.filled.notify_one();
    }

    /// The next event; `None` once closed and empty.
    async fn next(&self) -> Option<ChangeEvent> {
        loop {
            let (event, closed) = self.with_queue(|queue| {
                let missed = std::mem::take(&mut queue.missed);
                let lagged = (missed > 0).then_some(ChangeEvent::Lagged { missed });
                (lagged.or_else(|| queue.events.pop_front()), queue.closed)
            });
            if event.is_some() || closed {
                return event;
            }
            self.filled.notified().await;
        }
    }

    async fn call(&self, event: ChangeEvent) -> Result<()> {
        if (*self.handler).can_handle(&event) { (*self.handler).handle_change(event).await } else { Ok(()) }
    }
}

/// All handlers of an engine.
pub(crate) struct Handlers {
    registered: Mutex<Vec<(Arc<Registered>, JoinHandle<()>)>>,
    /// The engine's own runtime: workers run there, handlers only where there is no other.
    own: Handle,
    limit: Arc<Mutex<Duration>>,
    report: Report,
}

/// Where a handler's failures go.
type Report = Arc<dyn Fn(ChangeEvent) + Send + Sync>;

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handlers").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Handlers {
    /// No handlers yet. Failures go to `report`.
    pub(crate) fn new(own: Handle, limit: Duration, report: Report) -> Self {
        Self { registered: Mutex::default(), own, limit: Arc::new(Mutex::new(limit)), report }
    }

    /// Gives the calls from now on another time limit.
    pub(crate) fn set_limit(&self, limit: Duration) {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner) = limit;
    }

    /// Registers a handler; it is called on `runtime`, or on a thread of the engine's.
    pub(crate) fn add(&self, new: NewHandler, runtime: Option<Handle>) {
        let NewHandler { name, filter, handler } = new;
        let registered =
            Arc::new(Registered { name, filter, handler, queue: Mutex::default(), filled: Notify::new() });
        let worker = Worker {
            registered: Arc::clone(&registered),
            runtime,
            own: self.own.clone(),
            limit: Arc::clone(&self.limit),
            report: Arc::clone(&self.report),
        };
        let task = self.own.spawn(worker.run());
        self.registered.lock().unwrap_or_else(PoisonError::into_inner).push((registered, task));
    }

    /// The globs that handlers were registered for.
    pub(crate) fn patterns(&self) -> Vec<Pattern> {
        let all = self.registered.lock().unwrap_or_else(PoisonError::into_inner);
        let patterns = all.iter().filter_map(|(registered, _)| match &registered.filter {
            Filter::Files(pattern) => Some(pattern.clone()),
            Filter::All => None,
        });
        patterns.collect()
    }

    /// How many events wait for the slowest handler.
    pub(crate) fn waiting(&self) -> usize {
        let all = self.registered.lock().unwrap_or_else(PoisonError::into_inner);
        let queued = |registered: &Registered| registered.with_queue(|queue| queue.events.len());
        all.iter().map(|(registered, _)| queued(registered)).max().unwrap_or(0)
    }

    /// Puts an event into the queue of everyone it concerns.
    pub(crate) fn dispatch(&self, dispatch: &Dispatch<'_>) {
        let all = self.registered.lock().unwrap_or_else(PoisonError::into_inner);
        for (registered, _) in all.iter().filter(|(registered, _)| registered.filter.wants(dispatch)) {
            registered.push(dispatch.event.clone());
        }
    }

    /// Lets every worker finish its queue and end; resolves when all have.
    pub(crate) async fn finish(&self) {
        let all = std::mem::take(&mut *self.registered.lock().unwrap_or_else(PoisonError::into_inner));
        for (registered, _) in &all {
            registered.with_queue(|queue| queue.closed = true);
            registered.filled.notify_one();
        }
        for (_, task) in all {
            // A worker never panics; if it did, there is nobody left to tell.
            drop(task.await);
        }
    }
}

/// A handler to be registered.
pub(crate) struct NewHandler {
    pub(crate) name: String,
    pub(crate) filter: Filter,
    pub(crate) handler: Box<dyn ReloadHandler>,
}

impl fmt::Debug for NewHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewHandler").field("name", &self.name).finish_non_exhaustive()
    }
}

impl NewHandler {
    /// Whether it wants files of its own choice.
    pub(crate) fn wants_files(&self) -> bool {
        matches!(self.filter, Filter::Files(_))
    }

    /// A handler of every event, named by its type.
    pub(crate) fn of_all<H: ReloadHandler + 'static>(handler: H) -> Self {
        Self { name: type_name::<H>().to_owned(), filter: Filter::All, handler: Box::new(handler) }
    }

    /// A handler of the files that match, named by the pattern.
    pub(crate) fn of_files(pattern: Pattern, handler: impl ReloadHandler + 'static) -> Self {
        let name = pattern.text().to_owned();
        Self { name, filter: Filter::Files(pattern), handler: Box::new(handler) }
    }
}

/// Calls one handler, event by event.
struct Worker {
    registered: Arc<Registered>,
    runtime: Option<Handle>,
    own: Handle,
    limit: Arc<Mutex<Duration>>,
    report: Report,
}

impl Worker {
    async fn run(mut self) {
        while let Some(event) = self.registered.next().await {
            let mut call = self.start(event);
            let limit = *self.limit.lock().unwrap_or_else(PoisonError::into_inner);
            match tokio::time::timeout(limit, &mut call).await {
                Ok(Ok(Ok(()))) => {}
                Ok(Ok(Err(error))) => self.failed(error.to_string()),
                Ok(Err(end)) => self.ended(end),
                Err(_) => {
                    self.failed(format!("it took longer than its limit of {limit:?}"));
                    call.abort();
                    // One call at a time: what cannot be aborted is waited for.
                    drop(call.await);
                }
            }
        }
    }

    fn start(&self, event: ChangeEvent) -> JoinHandle<Result<()>> {
        let registered = Arc::clone(&self.registered);
        let call = async move { registered.call(event).await };
        match &self.runtime {
            Some(runtime) if !(*self.registered.handler).may_block() => runtime.spawn(call),
            other => {
                let runtime = other.clone().unwrap_or_else(|| self.own.clone());
                let inside = runtime.clone();
                runtime.spawn_blocking(move || inside.block_on(call))
            }
        }
    }

    fn ended(&mut self, end: JoinError) {
        if end.is_panic() {
            self.failed(format!("it panicked: {}", crate::error::panic_text(&*end.into_panic())));
        } else {
            self.failed(
                "the runtime it ran on has been shut down; it goes on with a thread of the engine".into(),
            );
            self.runtime = None;
        }
    }

    fn failed(&self, error: String) {
        (self.report)(ChangeEvent::HandlerFailed { handler: self.registered.name.clone(), error });
    }
}
