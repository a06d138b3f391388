//! [`Store`]: what a backend has to be able to do, and [`open`] the one that an address names.
//!
//! Keys have revisions, which rise over the whole store. A write says what it expects to replace; leases take what
//! was written under them along when they end; a watch tells what changed after a revision, in order, or that this
//! is not known any more. No backend does more than that, and all of them pass one suite of tests.

mod access;
#[cfg(any(feature = "etcd", feature = "nats"))]
mod address;
#[cfg(feature = "etcd")]
mod etcd;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::model::Key;

pub use access::Access;
#[cfg(feature = "etcd")]
pub use etcd::{Etcd, EtcdOptions};
#[cfg(feature = "nats")]
pub use nats::{Nats, NatsOptions};
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;

/// Where the documents of a cluster are.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug + 'static {
    /// What tells this store from any other, one that was made anew in its place among them.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    async fn identity(&self) -> Result<String>;

    /// A document.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    async fn get(&self, key: &Key) -> Result<Option<Entry>>;

    /// The documents in a scope, and the revision at which that was. A scope is the key of one document, or, with a
    /// slash at its end, all those whose keys begin so; an empty one is everything.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    async fn list(&self, scope: &str) -> Result<Listing>;

    /// Writes, if everything is as expected. Gives the revision.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] when it is not, or the lease has ended. After [`Error::Unavailable`] it may have been
    /// written, or be written yet.
    async fn write(&self, write: Write) -> Result<u64>;

    /// Tells what changes after a revision in a [scope](Self::list).
    ///
    /// # Errors
    ///
    /// [`Error::Compacted`] when that is not known any more, [`Error::Unavailable`].
    async fn watch(&self, scope: &str, after: u64) -> Result<Box<dyn Watch>>;

    /// A lease that ends unless it is kept. The store may make it longer than asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    async fn grant(&self, time: Duration) -> Result<Lease>;

    /// Makes a lease last for its whole time from now.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] when it has ended, [`Error::Unavailable`].
    async fn keep(&self, lease: &Lease) -> Result<()>;

    /// Ends a lease, and what was written under it with it.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    async fn end(&self, lease: Lease) -> Result<()>;
}

/// What happens to documents.
#[async_trait]
pub trait Watch: Send {
    /// What has changed since the last call, in order; of several changes to one document the last may be the only
    /// one. Without changes it tells at least every few seconds that the store still answers, by an empty list.
    ///
    /// # Errors
    ///
    /// [`Error::Compacted`], [`Error::Unavailable`], [`Error::Identity`]. There is no further call after one.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped.
    async fn next(&mut self) -> Result<Vec<Change>>;
}

/// A document.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub key: Key,
    /// Its bytes.
    pub value: Arc<[u8]>,
    /// When it was written last.
    pub revision: u64,
}

/// Without the bytes, which may hold secrets.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{} ({} bytes)", self.key, self.revision, self.value.len())
    }
}

/// Documents at a revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Sorted by their keys.
    pub entries: Vec<Entry>,
    /// The revision of the store.
    pub revision: u64,
}

/// What happened to a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was written.
    Put(Entry),
    /// It was removed, or its lease has ended.
    Gone(Key, u64),
}

/// What a document has to be for a write to replace it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    Any,
    /// Not there.
    Absent,
    /// As it was written then.
    Revision(u64),
}

/// What is to be written.
#[derive(Clone)]
pub struct Write {
    /// Which document.
    pub key: Key,
    /// Its bytes; none to remove it.
    pub value: Option<Vec<u8>>,
    /// What it has to be.
    pub expected: Expected,
    /// What takes it along when it ends.
    pub lease: Option<Lease>,
    /// Another document that has to be as it was written then.
    pub fence: Option<(Key, u64)>,
}

impl std::fmt::Debug for Write {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Write")
            .field("key", &self.key)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

/// A lease, as its store calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Its number.
    pub id: i64,
    /// How long it lasts from when it was kept last.
    pub time: Duration,
}

impl Write {
    /// A document in the place of whatever there is.
    pub fn put(key: Key, value: Vec<u8>) -> Self {
        Self { key, value: Some(value), expected: Expected::Any, lease: None, fence: None }
    }

    /// No document.
    pub fn remove(key: Key) -> Self {
        Self { key, value: None, expected: Expected::Any, lease: None, fence: None }
    }

    /// Says what it has to be.
    pub fn expecting(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    /// Puts it under a lease.
    pub fn under(mut self, lease: &Lease) -> Self {
        self.lease = Some(lease.clone());
        self
    }

    /// Says what another document has to be.
    pub fn fenced(mut self, key: Key, revision: u64) -> Self {
        self.fence = Some((key, revision));
        self
    }
}

/// Opens the store that an address names: `sqlite:PATH`, `etcd:HOST:PORT,HOST:PORT/PREFIX` or
/// `nats:HOST:PORT,HOST:PORT/PREFIX`, each with `https://` or `tls://` before a host whose connection is to be encrypted. Nothing is
/// shown to the server.
///
/// # Errors
///
/// [`Error::Address`] for an address of no store that this program was built with, and what opening it fails with.
pub async fn open(address: &str) -> Result<Arc<dyn Store>> {
    open_with(address, &Access::default()).await
}

/// Opens the store that an address names, and shows the server what it wants to see.
///
/// # Errors
///
/// As [`open`]; [`Error::Local`] for a certificate that cannot be read.
pub async fn open_with(address: &str, access: &Access) -> Result<Arc<dyn Store>> {
    access.check()?;
    // Before anything says what the address is.
    if address.contains('@') && !address.starts_with("sqlite:") {
        return Err(Error::Address("the address of a store holds no user and no password".to_owned()));
    }
    match address.split_once(':') {
        #[cfg(feature = "sqlite")]
        Some(("sqlite", path)) => Ok(Arc::new(Sqlite::open(path).await?)),
        #[cfg(feature = "etcd")]
        Some(("etcd", address)) => {
            let options = EtcdOptions { access: access.clone(), ..EtcdOptions::parse(address)? };
            Ok(Arc::new(Etcd::open(options).await?))
        }
        #[cfg(feature = "nats")]
        Some(("nats", address)) => {
            let options = NatsOptions { access: access.clone(), ..NatsOptions::parse(address)? };
            Ok(Arc::new(Nats::open(options).await?))
        }
        _ => Err(Error::Address(format!("{address:?} is no address of a store: try `sqlite:cluster.db`"))),
    }
}
