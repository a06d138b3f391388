//! A message of a stream as a document, and back. Pure.

use std::sync::Arc;

use async_nats::HeaderMap;
use async_nats::jetstream::Message;
use async_nats::jetstream::message::{PublishMessage, StreamMessage};

use super::super::{Change, Entry, Write};
use super::subject;
use crate::error::{Error, Result};
use crate::model::Key;

/// Says that a document is gone.
pub(super) const GONE: &str = "Rekindle-Gone";

/// The lease that a document is under.
pub(super) const LEASE: &str = "Rekindle-Lease";

/// What a message says of a document.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) key: Key,
    /// `None` when it is gone.
    pub(super) value: Option<Arc<[u8]>>,
    pub(super) revision: u64,
    pub(super) lease: Option<i64>,
    /// When it was written by the server's clock, in nanoseconds.
    pub(super) time: i128,
}

impl Stored {
    /// As a consumer was given it. `None` for what is no document.
    pub(super) fn delivered(base: &str, message: &Message) -> Result<Option<Self>> {
        let info = message.info().map_err(Error::unavailable)?;
        let (revision, time) = (info.stream_sequence, info.published.unix_timestamp_nanos());
        let headers = message.headers.as_ref();
        Ok(Self::new(base, &message.subject, headers, &message.payload, (revision, time)))
    }

    /// As it was asked for.
    pub(super) fn raw(base: &str, message: &StreamMessage) -> Option<Self> {
        let at = (message.sequence, message.time.unix_timestamp_nanos());
        Self::new(base, &message.subject, Some(&message.headers), &message.payload, at)
    }

    fn new(
        base: &str,
        name: &str,
        headers: Option<&HeaderMap>,
        payload: &[u8],
        (revision, time): (u64, i128),
    ) -> Option<Self> {
        let header = |name: &str| headers.and_then(|headers| headers.get(name));
        let value = if header(GONE).is_some() { None } else { Some(payload.into()) };
        let lease = header(LEASE).and_then(|lease| lease.as_str().parse().ok());
        Some(Self { key: subject::key(base, name)?, value, revision, lease, time })
    }

    pub(super) fn entry(self) -> Option<Entry> {
        let (key, revision) = (self.key, self.revision);
        self.value.map(|value| Entry { key, value, revision })
    }

    pub(super) fn change(self) -> Change {
        match self.value {
            Some(value) => Change::Put(Entry { key: self.key, value, revision: self.revision }),
            None => Change::Gone(self.key, self.revision),
        }
    }
}

/// What a write says of its document.
pub(super) fn of(write: &Write) -> PublishMessage {
    let message = match &write.value {
        Some(value) => PublishMessage::build().payload(value.clone().into()),
        None => PublishMessage::build().header(GONE, "1"),
    };
    match &write.lease {
        Some(lease) => message.header(LEASE, lease.id.to_string()),
        None => message,
    }
}
