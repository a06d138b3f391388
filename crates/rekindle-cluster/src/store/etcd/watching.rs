//! [`Watching`]: what changes in etcd, and signs of life.

use std::time::Duration;

use async_trait::async_trait;
use etcd_client::{Client, EventType, GetOptions, WatchOptions, WatchStream};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{Etcd, LARGEST, answered, entry, is_one, key, said, signed, unsigned};
use crate::error::{Error, Result};
use crate::store::{Change, Watch};

/// How often a watch asks how far it is. A server allows that; pings of the connection that come more often than
/// every five seconds it does not.
const PROGRESS: Duration = Duration::from_millis(1_400);

/// When it is asked for the first time: early enough for another question, if that is not answered.
const FIRST_PROGRESS: Duration = Duration::from_secs(1);

/// A watch, and whether the server is still there.
pub(super) struct Watching {
    client: Client,
    /// What is watched.
    name: String,
    stream: WatchStream,
    after: u64,
    prefix: String,
    ticks: tokio::time::Interval,
    progress: Progress,
}

/// What a server makes of being asked for progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// It has been asked so often, and has not answered yet.
    Asked(u32),
    /// It answers.
    Answered,
}

#[async_trait]
impl Watch for Watching {
    async fn next(&mut self) -> Result<Vec<Change>> {
        loop {
            let told = tokio::select! {
                told = self.stream.message() => told.map_err(said)?,
                _ = self.ticks.tick() => match self.is_there().await? {
                    true => return Ok(Vec::new()),
                    false => continue,
                },
            };
            let Some(told) = told else { return Err(Error::unavailable("the watch has ended")) };
            if told.compact_revision() > 0 {
                return Err(Error::Compacted(self.after));
            }
            if told.canceled() {
                return Err(Error::unavailable(told.cancel_reason()));
            }
            if told.created() {
                continue;
            }
            if told.events().is_empty() {
                self.progress = Progress::Answered;
            }
            if let Some(header) = told.header() {
                self.after = self.after.max(unsigned(header.revision()));
            }
            return Ok(told.events().iter().filter_map(|event| self.change(event)).collect());
        }
    }
}

impl Watching {
    /// Begins with what is after a revision.
    pub(super) async fn begin(store: &Etcd, scope: &str, after: u64) -> Result<Self> {
        let options = WatchOptions::new().with_start_revision(signed(after) + 1);
        let options = if is_one(scope) { options } else { options.with_prefix() };
        let (client, prefix) = (store.client.clone(), store.prefix.clone());
        let name = format!("{prefix}{scope}");
        let mut watches = client.watch_client().max_decoding_message_size(LARGEST);
        let stream = answered(watches.watch(name.clone(), Some(options))).await?;
        let mut ticks = interval_at(Instant::now() + FIRST_PROGRESS, PROGRESS);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { client, name, stream, after, prefix, ticks, progress: Progress::Asked(0) })
    }

    /// Asks for a sign of life. Whether it is there already; otherwise the stream brings it.
    async fn is_there(&mut self) -> Result<bool> {
        match &mut self.progress {
            Progress::Asked(times @ 0) => *times += 1,
            Progress::Answered => {}
            // A relay that does not pass the question on; it has the answer to this one itself.
            Progress::Asked(_) => {
                let options = GetOptions::new().with_serializable().with_keys_only();
                answered(self.client.get(self.name.clone(), Some(options))).await?;
                return Ok(true);
            }
        }
        answered(self.stream.request_progress()).await?;
        Ok(false)
    }

    fn change(&self, event: &etcd_client::Event) -> Option<Change> {
        let found = event.kv()?;
        Some(match event.event_type() {
            EventType::Put => Change::Put(entry(&self.prefix, found)),
            EventType::Delete => Change::Gone(key(&self.prefix, found), unsigned(found.mod_revision())),
        })
    }
}
