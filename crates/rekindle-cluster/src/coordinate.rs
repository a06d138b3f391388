//! Coordinating, while nobody else does: the IO around [`Coordinator`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::client::line;
use crate::error::{Error, Result};
use crate::mirror::{View, jitter, mirror};
use crate::model::{Head, Instance, Key, from_bytes, to_bytes};
use crate::rollout::coordinator::{Coordinator, Decision, Fleet};
use crate::store::{Expected, Lease, Store, Write};

/// How long a coordinator waits for others that answer as well.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// What an instance knows already that may coordinate: a store tells each of them once.
pub(crate) struct Follows {
    /// The head.
    pub(crate) heads: watch::Receiver<View>,
    /// Whether there is a rollout.
    pub(crate) rollout: watch::Receiver<bool>,
}

/// Takes the part whenever nobody has it. It is looked for now and then, more often while there is a rollout, and by each at another
/// moment: a watch of it would have all of them grasp for it at the same one.
pub(crate) async fn coordinate(
    store: Arc<dyn Store>,
    mut follows: Follows,
    id: String,
    time: Duration,
    stop: CancellationToken,
) {
    while !stop.is_cancelled() {
        let is_free = matches!(store.get(&Key::coordinator()).await, Ok(None));
        if is_free && let Ok(seat) = Seat::take(&store, &id, time).await {
            let result = seat.work(follows.heads.clone(), &stop).await;
            tracing::debug!(?result, "coordinates no more");
            // If that is not heard, it ends by itself.
            let _late = store.end(seat.lease).await;
        }
        tokio::select! {
            is_over = pause(&mut follows.rollout, time) => if is_over { return },
            () = stop.cancelled() => {}
        }
    }
}

/// Until it is time to look whether anybody coordinates. Whether the instance has left.
async fn pause(rollout: &mut watch::Receiver<bool>, time: Duration) -> bool {
    let is_begun = tokio::select! {
        begun = rollout.wait_for(|is_there| *is_there) => begun.map(|_| ()),
        () = tokio::time::sleep(jitter(time * 3)) => return false,
    };
    tokio::time::sleep(jitter(time / 4)).await;
    is_begun.is_err()
}

/// The coordinator's part.
struct Seat {
    store: Arc<dyn Store>,
    lease: Lease,
    /// Of the key that says who has it: its writes fit only as long as that is there.
    revision: u64,
    term: u64,
    /// Of the head that it wrote first: what was before it is not looked at.
    begun: u64,
}

impl Seat {
    /// Takes it, and says so in the head: what its predecessor still writes does not fit then.
    async fn take(store: &Arc<dyn Store>, id: &str, time: Duration) -> Result<Self> {
        let lease = store.grant(time).await?;
        let write = Write::put(Key::coordinator(), id.as_bytes().to_vec());
        let taken = store.write(write.expecting(Expected::Absent).under(&lease)).await;
        let revision = match taken {
            Ok(revision) => revision,
            Err(error) => {
                let _late = store.end(lease).await;
                return Err(error);
            }
        };
        let mut seat = Self { store: Arc::clone(store), lease, revision, term: 0, begun: 0 };
        let begun = seat.begin().await;
        if begun.is_err() {
            let _late = seat.store.end(seat.lease.clone()).await;
        }
        begun.map(|()| seat)
    }

    async fn begin(&mut self) -> Result<()> {
        let entry = self.store.get(&Key::head()).await?;
        let (head, expected) = match &entry {
            Some(entry) => (from_bytes::<Head>("head", &entry.value)?, Expected::Revision(entry.revision)),
            None => (Head::new(line()?), Expected::Absent),
        };
        self.term = head.term + 1;
        self.begun = self.write(&Head { term: self.term, ..head }, expected).await?;
        Ok(())
    }

    async fn write(&self, head: &Head, expected: Expected) -> Result<u64> {
        let write = Write::put(Key::head(), to_bytes(head)).expecting(expected);
        self.store.write(write.fenced(Key::coordinator(), self.revision)).await
    }

    /// Decides until it loses the part, or is told to stop.
    async fn work(&self, mut heads: watch::Receiver<View>, stop: &CancellationToken) -> Result<()> {
        let mut instances = mirror(Arc::clone(&self.store), Key::INSTANCES);
        let (mut roster, mut coordinator) = (Roster::default(), Coordinator::default());
        let mut kept = tokio::time::interval(self.lease.time / 3);
        // What was decided, until the store tells it back.
        let mut written = self.begun;
        loop {
            let (mut wake, began) = (None, Instant::now());
            let head = current(&heads.borrow_and_update())?;
            let is_known = roster.follow(&instances.borrow_and_update());
            if let Some((head, revision)) = head
                && is_known
                && revision >= written
            {
                if head.term != self.term {
                    return Err(Error::Conflict("somebody else coordinates".to_owned()));
                }
                match coordinator.decide(&head, &roster.fleet, Instant::now()) {
                    Decision::Wait(until) => wake = until,
                    Decision::Write(next) => match self.write(&next, Expected::Revision(revision)).await {
                        Ok(revision) => written = revision,
                        // Somebody was faster: what they wrote comes next, or the lease is over.
                        Err(Error::Conflict(_)) => {}
                        Err(other) => return Err(other),
                    },
                }
            }
            // However many answer, and however long it takes to look at all of them: most of the time is for other things.
            let pause = (began.elapsed() * 3).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
            tokio::select! {
                changed = heads.changed() => changed.map_err(Error::unavailable)?,
                changed = changed_and_paused(&mut instances, pause) => changed.map_err(Error::unavailable)?,
                _ = kept.tick() => self.store.keep(&self.lease).await?,
                () = sleep_until(wake) => {}
                () = stop.cancelled() => return Ok(()),
            }
        }
    }
}

async fn changed_and_paused(
    instances: &mut watch::Receiver<View>,
    pause: Duration,
) -> std::result::Result<(), watch::error::RecvError> {
    instances.changed().await?;
    tokio::time::sleep(pause).await;
    Ok(())
}

fn current(view: &View) -> Result<Option<(Head, u64)>> {
    let Some(entry) = view.get(&Key::head()).filter(|_| view.trouble.is_none()) else { return Ok(None) };
    Ok(Some((from_bytes("head", &entry.value)?, entry.revision)))
}

/// The instances that live. Only what is new of them is read: of a thousand that answer one after the other each is one.
#[derive(Default)]
struct Roster {
    fleet: Fleet,
    read: HashMap<Key, u64>,
}

impl Roster {
    /// Takes in what has changed. Whether what is known can be relied on.
    fn follow(&mut self, view: &View) -> bool {
        for (key, entry) in view.entries.iter() {
            let Some(id) = key.instance_id() else { continue };
            if self.read.get(key) == Some(&entry.revision) {
                continue;
            }
            self.read.insert(key.clone(), entry.revision);
            // What cannot be read is of a version that takes no part in this one's rollouts.
            match from_bytes::<Instance>(key.as_str(), &entry.value) {
                Ok(instance) => self.fleet.insert(id.to_owned(), instance),
                Err(_) => self.fleet.remove(id),
            };
        }
        if self.read.len() > view.entries.len() {
            self.read.retain(|key, _| view.entries.contains_key(key));
            self.fleet.retain(|id, _| view.entries.contains_key(&Key::instance(id)));
        }
        view.is_known && view.trouble.is_none()
    }
}

async fn sleep_until(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when.into()).await,
        None => std::future::pending().await,
    }
}
