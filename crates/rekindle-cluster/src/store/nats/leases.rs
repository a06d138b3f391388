//! Leases: messages that are written anew as long as they are kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::PoisonError;
use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;

use super::message::Stored;
use super::{Filter, Nats, answered, is_gone};
use crate::error::{Error, Result};
use crate::model::Key;
use crate::store::Lease;

/// A lease that has not ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    /// The message that kept it last.
    pub(super) revision: u64,
    /// How long it lasts from then.
    pub(super) time: Duration,
    /// When that was by the server's clock, in nanoseconds.
    at: i128,
}

pub(super) fn ended() -> Error {
    Error::Conflict("the lease has ended".to_owned())
}

impl Nats {
    fn lease_subject(&self, id: i64) -> String {
        format!("{}.lease.{id}", self.0.prefix)
    }

    /// A lease, if it has not ended.
    pub(super) async fn lease(&self, id: i64) -> Result<Option<Kept>> {
        let message = self.last(&self.leases().await?, &self.lease_subject(id)).await?;
        let base = format!("{}.lease", self.0.prefix);
        let stored = message.and_then(|message| Stored::raw(&base, &message));
        Ok(stored.as_ref().and_then(Kept::read).map(|(_, kept)| kept))
    }

    pub(super) async fn grant_lease(&self, id: i64, time: Duration) -> Result<Lease> {
        let lease = Lease { id, time };
        self.leases().await?;
        self.beat(&lease, 0).await.map(|()| lease)
    }

    /// Writes it anew, in the place of its last message only: one that was ended meanwhile stays so.
    async fn beat(&self, lease: &Lease, last: u64) -> Result<()> {
        let message = PublishMessage::build().payload(lease.time.as_millis().to_string().into());
        let message = message.expected_last_subject_sequence(last);
        self.publish(self.lease_subject(lease.id), message).await.map(drop)
    }

    pub(super) async fn keep_lease(&self, lease: &Lease) -> Result<()> {
        let kept = self.lease(lease.id).await?.ok_or_else(ended)?;
        match self.beat(lease, kept.revision).await {
            // Two keep it at the same time, or it was ended.
            Err(Error::Conflict(_)) => self.lease(lease.id).await?.map(drop).ok_or_else(ended),
            other => other,
        }
    }

    pub(super) async fn end_lease(&self, lease: Lease) -> Result<()> {
        while let Some(kept) = self.lease(lease.id).await? {
            if self.cut(kept).await? {
                break;
            }
        }
        let held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&lease.id);
        self.remove_of(lease.id, held.unwrap_or_default()).await
    }

    /// Ends a lease, if it has not been kept since. Whether it is over.
    pub(super) async fn cut(&self, kept: Kept) -> Result<bool> {
        let leases = self.leases().await?;
        answered(async {
            match leases.delete_message(kept.revision).await {
                Ok(_) => Ok(true),
                // It was written anew, or somebody else ended it.
                Err(error) if is_gone(&error) => Ok(false),
                Err(error) => Err(Error::unavailable(error)),
            }
        })
        .await
    }

    /// Removes those of the documents that are under a lease.
    async fn remove_of(&self, lease: i64, keys: BTreeSet<Key>) -> Result<()> {
        for key in keys {
            if let Some(stored) = self.stored(&key).await?
                && stored.lease == Some(lease)
            {
                self.remove([(key, stored.revision)]).await?;
            }
        }
        Ok(())
    }

    /// Ends the leases of documents that have not been kept for twice their time, and drops what has no lease any more.
    /// By the server's clocks, of which there may be several: twice, so that they need not agree.
    pub(super) async fn drop_ended(&self, found: &mut BTreeMap<Key, Stored>) -> Result<()> {
        if found.values().all(|stored| stored.lease.is_none()) {
            return Ok(());
        }
        let leases = self.leases().await?;
        let base = format!("{}.lease", self.0.prefix);
        let filter = Filter { base: &base, subjects: format!("{base}.*"), headers_only: false };
        let kept = answered(self.contents(&leases, filter)).await?;
        let now = kept.now;
        let kept: HashMap<i64, Kept> = kept.messages.iter().filter_map(Kept::read).collect();
        let mut gone = Vec::new();
        for stored in found.values() {
            let Some(lease) = stored.lease else { continue };
            let is_over = match kept.get(&lease) {
                None => self.lease(lease).await?.is_none(),
                Some(one) if one.is_over(now) => self.cut(*one).await?,
                Some(_) => false,
            };
            if is_over {
                gone.push((stored.key.clone(), stored.revision));
            }
        }
        found.retain(|key, _| !gone.iter().any(|(one, _)| one == key));
        self.remove(gone).await
    }
}

impl Kept {
    fn read(stored: &Stored) -> Option<(i64, Self)> {
        let milliseconds = std::str::from_utf8(stored.value.as_deref()?).ok()?.parse().ok()?;
        let time = Duration::from_millis(milliseconds);
        Some((stored.key.as_str().parse().ok()?, Self { revision: stored.revision, time, at: stored.time }))
    }

    fn is_over(&self, now: i128) -> bool {
        now - self.at > 2 * i128::try_from(self.time.as_nanos()).unwrap_or(i128::MAX / 2)
    }
}
