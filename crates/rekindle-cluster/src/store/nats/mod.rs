//! [`Nats`]: a store for many machines, in two streams of JetStream.
//!
//! ```text
//!  PREFIX_docs     PREFIX.doc.KEY    a document, or that it is gone; its lease is named in a header
//!                  PREFIX.forgotten  up to where it is not known any more what has gone
//!  PREFIX_leases   PREFIX.lease.ID   written anew whenever a lease is kept
//! ```
//!
//! A revision is the number of a message. What a write expects of its document is the server's condition on the last message of a
//! subject; with a fence it is the one on the last message of the stream, which is tried again whenever somebody wrote
//! something else meanwhile. The server ends no leases (it could from 2.11 on, one message at a time): whoever [watches](watching)
//! what is under one sees that it is not kept, by their own clock, and removes it on the condition that it has not been kept since.

mod leases;
mod message;
mod options;
mod subject;
mod watching;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, pull::OrderedConfig};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::stream::{Config, LastRawMessageErrorKind, StorageType, Stream};
use async_nats::jetstream::{Context, ErrorCode, context::GetStreamErrorKind};
use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

use super::{Entry, Expected, Lease, Listing, Store, Watch, Write};
use crate::client::line;
use crate::error::{Error, Result};
use crate::mirror::jitter;
use crate::model::Key;
use message::{GONE, Stored};
use options::LastError;

pub use options::NatsOptions;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// How many messages of a document are kept: one that is written again while all are read must not be missed.
const HISTORY: i64 = 8;

/// How long a lease that nobody ends is kept at most.
const FORGET: Duration = Duration::from_secs(3600);

/// A store for many machines.
#[derive(Clone)]
pub struct Nats(Arc<Inner>);

struct Inner {
    jetstream: Context,
    prefix: String,
    replicas: usize,
    last_error: LastError,
    /// Whether the streams are known to be there.
    ready: OnceCell<()>,
    /// What was written under the leases that were granted here.
    held: Mutex<HashMap<i64, BTreeSet<Key>>>,
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats").field("prefix", &self.0.prefix).finish_non_exhaustive()
    }
}

/// A part of a stream.
struct Filter<'a> {
    /// What is in front of a key.
    base: &'a str,
    subjects: String,
    /// Without what the documents hold.
    headers_only: bool,
}

/// Everything in a part of a stream, and when that was by the server's clock.
struct Contents {
    messages: Vec<Stored>,
    now: i128,
}

impl Nats {
    /// Connects in the background, and again whenever the connection is lost.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] for what is none, [`Error::Local`] for credentials that cannot be read.
    pub async fn open(options: NatsOptions) -> Result<Self> {
        let (client, last_error) = options.connect().await?;
        let mut jetstream = async_nats::jetstream::new(client);
        jetstream.set_timeout(PATIENCE);
        let NatsOptions { prefix, replicas, .. } = options;
        let inner =
            Inner { jetstream, prefix, replicas, last_error, ready: OnceCell::new(), held: Mutex::default() };
        Ok(Self(Arc::new(inner)))
    }

    /// What the subjects of documents begin with.
    fn base(&self) -> String {
        format!("{}.doc", self.0.prefix)
    }

    fn subject(&self, key: &Key) -> String {
        subject::of_key(&self.base(), key.as_str())
    }

    async fn documents(&self) -> Result<Stream<()>> {
        self.stream("docs").await
    }

    async fn leases(&self) -> Result<Stream<()>> {
        self.stream("leases").await
    }

    async fn stream(&self, name: &str) -> Result<Stream<()>> {
        self.ready().await?;
        let name = format!("{}_{name}", self.0.prefix);
        self.0.jetstream.get_stream_no_info(name).await.map_err(Error::unavailable)
    }

    /// Whatever is asked for, the streams have to be there.
    async fn ready(&self) -> Result<()> {
        let explain = |error| self.0.last_error.explain(error);
        self.0.ready.get_or_try_init(|| self.make()).await.map(drop).map_err(explain)
    }

    /// Makes the streams that are not there. Those that somebody made with settings of their own stay as they are.
    async fn make(&self) -> Result<()> {
        let Inner { prefix, replicas, .. } = &*self.0;
        let common = Config { storage: StorageType::File, num_replicas: *replicas, ..Config::default() };
        let documents = Config {
            name: format!("{prefix}_docs"),
            subjects: vec![format!("{prefix}.doc.>"), format!("{prefix}.forgotten")],
            max_messages_per_subject: HISTORY,
            ..common.clone()
        };
        let leases = Config {
            name: format!("{prefix}_leases"),
            subjects: vec![format!("{prefix}.lease.*")],
            max_messages_per_subject: 1,
            max_age: FORGET,
            ..common
        };
        for stream in [documents, leases] {
            match answered(async { Ok(self.0.jetstream.get_stream(&stream.name).await) }).await? {
                Ok(_) => continue,
                Err(error) if is_missing(&error.kind()) => {}
                Err(error) => return Err(Error::unavailable(error)),
            }
            let making = self.0.jetstream.create_stream(stream);
            answered(async { making.await.map(drop).map_err(Error::unavailable) }).await?;
        }
        Ok(())
    }

    /// The last message of a subject.
    async fn last(&self, stream: &Stream<()>, subject: &str) -> Result<Option<StreamMessage>> {
        answered(async {
            match stream.get_last_raw_message_by_subject(subject).await {
                Ok(message) => Ok(Some(message)),
                Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
                Err(error) => Err(Error::unavailable(error)),
            }
        })
        .await
    }

    /// The number of the first message of some subjects, from a number on.
    async fn first(&self, stream: &Stream<()>, subjects: &str, from: u64) -> Result<Option<u64>> {
        answered(async {
            match stream.get_first_raw_message_by_subject(subjects, from).await {
                Ok(message) => Ok(Some(message.sequence)),
                Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
                Err(error) => Err(Error::unavailable(error)),
            }
        })
        .await
    }

    /// How often the connection was made.
    fn connects(&self) -> u64 {
        self.0.jetstream.client().statistics().connects.load(Ordering::Relaxed)
    }

    /// What was said last of a document.
    async fn stored(&self, key: &Key) -> Result<Option<Stored>> {
        let message = self.last(&self.documents().await?, &self.subject(key)).await?;
        Ok(message.and_then(|message| Stored::raw(&self.base(), &message)))
    }

    /// A document, unless its lease is over though nobody has removed it yet. Otherwise up to which message there is none.
    async fn find(&self, key: &Key) -> Result<std::result::Result<Stored, u64>> {
        let Some(stored) = self.stored(key).await? else { return Ok(Err(0)) };
        let is_over = match stored.lease {
            Some(lease) => self.lease(lease).await?.is_none(),
            None => false,
        };
        Ok(if stored.value.is_none() || is_over { Err(stored.revision) } else { Ok(stored) })
    }

    /// The last message of each subject.
    async fn contents(&self, stream: &Stream<()>, filter: Filter<'_>) -> Result<Contents> {
        let config = OrderedConfig {
            filter_subject: filter.subjects,
            deliver_policy: DeliverPolicy::LastPerSubject,
            headers_only: filter.headers_only,
            ..OrderedConfig::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(Error::unavailable)?;
        let info = consumer.cached_info();
        let (name, now) = (info.name.clone(), info.created.unix_timestamp_nanos());
        let mut read = Vec::new();
        if info.num_pending > 0 {
            let mut messages = consumer.messages().await.map_err(Error::unavailable)?;
            while let Some(message) = messages.next().await {
                let message = message.map_err(Error::unavailable)?;
                let pending = message.info().map_err(Error::unavailable)?.pending;
                read.extend(Stored::delivered(filter.base, &message)?);
                if pending == 0 {
                    break;
                }
            }
        }
        // It would be gone soon by itself.
        let _gone = stream.delete_consumer(&name).await;
        Ok(Contents { messages: read, now })
    }

    /// Writes a message on the condition that the last one of its subject, or of its whole stream, is that.
    async fn publish(&self, subject: String, message: PublishMessage) -> Result<u64> {
        self.ready().await?;
        let refused = |error: async_nats::jetstream::context::PublishError| match error.kind() {
            PublishErrorKind::WrongLastSequence => {
                Error::Conflict(format!("{subject} was written meanwhile"))
            }
            PublishErrorKind::MaxPayloadExceeded => {
                Error::malformed(&subject, "it is larger than the server takes: see its `max_payload`")
            }
            _ => Error::unavailable(error),
        };
        answered(async {
            let acknowledged =
                self.0.jetstream.send_publish(subject.clone(), message).await.map_err(refused)?;
            acknowledged.await.map(|told| told.sequence).map_err(refused)
        })
        .await
    }

    /// Writes while two documents are as they were: nothing at all may come between looking and writing.
    async fn write_fenced(&self, write: &Write, key: &Key, revision: u64) -> Result<u64> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let last = answered(async { self.info(&self.documents().await?).await }).await?.last;
            if !matches!(self.find(key).await?, Ok(stored) if stored.revision == revision) {
                return Err(changed(key));
            }
            self.expected(write).await?;
            let message = message::of(write).expected_last_sequence(last);
            match self.publish(self.subject(&write.key), message).await {
                Err(Error::Conflict(_)) => tokio::time::sleep(jitter(Duration::from_millis(2))).await,
                other => return other,
            }
        }
        Err(Error::unavailable("too much is written at the same time"))
    }

    /// The last message of the document that is to be replaced, if it is what is expected.
    async fn expected(&self, write: &Write) -> Result<Option<u64>> {
        match write.expected {
            Expected::Any => Ok(None),
            Expected::Absent => match self.find(&write.key).await? {
                Err(last) => Ok(Some(last)),
                Ok(_) => Err(changed(&write.key)),
            },
            Expected::Revision(revision) => match self.find(&write.key).await? {
                Ok(stored) if stored.revision == revision => Ok(Some(revision)),
                _ => Err(changed(&write.key)),
            },
        }
    }

    async fn info(&self, stream: &Stream<()>) -> Result<StreamInfo> {
        let info = stream.get_info().await.map_err(Error::unavailable)?;
        Ok(StreamInfo { created: info.created.unix_timestamp_nanos(), last: info.state.last_sequence })
    }

    /// Removes documents, each if it is still what it was.
    async fn remove(&self, documents: impl IntoIterator<Item = (Key, u64)>) -> Result<()> {
        for (key, revision) in documents {
            let gone = PublishMessage::build().header(GONE, "1").expected_last_subject_sequence(revision);
            match self.publish(self.subject(&key), gone).await {
                Ok(_) | Err(Error::Conflict(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// Clears away what says of documents that they are gone, when that is long known. Who has not heard of it is told to read
    /// everything again.
    async fn forget(&self, gone: &[&Stored]) -> Result<()> {
        let Some(last) = gone.iter().map(|stored| stored.revision).max() else { return Ok(()) };
        let stream = self.documents().await?;
        let forgotten = format!("{}.forgotten", self.0.prefix);
        let message = PublishMessage::build().payload(last.to_string().into());
        self.publish(forgotten, message).await?;
        for stored in gone {
            // With what was there before, which would be back otherwise.
            let purge = stream.purge().filter(self.subject(&stored.key)).sequence(stored.revision + 1);
            purge.await.map_err(Error::unavailable)?;
        }
        Ok(())
    }

    /// Up to which message it is not known any more what has gone.
    async fn forgotten(&self) -> Result<u64> {
        let message = self.last(&self.documents().await?, &format!("{}.forgotten", self.0.prefix)).await?;
        let number = message.and_then(|message| String::from_utf8_lossy(&message.payload).parse().ok());
        Ok(number.unwrap_or_default())
    }
}

/// What tells a stream from another of its name, and its last message.
struct StreamInfo {
    created: i128,
    last: u64,
}

fn is_missing(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn changed(key: &Key) -> Error {
    Error::Conflict(format!("{key} is not what it was any more"))
}

/// What the server says, if it says anything in time.
async fn answered<T>(asked: impl Future<Output = Result<T>>) -> Result<T> {
    let silent = |_| Error::Unavailable(format!("NATS does not answer within {} s", PATIENCE.as_secs()));
    timeout(PATIENCE, asked).await.map_err(silent)?
}

#[async_trait]
impl Store for Nats {
    /// When the stream was made: one that takes its place is of another time.
    async fn identity(&self) -> Result<String> {
        self.make().await.map_err(|error| self.0.last_error.explain(error))?;
        let stream = self.documents().await?;
        let info = answered(self.info(&stream)).await?;
        Ok(format!("{}-{:x}", self.0.prefix, info.created))
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>> {
        Ok(self.find(key).await?.ok().and_then(Stored::entry))
    }

    async fn list(&self, scope: &str) -> Result<Listing> {
        let stream = self.documents().await?;
        let base = self.base();
        let subjects = subject::of_scope(&base, scope);
        let filter = Filter { base: &base, subjects, headers_only: false };
        let (revision, contents) = answered(async {
            // Before: what is written meanwhile is told again by a watch from there.
            let revision = self.info(&stream).await?.last;
            Ok((revision, self.contents(&stream, filter).await?))
        })
        .await?;
        let old = contents.now - i128::try_from(FORGET.as_nanos()).unwrap_or(i128::MAX);
        let gone: Vec<&Stored> =
            contents.messages.iter().filter(|one| one.value.is_none() && one.time < old).collect();
        self.forget(&gone).await?;
        let mut found: BTreeMap<Key, Stored> =
            contents.messages.into_iter().map(|stored| (stored.key.clone(), stored)).collect();
        self.drop_ended(&mut found).await?;
        Ok(Listing { entries: found.into_values().filter_map(Stored::entry).collect(), revision })
    }

    async fn write(&self, write: Write) -> Result<u64> {
        if let Some(lease) = &write.lease
            && self.lease(lease.id).await?.is_none()
        {
            return Err(leases::ended());
        }
        let revision = match &write.fence {
            Some((key, revision)) => self.write_fenced(&write, key, *revision).await?,
            None => {
                let mut message = message::of(&write);
                if let Some(last) = self.expected(&write).await? {
                    message = message.expected_last_subject_sequence(last);
                }
                self.publish(self.subject(&write.key), message).await?
            }
        };
        if let Some(lease) = &write.lease {
            let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.entry(lease.id).or_default().insert(write.key);
        }
        Ok(revision)
    }

    async fn watch(&self, scope: &str, after: u64) -> Result<Box<dyn Watch>> {
        if after < answered(self.forgotten()).await? {
            return Err(Error::Compacted(after));
        }
        Ok(Box::new(answered(watching::Watching::begin(self, scope, after)).await?))
    }

    async fn grant(&self, time: Duration) -> Result<Lease> {
        self.grant_lease(i64::try_from(line()?).unwrap_or(i64::MAX), time).await
    }

    async fn keep(&self, lease: &Lease) -> Result<()> {
        self.keep_lease(lease).await
    }

    async fn end(&self, lease: Lease) -> Result<()> {
        self.end_lease(lease).await
    }
}

/// Whether the server says that there is no such message (any more).
fn is_gone(error: &async_nats::jetstream::stream::DeleteMessageError) -> bool {
    use async_nats::jetstream::stream::DeleteMessageErrorKind::JetStream;
    const GONE: [ErrorCode; 2] = [ErrorCode::NO_MESSAGE_FOUND, ErrorCode::SEQUENCE_NOT_FOUND];
    matches!(error.kind(), JetStream(error) if GONE.contains(&error.error_code()))
}
