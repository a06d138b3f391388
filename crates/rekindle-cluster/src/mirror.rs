//! [`Mirror`]: a part of a store as it is, kept up to date.
//!
//! Listed once, watched from the next revision on. What breaks is begun anew, after a pause that grows and is never
//! the same for two instances; what the store has forgotten is listed again and compared, what is gone included. A store
//! that is not the one it was, or went back in time, is told of, and then followed as it is: it is the one there is.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

use crate::error::{Error, Result};
use crate::model::Key;
use crate::store::{Change, Entry, Listing, Store};

/// How long a store that tells nothing is taken to be there.
const SILENCE: Duration = Duration::from_secs(3);

/// How often everything is read again, whatever the watch says.
const REREAD: Duration = Duration::from_secs(300);

/// The first pause after a failure, and the longest.
pub(crate) const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// A part of a store, at a moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    pub(crate) entries: Arc<BTreeMap<Key, Entry>>,
    /// Of the last change.
    pub(crate) revision: u64,
    /// Whether it has ever been read.
    pub(crate) is_known: bool,
    /// Why it may be old.
    pub(crate) trouble: Option<Error>,
    /// What was noticed about the store, and how often something was.
    pub(crate) warnings: (u64, Option<Error>),
}

impl View {
    pub(crate) fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Takes in what a list says. Whether anything differs.
    fn list(&mut self, listing: Listing) -> bool {
        let entries: BTreeMap<Key, Entry> =
            listing.entries.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
        let differs = !self.is_known || *self.entries != entries;
        self.entries = Arc::new(entries);
        (self.revision, self.is_known) = (listing.revision, true);
        differs
    }

    /// Takes in what a watch says.
    fn change(&mut self, changes: Vec<Change>) {
        let entries = Arc::make_mut(&mut self.entries);
        for change in changes {
            match change {
                Change::Put(entry) => {
                    self.revision = self.revision.max(entry.revision);
                    entries.insert(entry.key.clone(), entry);
                }
                Change::Gone(key, revision) => {
                    self.revision = self.revision.max(revision);
                    entries.remove(&key);
                }
            }
        }
    }

    fn warn(&mut self, warning: Error) {
        tracing::warn!(%warning, "the store");
        self.warnings = (self.warnings.0 + 1, Some(warning));
    }
}

/// Follows a part of a store until nobody looks any more.
pub(crate) fn mirror(store: Arc<dyn Store>, prefix: &str) -> watch::Receiver<View> {
    let (following, views) = following(store, prefix);
    tokio::spawn(following);
    views
}

/// The same, as work that is still to be done.
pub(crate) fn following(
    store: Arc<dyn Store>,
    prefix: &str,
) -> (impl Future<Output = ()> + use<>, watch::Receiver<View>) {
    let (views, receiver) = watch::channel(View::default());
    let mirror = Mirror { store, prefix: prefix.to_owned(), identity: None, views };
    (mirror.follow(), receiver)
}

struct Mirror {
    store: Arc<dyn Store>,
    prefix: String,
    identity: Option<String>,
    views: watch::Sender<View>,
}

impl Mirror {
    async fn follow(mut self) {
        let mut pause = PAUSES.0;
        while !self.views.is_closed() {
            let began = Instant::now();
            let Err(error) = self.read_and_watch().await else { continue };
            if began.elapsed() > PAUSES.1 {
                pause = PAUSES.0;
            }
            let forgot = matches!(error, Error::Compacted(_) | Error::Identity(_));
            self.views.send_modify(|view| match forgot {
                true => view.warn(error),
                false => view.trouble = Some(error),
            });
            if !forgot {
                tokio::time::sleep(jitter(pause)).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }

    /// Lists, and then watches. Ends well when it is time to list again.
    async fn read_and_watch(&mut self) -> Result<()> {
        let (identity, listing) = answered(async {
            let identity = self.store.identity().await?;
            Ok((identity, self.store.list(&self.prefix).await?))
        })
        .await?;
        let revision = listing.revision;
        self.listed(&identity, listing);
        let mut watch = answered(self.store.watch(&self.prefix, revision)).await?;
        let end = Instant::now() + jitter(REREAD);
        let mut silence = Silence::new();
        while Instant::now() < end && !self.views.is_closed() {
            let changes = tokio::select! {
                // What came while this task was kept from looking was no silence.
                biased;
                changes = watch.next() => changes?,
                () = silence.falls() => return Err(silent()),
            };
            silence.heard = Instant::now();
            if !changes.is_empty() || self.views.borrow().trouble.is_some() {
                self.views.send_modify(|view| {
                    view.trouble = None;
                    view.change(changes);
                });
            }
        }
        Ok(())
    }

    fn listed(&mut self, identity: &str, listing: Listing) {
        let before = self.identity.replace(identity.to_owned());
        self.views.send_if_modified(|view| {
            let went_back = listing.revision < view.revision;
            if before.as_ref().is_some_and(|before| before != identity) {
                view.warn(Error::Identity("another one is in its place".to_owned()));
            } else if went_back {
                let why = format!("it is of revision {}, and was of {}", listing.revision, view.revision);
                view.warn(Error::Identity(why));
            }
            let recovered = view.trouble.take().is_some();
            view.list(listing) || recovered
        });
    }
}

/// That nothing was heard for too long. Its timer is set anew only when it has run out: most words come long before.
struct Silence {
    heard: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Silence {
    fn new() -> Self {
        Self { heard: Instant::now(), timer: Box::pin(tokio::time::sleep(SILENCE)) }
    }

    async fn falls(&mut self) {
        loop {
            self.timer.as_mut().await;
            let end = self.heard + SILENCE;
            if end <= Instant::now() {
                return;
            }
            self.timer.as_mut().reset(end);
        }
    }
}

/// What a store says, if it says anything in time.
async fn answered<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(SILENCE, answer).await.map_err(|_| silent())?
}

fn silent() -> Error {
    Error::Unavailable(format!("no word from it for {} s", SILENCE.as_secs()))
}

/// Half of it, or up to one and a half: a thousand instances do not come back at the same moment.
pub(crate) fn jitter(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64())
}
