//! [`Handlers`]: all handlers of an engine, in their order.
//!
//! In: events, and changes that are about to be applied. Out: calls, and what came of those that matter.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::candidate::Proposal;
use super::registered::{Common, Place, Registered, Report};
use super::registration::{Dispatch, Filter, Registration};
use crate::error::{Error, ErrorKind, Result};
use crate::event::ChangeEvent;
use crate::route::Pattern;

/// All handlers of an engine.
pub(crate) struct Handlers {
    all: Mutex<Vec<Enlisted>>,
    common: Arc<Common>,
}

struct Enlisted {
    handler: Arc<Registered>,
    worker: JoinHandle<()>,
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handlers").field("limit", &self.common.limit()).finish_non_exhaustive()
    }
}

/// The outcome of a call that matters, when it comes: the handler's name and where to wait.
#[derive(Debug)]
pub(crate) struct Awaited {
    pub(crate) handler: String,
    outcome: oneshot::Receiver<Result<()>>,
}

impl Awaited {
    /// Waits for it. A call that is never made has failed.
    pub(crate) async fn outcome(self) -> Result<()> {
        let never = || Error::new(ErrorKind::Other, "it was too far behind to be told");
        self.outcome.await.unwrap_or_else(|_| Err(never()))
    }
}

impl Handlers {
    /// No handlers yet. Failures go to `report`.
    pub(crate) fn new(own: Handle, limit: Duration, report: Report) -> Self {
        Self { all: Mutex::default(), common: Arc::new(Common { own, limit: Mutex::new(limit), report }) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Enlisted>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the calls from now on another time limit.
    pub(crate) fn set_limit(&self, limit: Duration) {
        *self.common.limit.lock().unwrap_or_else(PoisonError::into_inner) = limit;
    }

    /// Registers a handler; it is called on `runtime`, or on a thread of the engine's.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when it would come after itself.
    pub(crate) fn add(&self, new: Registration, runtime: Option<Handle>) -> Result<()> {
        let mut all = self.lock();
        let order = |name: &str| {
            let those = all.iter().map(|one| &one.handler.registration).chain([&new]);
            those.filter(|one| one.name == name).flat_map(|one| one.after.clone()).collect()
        };
        if !new.after.is_empty() && before(&new.name, &order).contains(&new.name) {
            let message = format!("the handler {:?} would come after itself", new.name);
            return Err(Error::new(ErrorKind::Conflict, message).help("state `after` in one direction only"));
        }
        let handler = Arc::new(Registered::new(new, runtime, Arc::clone(&self.common)));
        let worker = self.common.own.spawn(Arc::clone(&handler).work());
        all.push(Enlisted { handler, worker });
        Ok(())
    }

    /// The globs that handlers were registered for.
    pub(crate) fn patterns(&self) -> Vec<Pattern> {
        let all = self.lock();
        let patterns = all.iter().filter_map(|one| match &one.handler.registration.filter {
            Filter::Files { pattern, .. } => Some(pattern.clone()),
            Filter::All | Filter::Parts(_) => None,
        });
        patterns.collect()
    }

    /// How many events wait for the slowest handler.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().iter().map(|one| one.handler.waiting()).max().unwrap_or(0)
    }

    /// The handlers that an event concerns, those that come first before the others.
    fn concerned(&self, dispatch: &Dispatch<'_>) -> Vec<Arc<Registered>> {
        let all = self.lock();
        let wanting = all.iter().filter(|one| one.handler.registration.filter.wants(dispatch));
        let wanting: Vec<_> = wanting.map(|one| Arc::clone(&one.handler)).collect();
        if wanting.iter().all(|handler| handler.registration.after.is_empty()) {
            return wanting;
        }
        in_order(wanting, &all)
    }

    /// Puts an event into the queue of everyone it concerns. Returns where to wait for those that matter.
    pub(crate) fn dispatch(&self, dispatch: &Dispatch<'_>) -> Vec<Awaited> {
        let is_change = matches!(dispatch.event, ChangeEvent::ConfigChanged { .. });
        let mut awaited = Vec::new();
        let mut ends = HashMap::<String, Vec<watch::Receiver<()>>>::new();
        let concerned = self.concerned(dispatch);
        let orders = is_change && concerned.iter().any(|handler| !handler.registration.after.is_empty());
        let order = self.order(orders);
        for handler in concerned {
            let mut place = Place::default();
            if orders {
                let (done, end) = watch::channel(());
                let behind = before(handler.name(), &|name| order.get(name).cloned().unwrap_or_default());
                place.behind = behind.iter().filter_map(|name| ends.get(name)).flatten().cloned().collect();
                place.done = Some(done);
                ends.entry(handler.name().to_owned()).or_default().push(end);
            }
            if is_change && handler.registration.critical {
                let (report, outcome) = oneshot::channel();
                place.outcome = Some(report);
                awaited.push(Awaited { handler: handler.name().to_owned(), outcome });
            }
            handler.push(dispatch.event.clone(), place);
        }
        awaited
    }

    /// What each name comes after, where anybody asks.
    fn order(&self, wanted: bool) -> HashMap<String, Vec<String>> {
        let mut order = HashMap::<String, Vec<String>>::new();
        if wanted {
            for one in &*self.lock() {
                let Registration { name, after, .. } = &one.handler.registration;
                order.entry(name.clone()).or_default().extend(after.iter().cloned());
            }
        }
        order
    }

    /// Everybody who has to be asked before these changes are applied, in order.
    pub(crate) fn participants(&self, proposals: &[Arc<Proposal>]) -> Participants {
        let mut asked = Vec::new();
        for proposal in proposals {
            let dispatch =
                Dispatch { event: &proposal.event, paths: &proposal.paths, of_config: true, is_change: true };
            let concerned = self.concerned(&dispatch).into_iter().filter(|handler| handler.may_have_a_say());
            asked.extend(concerned.map(|handler| (handler, Arc::clone(proposal))));
        }
        if proposals.len() > 1 {
            // Handler by handler rather than configuration by configuration.
            let all = self.lock();
            let handlers = in_order(asked.iter().map(|(handler, _)| Arc::clone(handler)).collect(), &all);
            let place = |one: &Arc<Registered>| handlers.iter().position(|other| Arc::ptr_eq(one, other));
            asked.sort_by_cached_key(|(handler, _)| place(handler));
        }
        Participants { asked, limit: self.common.limit() }
    }

    /// Lets every worker finish its queue and end; resolves when all have.
    pub(crate) async fn finish(&self) {
        let all = std::mem::take(&mut *self.lock());
        all.iter().for_each(|one| one.handler.close());
        for one in all {
            // A worker never panics; if it did, there is nobody left to tell.
            drop(one.worker.await);
        }
    }
}

/// The names that come before a name, however far.
fn before(name: &str, order: &dyn Fn(&str) -> Vec<String>) -> HashSet<String> {
    let mut found = HashSet::new();
    let mut left = order(name);
    while let Some(next) = left.pop() {
        if found.insert(next.clone()) {
            left.extend(order(&next));
        }
    }
    found
}

/// Sorts handlers so that each comes after those it is to come after, and else as they were registered.
fn in_order(handlers: Vec<Arc<Registered>>, all: &[Enlisted]) -> Vec<Arc<Registered>> {
    let order = |name: &str| {
        let those = all.iter().map(|one| &one.handler.registration).filter(|one| one.name == name);
        those.flat_map(|one| one.after.clone()).collect()
    };
    let mut left: Vec<_> =
        handlers.into_iter().map(|handler| (before(handler.name(), &order), handler)).collect();
    let mut sorted = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_free = |(behind, _): &(HashSet<String>, Arc<Registered>)| {
            !left.iter().any(|(_, other)| behind.contains(other.name()))
        };
        // There is always one: a circle is refused when it is registered.
        let next = left.iter().position(is_free).unwrap_or(0);
        sorted.push(left.remove(next).1);
    }
    sorted
}

/// Everybody who has to be asked, each with what it is asked about.
#[derive(Debug)]
pub(crate) struct Participants {
    asked: Vec<(Arc<Registered>, Arc<Proposal>)>,
    limit: Duration,
}

/// Those that are ready for a change that is not applied yet.
#[derive(Debug, Default)]
pub(crate) struct Prepared(Vec<(Arc<Registered>, Arc<Proposal>)>);

/// Who refused a change, and why.
#[derive(Debug)]
pub(crate) struct Veto {
    pub(crate) handler: String,
    pub(crate) proposal: Arc<Proposal>,
    pub(crate) error: Error,
}

impl Participants {
    pub(crate) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Asks everybody, one after the other. When one refuses, those before it are told, the last one first.
    pub(crate) async fn prepare(self) -> Result<Prepared, Veto> {
        let until = Instant::now() + self.limit;
        let mut prepared = Prepared::default();
        for (handler, proposal) in self.asked {
            match handler.prepare(&proposal, until).await {
                Ok(true) => prepared.0.push((handler, proposal)),
                Ok(false) => {}
                Err(error) => {
                    prepared.abort().await;
                    return Err(Veto { handler: handler.name().to_owned(), proposal, error });
                }
            }
        }
        Ok(prepared)
    }
}

impl Prepared {
    /// Tells everybody that the change will not come, in reverse.
    pub(crate) async fn abort(self) {
        for (handler, proposal) in self.0.into_iter().rev() {
            handler.abort(&proposal).await;
        }
    }
}
