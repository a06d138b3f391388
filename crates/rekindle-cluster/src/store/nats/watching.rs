//! [`Watching`]: what happens in a scope, and whether the leases in it are still kept.
//!
//! A lease is over here when its last message has been the same for its whole time, by this machine's clock, which
//! never jumps; the server decides, since only what has not been kept meanwhile can be ended.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::stream::Stream;
use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::{Duration, Instant, Interval, MissedTickBehavior, interval_at};

use super::leases::Kept;
use super::message::Stored;
use super::{Filter, Nats, answered, subject};
use crate::error::{Error, Result};
use crate::model::Key;
use crate::store::{Change, Watch};

/// How often it is looked whether the stream is still the same, and the leases are kept.
const LOOK: Duration = Duration::from_secs(1);

/// How many leases are looked at at the same time.
const AT_ONCE: usize = 32;

/// A document under a lease.
#[derive(Debug, Clone, Copy)]
struct Held {
    lease: i64,
    revision: u64,
}

/// A lease as it was found.
#[derive(Debug, Clone, Copy)]
struct Seen {
    kept: Kept,
    since: Instant,
    looked: Instant,
}

/// Whether all is delivered: consumers are in the memory of one server, and end with it.
#[derive(Debug, Default)]
struct Told {
    subjects: String,
    /// Up to here there was nothing more.
    until: u64,
    /// What had not come yet at the last look.
    missing: Option<u64>,
}

pub(super) struct Watching {
    nats: Nats,
    base: String,
    /// What has been told, or was known before.
    after: u64,
    created: i128,
    /// How often the connection had been made.
    connects: u64,
    messages: pull::Ordered,
    told: Told,
    looks: Interval,
    held: BTreeMap<Key, Held>,
    leases: HashMap<i64, Seen>,
}

impl Watching {
    pub(super) async fn begin(nats: &Nats, scope: &str, after: u64) -> Result<Self> {
        let stream = nats.documents().await?;
        let connects = nats.connects();
        let created = nats.info(&stream).await?.created;
        let base = nats.base();
        let subjects = subject::of_scope(&base, scope);
        let config = pull::OrderedConfig {
            filter_subject: subjects.clone(),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
            ..pull::OrderedConfig::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(Error::unavailable)?;
        let messages = consumer.messages().await.map_err(Error::unavailable)?;
        let told = subjects.clone();
        // What was written before is watched over too.
        let known = nats.contents(&stream, Filter { base: &base, subjects, headers_only: true }).await?;
        let mut looks = interval_at(Instant::now() + LOOK, LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (held, leases) = (BTreeMap::new(), HashMap::new());
        let nats = nats.clone();
        let told = Told { subjects: told, ..Told::default() };
        let mut watching = Self { nats, base, after, created, connects, messages, told, looks, held, leases };
        known.messages.iter().for_each(|stored| watching.note(stored));
        Ok(watching)
    }

    /// Notes what is under a lease.
    fn note(&mut self, stored: &Stored) {
        let revision = stored.revision;
        // Both what was there and what is told may be the newer one.
        if self.held.get(&stored.key).is_some_and(|held| held.revision > revision) {
            return;
        }
        match stored.lease.filter(|_| stored.value.is_some()) {
            Some(lease) => drop(self.held.insert(stored.key.clone(), Held { lease, revision })),
            None => drop(self.held.remove(&stored.key)),
        }
    }

    /// Whether the stream is the one that it was, whether all of it comes, and who of those in it lives.
    async fn look(&mut self) -> Result<()> {
        if self.nats.connects() != self.connects {
            return Err(Error::unavailable("the connection was lost"));
        }
        let documents = self.nats.documents().await?;
        let info = answered(self.nats.info(&documents)).await?;
        if info.created != self.created || info.last < self.after {
            return Err(Error::Identity("another one is in its place".to_owned()));
        }
        self.expect_all(&documents, info.last).await?;
        let wanted: BTreeSet<i64> = self.held.values().map(|held| held.lease).collect();
        self.leases.retain(|lease, _| wanted.contains(lease));
        let due: Vec<i64> = wanted.into_iter().filter(|lease| self.is_due(*lease)).collect();
        let asked = stream::iter(due).map(|lease| {
            let nats = self.nats.clone();
            async move { Ok::<_, Error>((lease, nats.lease(lease).await?)) }
        });
        let found: Vec<(i64, Option<Kept>)> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        for (lease, kept) in found {
            self.judge(lease, kept).await?;
        }
        Ok(())
    }

    /// What is in the stream comes until the next look, or the watch is over.
    async fn expect_all(&mut self, documents: &Stream<()>, last: u64) -> Result<()> {
        if last <= self.told.until.max(self.after) {
            return Ok(());
        }
        let missing = self.nats.first(documents, &self.told.subjects, self.after + 1).await?;
        match missing {
            None => self.told.until = last,
            Some(_) if missing == self.told.missing => {
                return Err(Error::unavailable("the watch was told nothing of what is there"));
            }
            Some(_) => {}
        }
        self.told.missing = missing;
        Ok(())
    }

    /// Three times while it lasts: as often as it is kept.
    fn is_due(&self, lease: i64) -> bool {
        self.leases.get(&lease).is_none_or(|seen| seen.looked.elapsed() >= seen.kept.time / 3)
    }

    async fn judge(&mut self, lease: i64, kept: Option<Kept>) -> Result<()> {
        let Some(kept) = kept else { return self.bury(lease).await };
        let now = Instant::now();
        let same = self.leases.get(&lease).filter(|seen| seen.kept.revision == kept.revision);
        let since = same.map_or(now, |seen| seen.since);
        self.leases.insert(lease, Seen { kept, since, looked: now });
        if now - since > kept.time && self.nats.cut(kept).await? {
            self.bury(lease).await?;
        }
        Ok(())
    }

    /// Removes what is under a lease that is no more. What is removed is told, and not noted any more then.
    async fn bury(&mut self, lease: i64) -> Result<()> {
        let of_it = self.held.iter().filter(|(_, held)| held.lease == lease);
        let gone: Vec<(Key, u64)> = of_it.map(|(key, held)| (key.clone(), held.revision)).collect();
        self.nats.remove(gone).await
    }
}

#[async_trait]
impl Watch for Watching {
    async fn next(&mut self) -> Result<Vec<Change>> {
        loop {
            let message = tokio::select! {
                // What has come is not missing.
                biased;
                message = self.messages.next() => message,
                _ = self.looks.tick() => {
                    self.look().await?;
                    return Ok(Vec::new());
                }
            };
            let Some(message) = message else { return Err(Error::unavailable("the watch has ended")) };
            let message = message.map_err(Error::unavailable)?;
            let Some(stored) = Stored::delivered(&self.base, &message)? else { continue };
            // A consumer that is made anew may begin earlier.
            if stored.revision <= self.after {
                continue;
            }
            self.after = stored.revision;
            self.note(&stored);
            return Ok(vec![stored.change()]);
        }
    }
}
