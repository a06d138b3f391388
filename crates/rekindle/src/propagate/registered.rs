//! One registered handler: the queue of its events, its worker, and how user code is called.
//!
//! Its events come in order and one at a time, and one that fails, panics or hangs holds up nobody else.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedMutexGuard, oneshot, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;
use tracing::Instrument;

use super::candidate::{Candidate, Proposal};
use super::registration::Registration;
use crate::error::{Error, ErrorKind, Result, panic_text};
use crate::event::ChangeEvent;

/// How many events may wait for one handler.
const QUEUE_CAPACITY: usize = 1024;

/// What all handlers of an engine share.
pub(super) struct Common {
    /// The engine's own runtime: workers run there, handlers only where there is no other.
    pub(super) own: Handle,
    pub(super) limit: Mutex<Duration>,
    /// Where a handler's failures go.
    pub(super) report: Report,
}

/// Takes in what is told of a handler's failure.
pub(crate) type Report = Arc<dyn Fn(ChangeEvent) + Send + Sync>;

impl Common {
    pub(super) fn limit(&self) -> Duration {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handler and all that belongs to it.
pub(crate) struct Registered {
    pub(super) registration: Registration,
    common: Arc<Common>,
    /// The program's runtime, as long as there is one.
    runtime: Mutex<Option<Handle>>,
    queue: Mutex<Queue>,
    filled: Notify,
    /// Held while it is called: one call at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Its `prepare` is the default one: there is no need to ask, nor to wait for it.
    has_no_say: AtomicBool,
    has_a_say: AtomicBool,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<Queued>,
    missed: u64,
    closed: bool,
}

/// An event that waits for a handler.
struct Queued {
    event: ChangeEvent,
    place: Place,
}

/// An event's place among the calls of other handlers, and who waits for what comes of it.
#[derive(Default)]
pub(super) struct Place {
    /// They end when the handlers that come first are done with this event.
    pub(super) behind: Vec<watch::Receiver<()>>,
    /// Dropped when this handler is done with it, or will never be.
    pub(super) done: Option<watch::Sender<()>>,
    /// Where the outcome matters.
    pub(super) outcome: Option<oneshot::Sender<Result<()>>>,
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registered").field(&self.registration).finish()
    }
}

impl Registered {
    pub(super) fn new(registration: Registration, runtime: Option<Handle>, common: Arc<Common>) -> Self {
        Self {
            registration,
            common,
            runtime: Mutex::new(runtime),
            queue: Mutex::default(),
            filled: Notify::new(),
            turn: Arc::default(),
            has_no_say: AtomicBool::new(false),
            has_a_say: AtomicBool::new(false),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.registration.name
    }

    /// Whether it has to be asked before a change is applied, as far as is known.
    pub(super) fn may_have_a_say(&self) -> bool {
        !self.has_no_say.load(Ordering::Relaxed)
    }

    fn with_queue<R>(&self, act: impl FnOnce(&mut Queue) -> R) -> R {
        act(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn push(&self, event: ChangeEvent, place: Place) {
        let _left_out = self.with_queue(|queue| {
            let is_full = queue.events.len() == QUEUE_CAPACITY;
            let oldest = if is_full { queue.events.pop_front() } else { None };
            queue.missed += u64::from(is_full);
            queue.events.push_back(Queued { event, place });
            oldest
        });
        self.filled.notify_one();
    }

    /// How many events wait.
    pub(super) fn waiting(&self) -> usize {
        self.with_queue(|queue| queue.events.len())
    }

    /// Lets its worker finish the queue and end.
    pub(super) fn close(&self) {
        self.with_queue(|queue| queue.closed = true);
        self.filled.notify_one();
    }

    /// The next event; `None` once closed and empty.
    async fn next(&self) -> Option<Queued> {
        loop {
            let (next, closed) = self.with_queue(|queue| {
                let missed = std::mem::take(&mut queue.missed);
                let lagged = (missed > 0)
                    .then(|| Queued { event: ChangeEvent::Lagged { missed }, place: Place::default() });
                (lagged.or_else(|| queue.events.pop_front()), queue.closed)
            });
            if next.is_some() || closed {
                return next;
            }
            self.filled.notified().await;
        }
    }

    /// Calls the handler, event by event.
    pub(super) async fn work(self: Arc<Self>) {
        while let Some(Queued { event, mut place }) = self.next().await {
            self.wait_for_others(&mut place.behind).await;
            let turn = Arc::clone(&self.turn).lock_owned().await;
            let scrubber = event.scrubber();
            let (outcome, still_running) = self.handle(event).await;
            // It may quote what it was told, secrets among it.
            let shown = |error: Error| Error::new(error.kind(), scrubber.scrub(&error.to_string()));
            let outcome = outcome.map_err(shown);
            if let Err(error) = &outcome {
                self.failed(error.to_string());
            }
            if let Some(report) = place.outcome.take() {
                // Nobody may be waiting for it any more.
                let _given_up = report.send(outcome);
            }
            drop(place);
            if let Some(call) = still_running {
                // One call at a time: what cannot be aborted is waited for.
                drop(call.await);
            }
            drop(turn);
        }
    }

    /// Waits for the handlers that come first, but not for ever: one of them may hang.
    async fn wait_for_others(&self, behind: &mut [watch::Receiver<()>]) {
        if behind.is_empty() {
            return;
        }
        let all = async {
            for other in behind {
                // It never changes; it ends.
                let _done = other.changed().await;
            }
        };
        let _hangs = tokio::time::timeout(self.common.limit(), all).await;
    }

    /// One call of `handle_change`, for as long as it may take; and the call itself if it still runs then.
    async fn handle(self: &Arc<Self>, event: ChangeEvent) -> (Result<()>, Option<JoinHandle<Result<()>>>) {
        let limit = self.common.limit();
        let me = Arc::clone(self);
        let mut call = self.spawn(async move {
            let handler = &*me.registration.handler;
            if handler.can_handle(&event) { handler.handle_change(event).await } else { Ok(()) }
        });
        match tokio::time::timeout(limit, &mut call).await {
            Ok(Ok(result)) => (result, None),
            Ok(Err(end)) => (Err(self.ended(end)), None),
            Err(_) => {
                call.abort();
                (Err(overrun(limit)), Some(call))
            }
        }
    }

    /// Asks it to get ready for a change, and says whether it did: it may not be concerned, or have no say.
    pub(super) async fn prepare(self: &Arc<Self>, proposal: &Arc<Proposal>, until: Instant) -> Result<bool> {
        if !self.may_have_a_say() {
            return Ok(false);
        }
        let turn = self.turn_to_prepare(until).await?;
        let candidate = Arc::new(Candidate::new(Arc::clone(proposal)));
        let mut call = self.spawn(Arc::clone(self).asked(Arc::clone(&candidate), turn));
        let answered = match tokio::time::timeout_at(until, &mut call).await {
            Ok(answered) => answered,
            Err(_) if candidate.settle() => {
                call.abort();
                return Err(Error::new(ErrorKind::Timeout, "it was not ready before the deadline"));
            }
            // It was, in the very last moment.
            Err(_) => call.await,
        };
        match answered {
            Ok(Ok(false)) => Ok(false),
            Ok(answer) => {
                let is_default = candidate.went_unseen();
                let known = if is_default { &self.has_no_say } else { &self.has_a_say };
                known.store(true, Ordering::Relaxed);
                answer.map(|_| !is_default)
            }
            Err(end) => Err(self.ended(end)),
        }
    }

    /// A call of `prepare`; says whether the handler is concerned at all.
    async fn asked(
        self: Arc<Self>,
        candidate: Arc<Candidate>,
        turn: Option<OwnedMutexGuard<()>>,
    ) -> Result<bool> {
        let handler = &*self.registration.handler;
        let is_concerned = handler.can_handle(candidate.event());
        if is_concerned {
            handler.prepare(&candidate).await?;
        }
        if !candidate.settle() && is_concerned && !candidate.went_unseen() {
            // Nobody waits for it any more, and the change has been refused.
            handler.abort(&candidate).await;
        }
        drop(turn);
        Ok(is_concerned)
    }

    /// Waits until an earlier call is over, unless it is not known to be one that prepares: then there is
    /// nothing to keep apart yet, and a slow handler without a say must not hold anything up.
    async fn turn_to_prepare(&self, until: Instant) -> Result<Option<OwnedMutexGuard<()>>> {
        let turn = Arc::clone(&self.turn);
        if !self.has_a_say.load(Ordering::Relaxed) {
            return Ok(turn.try_lock_owned().ok());
        }
        let waited = tokio::time::timeout_at(until, turn.lock_owned()).await;
        let busy = |_| Error::new(ErrorKind::Busy, "it is still at work on an earlier change");
        waited.map(Some).map_err(busy)
    }

    /// Tells it that what it prepared for will not come.
    pub(super) async fn abort(self: &Arc<Self>, proposal: &Arc<Proposal>) {
        let (me, candidate) = (Arc::clone(self), Candidate::new(Arc::clone(proposal)));
        let call = self.spawn(async move { (*me.registration.handler).abort(&candidate).await });
        let limit = self.common.limit();
        match tokio::time::timeout(limit, call).await {
            Ok(Ok(())) => {}
            Ok(Err(end)) => {
                let error = self.ended(end);
                self.failed(format!("in abort: {error}"));
            }
            Err(_) => self.failed(format!("in abort: {}", overrun(limit))),
        }
    }

    /// Runs user code where it belongs: on the program's runtime, or on a thread that it may block.
    fn spawn<R: Send + 'static>(&self, call: impl Future<Output = R> + Send + 'static) -> JoinHandle<R> {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // What it logs while it gets ready belongs to the reload.
        let call = call.in_current_span();
        match runtime {
            Some(runtime) if !(*self.registration.handler).may_block() => runtime.spawn(call),
            other => {
                let runtime = other.unwrap_or_else(|| self.common.own.clone());
                let inside = runtime.clone();
                runtime.spawn_blocking(move || inside.block_on(call))
            }
        }
    }

    /// Why a call ended without an answer.
    fn ended(&self, end: JoinError) -> Error {
        if end.is_panic() {
            let said = panic_text(&*end.into_panic());
            return Error::new(ErrorKind::Panic, format!("it panicked: {said}"));
        }
        *self.runtime.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let message = "the runtime it ran on has been shut down; it goes on with a thread of the engine";
        Error::new(ErrorKind::Other, message)
    }

    fn failed(&self, error: String) {
        (self.common.report)(ChangeEvent::HandlerFailed { handler: self.name().to_owned(), error });
    }
}

fn overrun(limit: Duration) -> Error {
    Error::new(ErrorKind::Timeout, format!("it took longer than its limit of {limit:?}"))
}
