//! [`Member`]: an instance, as long as it takes part.
//!
//! One task for each of: following the head and doing what it says, keeping the lease and saying how it is, and
//! coordinating while nobody else does.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::coordinate::{Follows, coordinate};
use crate::engine::{Engine, Sick};
use crate::error::{Error, Result};
use crate::mirror::{View, following, jitter};
use crate::model::{Digest, Head, Instance, Key, Payload, Release, from_bytes, to_bytes};
use crate::rollout::participant::{Participant, Task};
use crate::signature::Signers;
use crate::store::{Expected, Lease, Store, Write};

/// How often what an instance refused is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// How long an instance waits before it answers what a rollout waits for, for each of those that answer with it: five thousand in a
/// second are what a server can take.
const SPREAD: Duration = Duration::from_micros(200);

/// How long, for each of them, where nothing waits for it: a pace that a server does not feel.
const CALM_SPREAD: Duration = Duration::from_millis(1);

/// However many they are.
const LONGEST_SPREAD: Duration = Duration::from_secs(20);

/// How an instance takes part.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its name, which no other has. Two with one name take it from each other.
    pub id: String,
    /// What it is chosen by. Default: nothing.
    pub labels: BTreeMap<String, String>,
    /// The version of the program. Default: empty.
    pub version: String,
    /// How long it may be silent before it is taken to be gone. Default: 10 s.
    pub lease: Duration,
    /// Whether it coordinates rollouts when nobody else does. Default: yes.
    pub coordinates: bool,
    /// A file with the public keys, as PEM, of those of whom one has to have signed what is to be used; it is read
    /// anew for each release. Default: none, and whatever is published is used.
    pub signers: Option<PathBuf>,
}

impl Options {
    /// An instance of this name.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            labels: BTreeMap::new(),
            version: String::new(),
            lease: Duration::from_secs(10),
            coordinates: true,
            signers: None,
        }
    }
}

/// How an instance is.
#[derive(Debug, Clone)]
pub struct MemberStatus {
    /// What it says of itself.
    pub instance: Instance,
    /// Why what it knows of the store may be old.
    pub trouble: Option<Error>,
}

/// An instance, as long as it takes part.
#[derive(Debug)]
pub struct Member {
    status: watch::Receiver<MemberStatus>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Member {
    /// Takes part: follows what the store says, starting from a release that it has from before.
    pub fn join(
        store: Arc<dyn Store>,
        engine: Arc<dyn Engine>,
        applied: Option<Release>,
        options: Options,
    ) -> Self {
        let says = Instance {
            applied,
            labels: options.labels.clone(),
            version: options.version.clone(),
            ..Instance::new(&options.id)
        };
        let (says_sender, says_receiver) =
            watch::channel(Said { instance: says.clone(), spread: Duration::ZERO });
        let (status, status_receiver) =
            watch::channel(MemberStatus { instance: says.clone(), trouble: None });
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let (rollout, rollout_receiver) = watch::channel(false);
        let follower = Follower {
            source: Source {
                store: Arc::clone(&store),
                signers: options.signers.clone().map(Signers),
                last: Arc::default(),
            },
            engine,
            participant: Participant::new(says),
            work: FuturesUnordered::new(),
            pause: None,
            says: says_sender,
            rollout,
            status,
        };
        let (following, heads) = following(Arc::clone(&store), Key::head().as_str());
        tasks.spawn(cancelled(stop.clone(), both(following, follower.run(heads.clone()))));
        tasks.spawn(report(Arc::clone(&store), options.clone(), says_receiver, stop.clone()));
        if options.coordinates {
            let follows = Follows { heads, rollout: rollout_receiver };
            tasks.spawn(coordinate(store, follows, options.id, options.lease, stop.clone()));
        }
        Self { status: status_receiver, stop, tasks }
    }

    /// How it is, and what it does then.
    pub fn status(&self) -> watch::Receiver<MemberStatus> {
        self.status.clone()
    }

    /// Leaves: its lease ends at once, and what it uses stays in use.
    pub async fn leave(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Until it is told to stop.
async fn cancelled(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

/// Both in one task: what the first finds the second takes at once, ahead of all other tasks.
async fn both(first: impl Future<Output = ()>, second: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        () = first => {}
        () = second => {}
    }
}

/// What an engine has to say.
enum Word {
    Validated(Release, Result<(), String>),
    Applied(Release, Result<u64, String>),
    Cleared(Result<u64, String>),
    Health(Release, Result<(), Sick>),
    /// The store did not give what there was to do.
    Failed(Error),
}

/// Does what the head says.
struct Follower {
    source: Source,
    engine: Arc<dyn Engine>,
    participant: Participant,
    /// What the engine is busy with.
    work: FuturesUnordered<BoxFuture<'static, Word>>,
    /// Until when nothing is begun.
    pause: Option<Instant>,
    says: watch::Sender<Said>,
    /// Whether there is one.
    rollout: watch::Sender<bool>,
    status: watch::Sender<MemberStatus>,
}

impl Follower {
    async fn run(mut self, mut heads: watch::Receiver<View>) {
        let mut again = tokio::time::interval(RETRY);
        loop {
            self.go_on();
            // What is done at once is told with what follows from it.
            if let Some(Some(word)) = self.work.next().now_or_never() {
                self.hear(word);
                continue;
            }
            // Others who have heard of the same change come first: to use it is more urgent than to say so.
            if self.has_news() {
                tokio::task::yield_now().await;
            }
            self.tell(&heads);
            tokio::select! {
                changed = heads.changed() => match changed {
                    Ok(()) => self.follow(&heads.borrow_and_update().clone()),
                    Err(_) => return,
                },
                Some(word) = self.work.next() => self.hear(word),
                () = until(self.pause) => self.pause = None,
                // Something on this machine may have mended what it refused.
                _ = again.tick() => self.participant.retry(),
            }
        }
    }

    /// Begins what is to be done next.
    fn go_on(&mut self) {
        if self.pause.is_none_or(|until| until <= Instant::now())
            && let Some(task) = self.participant.next()
        {
            self.pause = None;
            self.work.push(Box::pin(work(self.source.clone(), Arc::clone(&self.engine), task)));
        }
    }

    fn follow(&mut self, view: &View) {
        // A head that is gone is that of a store which was wiped: what is in use stays.
        let Some(entry) = view.get(&Key::head()) else { return };
        match from_bytes::<Head>("head", &entry.value) {
            Ok(head) => self.participant.follow(head),
            Err(error) => self.participant.trouble(error.to_string()),
        }
    }

    fn hear(&mut self, word: Word) {
        let participant = &mut self.participant;
        match word {
            Word::Validated(release, result) => participant.validated(release, result),
            Word::Applied(release, result) => {
                if let Ok(generation) = &result {
                    participant.generation(*generation);
                    self.work.push(Box::pin(health(Arc::clone(&self.engine), release, *generation)));
                }
                participant.applied(release, result.map(drop));
            }
            Word::Cleared(result) => participant.cleared(result.map(drop)),
            Word::Health(release, Ok(())) => participant.health(release, Ok(()), false),
            Word::Health(release, Err(Sick { reason, went_back })) => {
                participant.health(release, Err(reason), went_back);
            }
            Word::Failed(error) => {
                self.pause = Some(Instant::now() + jitter(Duration::from_millis(500)));
                participant.failed(error.to_string());
            }
        }
    }

    /// Whether there is something to say that nobody waits for.
    fn has_news(&self) -> bool {
        let says = self.participant.says();
        !says.is_alarming() && self.says.borrow().instance != *says
    }

    fn tell(&self, heads: &watch::Receiver<View>) {
        let says = self.participant.says();
        let is_awaited = self.participant.is_awaited();
        self.rollout.send_if_modified(|rollout| std::mem::replace(rollout, is_awaited) != is_awaited);
        let each = if is_awaited { SPREAD } else { CALM_SPREAD };
        let spread = each.saturating_mul(self.participant.fleet()).min(LONGEST_SPREAD);
        self.says.send_if_modified(|said| {
            let differs = said.instance != *says;
            if differs {
                *said = Said { instance: says.clone(), spread };
            }
            differs
        });
        let trouble = heads.borrow().trouble.clone();
        let differs = {
            let status = self.status.borrow();
            status.instance != *says || status.trouble.is_some() != trouble.is_some()
        };
        if differs {
            // Nobody may look.
            self.status.send_replace(MemberStatus { instance: says.clone(), trouble });
        }
    }
}

async fn until(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when).await,
        None => std::future::pending().await,
    }
}

/// One task.
async fn work(source: Source, engine: Arc<dyn Engine>, task: Task) -> Word {
    match task {
        Task::Validate(release) => match source.payload(release).await {
            Ok(payload) => {
                let checking = guarded(engine.check(&payload));
                Word::Validated(release, checking.await)
            }
            Err(error) => lost(error, |why| Word::Validated(release, Err(why))),
        },
        Task::Apply(release) => match source.payload(release).await {
            Ok(payload) => {
                let applying = guarded(engine.apply(Some((release, &payload))));
                Word::Applied(release, applying.await)
            }
            Err(error) => lost(error, |why| Word::Applied(release, Err(why))),
        },
        Task::Clear => Word::Cleared(guarded(engine.apply(None)).await),
    }
}

/// How it goes with what was applied.
async fn health(engine: Arc<dyn Engine>, release: Release, generation: u64) -> Word {
    let health = AssertUnwindSafe(engine.health(generation)).catch_unwind().await;
    let health = health.unwrap_or_else(|panic| Err(Sick { reason: broke(&*panic), went_back: false }));
    Word::Health(release, health)
}

/// Work of an engine that may panic: an instance that never heard of its end would wait for it for ever.
async fn guarded<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let ended = AssertUnwindSafe(work).catch_unwind().await;
    ended.unwrap_or_else(|panic| Err(broke(&*panic)))
}

fn broke(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the engine broke: it panicked: {}", text.unwrap_or("without a word"))
}

/// What cannot be read now is tried again; what is no payload, or not signed, is refused.
fn lost(error: Error, refuse: impl FnOnce(String) -> Word) -> Word {
    match error {
        Error::Malformed { .. } | Error::Signature(_) => refuse(error.to_string()),
        other => Word::Failed(other),
    }
}

/// A payload, and what it is called.
type Read = (Digest, Arc<Payload>);

/// Where releases are read, and whose have a say.
#[derive(Clone)]
struct Source {
    store: Arc<dyn Store>,
    signers: Option<Signers>,
    /// What was read last: what was validated is not read again when it is applied.
    last: Arc<Mutex<Option<Read>>>,
}

impl Source {
    async fn payload(&self, release: Release) -> Result<Arc<Payload>> {
        // Each time: who may sign can be another one by now.
        if let Some(signers) = &self.signers {
            signers.check(&*self.store, release.payload).await?;
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, payload)) = last.filter(|(digest, _)| *digest == release.payload) {
            return Ok(payload);
        }
        let key = Key::payload(release.payload);
        let missing = || Error::unavailable(format!("{key} is not there"));
        let entry = self.store.get(&key).await?.ok_or_else(missing)?;
        let payload = Arc::new(Payload::read(release.payload, &entry.value)?);
        let read = (release.payload, Arc::clone(&payload));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        Ok(payload)
    }
}

/// What an instance says, and how long the whole fleet takes to say such a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    instance: Instance,
    spread: Duration,
}

impl Said {
    /// How long it waits before it is said. All hear of a change at the same moment: if all answered then too, the answers of the
    /// first would be in the way of those who have not heard of it yet. What stops a rollout is said at once.
    fn pause(&self) -> Duration {
        if self.instance.is_alarming() { Duration::ZERO } else { jitter(self.spread) }
    }
}

/// An instance's own document, as it is in the store.
#[derive(Debug)]
struct Told {
    lease: Lease,
    kept: Instant,
    /// What was written last, as which revision.
    written: Option<(Instance, u64)>,
}

/// Keeps the lease, and says how the instance is.
async fn report(
    store: Arc<dyn Store>,
    options: Options,
    mut says: watch::Receiver<Said>,
    stop: CancellationToken,
) {
    let mut told: Option<Told> = None;
    let mut pause = Duration::from_millis(50);
    says.mark_changed();
    while !stop.is_cancelled() {
        let says_now = says.borrow_and_update().clone();
        let wait = match tell(&*store, &options, &says_now.instance, &mut told).await {
            Ok(()) => {
                pause = Duration::from_millis(50);
                tokio::select! {
                    changed = says.changed() => if changed.is_err() { break },
                    () = tokio::time::sleep(options.lease / 3) => continue,
                    () = stop.cancelled() => break,
                }
                let says_next = says.borrow().clone();
                says_next.pause()
            }
            Err(error) => {
                tracing::debug!(%error, "cannot tell the store how this instance is");
                // What was written, and by whom, is looked up.
                told = None;
                let wait = jitter(pause);
                pause = (pause * 2).min(Duration::from_secs(5));
                wait
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => {}
        }
    }
    if let Some(told) = told {
        // It ends by itself otherwise.
        let _late = store.end(told.lease).await;
    }
}

/// Writes what is new, in the place of the last word: one that is late cannot undo a later one.
async fn tell(store: &dyn Store, options: &Options, says: &Instance, told: &mut Option<Told>) -> Result<()> {
    let key = Key::instance(&options.id);
    // What fails leaves nothing that is taken for granted.
    let mut now = match told.take() {
        Some(held) if held.kept.elapsed() < options.lease / 4 => held,
        Some(held) => {
            store.keep(&held.lease).await?;
            Told { kept: Instant::now(), ..held }
        }
        None => Told { lease: store.grant(options.lease).await?, kept: Instant::now(), written: None },
    };
    if now.written.as_ref().is_none_or(|(written, _)| written != says) {
        let expected = match now.written {
            Some((_, revision)) => Expected::Revision(revision),
            None => {
                let there = store.get(&key).await?;
                there.map_or(Expected::Absent, |entry| Expected::Revision(entry.revision))
            }
        };
        let write = Write::put(key, to_bytes(says)).expecting(expected).under(&now.lease);
        now.written = Some((says.clone(), store.write(write).await?));
    }
    *told = Some(now);
    Ok(())
}
