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
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::coordinate::{Follows, coordinate};
use crate::engine::{Engine, Sick};
use crate::error::{Error, Result};
use crate::mirror::{View, following, jitter};
use crate::model::{Digest, Head, Instance, Key, Payload, Release, from_bytes};
use crate::report::report;
use crate::rollout::participant::{Participant, Task};
use crate::signature::Signers;
use crate::store::Store;

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
    follower: AbortHandle,
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
        let (says_sender, says_receiver) = watch::channel(Arc::new(says.clone()));
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
            turn: None,
            says: says_sender,
            rollout,
            status,
        };
        let (following, heads) = following(Arc::clone(&store), Key::head().as_str());
        let follower = tasks.spawn(both(following, follower.run(heads.clone())));
        tasks.spawn(report(Arc::clone(&store), options.clone(), says_receiver, stop.clone()));
        if options.coordinates {
            let follows = Follows { heads, rollout: rollout_receiver };
            tasks.spawn(coordinate(store, follows, options.id, options.lease, stop.clone()));
        }
        Self { status: status_receiver, stop, follower, tasks }
    }

    /// How it is, and what it does then.
    pub fn status(&self) -> watch::Receiver<MemberStatus> {
        self.status.clone()
    }

    /// Leaves: its lease ends at once, and what it uses stays in use.
    pub async fn leave(mut self) {
        self.stop.cancel();
        self.follower.abort();
        while self.tasks.join_next().await.is_some() {}
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
    /// When it says what is new, and whether that was settled while a rollout waited for it.
    turn: Option<(Instant, bool)>,
    says: watch::Sender<Arc<Instance>>,
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
            self.show(&heads);
            self.say();
            let wake = self.next_wake();
            tokio::select! {
                changed = heads.changed() => match changed {
                    Ok(()) => self.follow(&heads.borrow_and_update().clone()),
                    Err(_) => return,
                },
                Some(word) = self.work.next() => self.hear(word),
                () = until(wake) => {}
                // Something on this machine may have mended what it refused.
                _ = again.tick() => self.participant.retry(),
            }
        }
    }

    /// Begins what is to be done next.
    fn go_on(&mut self) {
        self.pause = self.pause.filter(|until| *until > Instant::now());
        if self.pause.is_none()
            && let Some(task) = self.participant.next()
        {
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

    fn next_wake(&self) -> Option<Instant> {
        self.pause.into_iter().chain(self.turn.map(|(at, _)| at)).min()
    }

    /// To those in this process who look.
    fn show(&self, heads: &watch::Receiver<View>) {
        let says = self.participant.says();
        let is_awaited = self.participant.is_awaited();
        self.rollout.send_if_modified(|rollout| std::mem::replace(rollout, is_awaited) != is_awaited);
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

    /// To the store, when it is its turn. All hear of a change at the same moment: if all answered then too, the
    /// answers of the first would be in the way of those who have not heard of it yet. What ends a rollout is said
    /// at once.
    fn say(&mut self) {
        let (says, is_awaited) = (self.participant.says(), self.participant.is_awaited());
        // What was to be said at leisure has become urgent.
        self.turn = self.turn.filter(|(_, was_awaited)| *was_awaited || !is_awaited);
        if **self.says.borrow() == *says {
            self.turn = None;
        } else if says.is_alarming() || self.turn.is_some_and(|(at, _)| at <= Instant::now()) {
            self.turn = None;
            self.says.send_replace(Arc::new(says.clone()));
        } else if self.turn.is_none() {
            let each = if is_awaited { SPREAD } else { CALM_SPREAD };
            let spread = each.saturating_mul(self.participant.fleet()).min(LONGEST_SPREAD);
            self.turn = Some((Instant::now() + jitter(spread), is_awaited));
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
