//! [`Core`]: the one that serves, and those that are ready to follow it.
//!
//! Building is slow and done without a lock; only what was decided meanwhile is looked at under one. No
//! user code runs then, so what is to be dropped leaves with the lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, watch};

use super::blueprint::Blueprint;
use super::contract::{Running, Service};
use super::instance::Instance;
use super::retirement::{RETIREMENTS_CAPACITY, Retirement};
use crate::error::Result;

type Built<S> = Instance<<S as Service>::Running>;

/// What the handle, the handler and the retirements share.
pub(super) struct Core<S: Service> {
    pub(super) blueprint: Arc<Blueprint<S>>,
    pub(super) current: ArcSwap<Built<S>>,
    book: Mutex<Book<S>>,
    /// The generation of the newest one that has begun.
    pub(super) begun: AtomicU64,
    /// Held from a switch until the new one has begun, so that they begin in the order in which they serve.
    turn: tokio::sync::Mutex<()>,
    pub(super) retirements: broadcast::Sender<Retirement>,
    /// How many are being retired.
    pub(super) retiring: watch::Sender<usize>,
    pub(super) runtime: Handle,
}

struct Book<S: Service> {
    /// The newest generation that was followed.
    generation: u64,
    /// Those that are ready for a change which is not told yet, in its order.
    pending: Vec<Built<S>>,
    closed: bool,
}

/// What to do about a change.
enum Move<S: Service> {
    /// Nothing: it is no change of the part, or one that is overtaken.
    Stay,
    Switch(Built<S>),
    Build,
}

impl<S: Service> Core<S> {
    pub(super) fn new(
        blueprint: Arc<Blueprint<S>>,
        first: Built<S>,
        generation: u64,
        runtime: Handle,
    ) -> Self {
        first.serves_from(generation);
        Self {
            blueprint,
            current: ArcSwap::from_pointee(first),
            book: Mutex::new(Book { generation, pending: Vec::new(), closed: false }),
            begun: AtomicU64::new(generation),
            turn: tokio::sync::Mutex::new(()),
            retirements: broadcast::Sender::new(RETIREMENTS_CAPACITY),
            retiring: watch::Sender::new(0),
            runtime,
        }
    }

    fn book(&self) -> MutexGuard<'_, Book<S>> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.book().closed
    }

    /// Builds one for a part that is about to be in use.
    pub(super) async fn prepare(&self, part: Value) -> Result<()> {
        let Some(predecessor) = self.newest_unless(&part) else { return Ok(()) };
        let instance = self.blueprint.build(part, predecessor.share()).await?;
        let too_late = self.keep(instance);
        drop(too_late);
        Ok(())
    }

    /// The newest one there is, unless it was built from this very part.
    fn newest_unless(&self, part: &Value) -> Option<Arc<S::Running>> {
        let book = self.book();
        let newest = book.pending.last().map(|one| (&one.part == part, Arc::clone(&one.running)));
        let (is_same, running) = newest.unwrap_or_else(|| {
            let current = self.current.load();
            (&current.part == part, Arc::clone(&current.running))
        });
        (!is_same).then_some(running)
    }

    /// Keeps one for the change that it was built for; gives it back when there is nobody to serve any more.
    fn keep(&self, instance: Built<S>) -> Option<Built<S>> {
        let mut book = self.book();
        if book.closed {
            return Some(instance);
        }
        book.pending.push(instance);
        None
    }

    /// Drops what was built for a change that is not to come.
    pub(super) fn discard(&self, part: &Value) {
        let found = {
            let mut book = self.book();
            let at = book.pending.iter().rposition(|one| one.part == *part);
            at.map(|at| book.pending.remove(at))
        };
        drop(found);
    }

    /// Goes over to the part of a generation.
    pub(super) async fn follow(self: &Arc<Self>, part: Value, generation: u64) -> Result<()> {
        let (next, overtaken) = self.next(&part, generation);
        drop(overtaken);
        let next = match next {
            Move::Stay => return Ok(()),
            Move::Switch(instance) => instance,
            // Nobody was asked beforehand: an undo.
            Move::Build => {
                let state = self.current.load_full().running.share();
                self.blueprint.build(part, state).await?
            }
        };
        let _turn = self.turn.lock().await;
        let Ok(old) = self.switch(next, generation) else { return Ok(()) };
        let begun = self.current.load().begin();
        self.begun.store(generation, Ordering::Release);
        self.retire(old);
        begun
    }

    /// What to do about a part, and those that were ready for changes before it.
    fn next(&self, part: &Value, generation: u64) -> (Move<S>, Vec<Built<S>>) {
        let mut book = self.book();
        if book.closed || generation <= book.generation {
            return (Move::Stay, Vec::new());
        }
        if let Some(at) = book.pending.iter().position(|one| one.part == *part) {
            let mut ready: Vec<_> = book.pending.drain(..=at).collect();
            let instance = ready.pop().map_or(Move::Build, Move::Switch);
            return (instance, ready);
        }
        if self.current.load().part == *part {
            book.generation = generation;
            return (Move::Stay, Vec::new());
        }
        (Move::Build, Vec::new())
    }

    /// Switches traffic, and gives the one that had it; or the new one, where it comes too late.
    fn switch(&self, next: Built<S>, generation: u64) -> Result<Arc<Built<S>>, Arc<Built<S>>> {
        let next = Arc::new(next);
        let mut book = self.book();
        if book.closed || generation <= book.generation {
            return Err(next);
        }
        book.generation = generation;
        next.serves_from(generation);
        Ok(self.current.swap(next))
    }

    /// Follows nothing any more. Says whether it did until now.
    pub(super) fn close(&self) -> bool {
        let (was_open, pending) = {
            let mut book = self.book();
            (!std::mem::replace(&mut book.closed, true), std::mem::take(&mut book.pending))
        };
        drop(pending);
        was_open
    }
}
