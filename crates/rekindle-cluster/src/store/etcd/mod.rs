//! [`Etcd`]: a store for many machines.
//!
//! Every write is one transaction with what it expects as its condition. Requests go to members that have a leader only; a watch
//! asks for progress twice before it is given up, so that one which is cut off is noticed.

mod watching;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use etcd_client::{
    Certificate, Client, Compare, CompareOp, ConnectOptions, GetOptions, Identity, LeaseKeepAliveStream,
    LeaseKeeper, PutOptions, TlsOptions, Txn, TxnOp,
};
use tokio::time::timeout;

use super::access::{Access, contents};
use super::address::split;
use super::{Entry, Expected, Lease, Listing, Store, Watch, Write};
use crate::client::line;
use crate::error::{Error, Result};
use crate::model::Key;
use watching::Watching;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many documents are listed at once.
const PAGE: i64 = 500;

/// The largest answer: what a server gives, and not gRPC's 4 MiB.
const LARGEST: usize = usize::MAX;

/// Pings of the connection, and how long one is waited for.
const PINGS: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3));

/// How etcd is reached.
#[derive(Debug, Clone, Default)]
pub struct EtcdOptions {
    /// `127.0.0.1:2379` or `https://etcd-1:2379`: one of them is enough, all of them are taken in turn.
    pub endpoints: Vec<String>,
    /// What the keys begin with, so that several clusters can share a server. Default: `rekindle`.
    pub prefix: String,
    /// What the server wants to see.
    pub access: Access,
}

impl EtcdOptions {
    /// As an address says: `127.0.0.1:2379,127.0.0.1:2380/shop`.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] when it names no endpoint.
    pub fn parse(address: &str) -> Result<Self> {
        let (endpoints, prefix) = split(address);
        let prefix = prefix.unwrap_or("rekindle");
        if endpoints.is_empty() || prefix.is_empty() {
            return Err(Error::Address(format!(
                "{address:?} is no address of etcd: try `etcd:127.0.0.1:2379/shop`"
            )));
        }
        Ok(Self { endpoints, prefix: prefix.to_owned(), ..Self::default() })
    }

    fn connect(&self) -> Result<ConnectOptions> {
        let mut options = ConnectOptions::new()
            .with_require_leader(true)
            .with_keep_alive(PINGS.0, PINGS.1)
            .with_connect_timeout(PATIENCE);
        if let Some((name, password)) = self.access.login() {
            options = options.with_user(name, password).with_auto_token_refresh(true);
        }
        if self.access.is_encrypted() || self.endpoints.iter().any(|endpoint| endpoint.starts_with("https:"))
        {
            options = options.with_tls(self.tls()?);
        }
        Ok(options)
    }

    fn tls(&self) -> Result<TlsOptions> {
        let mut tls = TlsOptions::new();
        tls = match &self.access.ca {
            Some(ca) => tls.ca_certificate(Certificate::from_pem(contents(ca)?)),
            None => tls.with_native_roots(),
        };
        if let (Some(certificate), Some(key)) = (&self.access.certificate, &self.access.key) {
            tls = tls.identity(Identity::from_pem(contents(certificate)?, contents(key)?));
        }
        Ok(tls)
    }
}

/// A store for many machines.
#[derive(Clone)]
pub struct Etcd {
    client: Client,
    prefix: String,
    /// By lease; taken out while it is used.
    keepers: Arc<Mutex<HashMap<i64, Keeper>>>,
}

/// The stream on which a lease is kept: a new one each time would cost the server as much as a write.
type Keeper = (LeaseKeeper, LeaseKeepAliveStream);

impl fmt::Debug for Etcd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Etcd").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Etcd {
    /// Connects when something is asked for, and again whenever the connection is lost.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when a user cannot be logged in, [`Error::Address`] for what is none,
    /// [`Error::Local`] for a certificate that cannot be read.
    pub async fn open(options: EtcdOptions) -> Result<Self> {
        let connecting = Client::connect(&options.endpoints, Some(options.connect()?));
        let client = answered(connecting).await?;
        Ok(Self { client, prefix: format!("{}/", options.prefix), keepers: Arc::default() })
    }

    fn keepers(&self) -> MutexGuard<'_, HashMap<i64, Keeper>> {
        self.keepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a stream for a lease, by which it is kept for the first time.
    async fn keeper(&self, lease: i64) -> Result<Keeper> {
        answered(self.client.clone().lease_keep_alive(lease)).await
    }

    fn name(&self, key: &Key) -> String {
        format!("{}{key}", self.prefix)
    }

    fn fits(&self, key: &Key, expected: Expected) -> Option<Compare> {
        let revision = match expected {
            Expected::Any => return None,
            Expected::Absent => 0,
            Expected::Revision(revision) => signed(revision),
        };
        Some(Compare::mod_revision(self.name(key), CompareOp::Equal, revision))
    }

    fn entry(&self, found: &etcd_client::KeyValue) -> Entry {
        entry(&self.prefix, found)
    }
}

fn entry(prefix: &str, found: &etcd_client::KeyValue) -> Entry {
    Entry { key: key(prefix, found), value: found.value().into(), revision: unsigned(found.mod_revision()) }
}

fn key(prefix: &str, found: &etcd_client::KeyValue) -> Key {
    let name = String::from_utf8_lossy(found.key());
    Key::named(name.strip_prefix(prefix).unwrap_or(&name))
}

/// Whether a scope is one document.
fn is_one(scope: &str) -> bool {
    !scope.is_empty() && !scope.ends_with('/')
}

/// The first key behind all that begin so.
fn end_of(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        // No byte of UTF-8 is the highest there is.
        *last += 1;
    }
    end
}

/// Revisions are never negative.
fn unsigned(revision: i64) -> u64 {
    u64::try_from(revision).unwrap_or_default()
}

fn signed(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

async fn keep_again((mut keeper, mut stream): Keeper) -> Result<Keeper> {
    answered(keeper.keep_alive()).await?;
    match answered(stream.message()).await? {
        Some(kept) if kept.ttl() > 0 => Ok((keeper, stream)),
        Some(_) => Err(Error::Conflict("the lease has ended".to_owned())),
        None => Err(Error::unavailable("the connection was lost")),
    }
}

/// What the server says, if it says anything in time.
async fn answered<T>(asked: impl Future<Output = std::result::Result<T, etcd_client::Error>>) -> Result<T> {
    match timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(said),
        Err(_) => Err(Error::Unavailable(format!("etcd does not answer within {} s", PATIENCE.as_secs()))),
    }
}

/// gRPC's number for what cannot be done: a document that is too large.
const INVALID: i32 = 3;

/// gRPC's number for what is not there: a lease that has ended.
const NOT_FOUND: i32 = 5;

/// What the server, or the way to it, says.
fn said(cause: etcd_client::Error) -> Error {
    match &cause {
        etcd_client::Error::GRpcStatus(status) if status.code() as i32 == NOT_FOUND => {
            Error::Conflict(status.message().to_owned())
        }
        etcd_client::Error::GRpcStatus(status) if status.code() as i32 == INVALID => {
            Error::malformed("what was asked of etcd", status.message())
        }
        etcd_client::Error::LeaseKeepAliveError(why) => Error::Conflict(why.clone()),
        etcd_client::Error::GRpcStatus(status) => Error::Unavailable(status.message().to_owned()),
        etcd_client::Error::InvalidUri(_) => Error::Address(cause.to_string()),
        _ => Error::unavailable(cause),
    }
}

#[async_trait]
impl Store for Etcd {
    /// The number of a cluster follows from the names of its members, so that one which was made anew has it again.
    /// The first that asks leaves a word beside it.
    async fn identity(&self) -> Result<String> {
        let name = format!("{}identity", self.prefix);
        let word = format!("{:014x}", line()?);
        let txn = Txn::new()
            .when([Compare::mod_revision(name.clone(), CompareOp::Equal, 0)])
            .and_then([TxnOp::put(name.clone(), word, None)]);
        let mut client = self.client.clone();
        answered(client.txn(txn)).await?;
        let found = answered(client.get(name, None)).await?;
        let cluster = found.header().map_or(0, etcd_client::ResponseHeader::cluster_id);
        let word = found.kvs().first().map(|found| String::from_utf8_lossy(found.value()).into_owned());
        Ok(format!("{cluster:016x}-{}", word.unwrap_or_default()))
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>> {
        let mut client = self.client.clone();
        let found = answered(client.get(self.name(key), None)).await?;
        Ok(found.kvs().first().map(|found| self.entry(found)))
    }

    /// In pages, all as of the first one's revision.
    async fn list(&self, scope: &str) -> Result<Listing> {
        let first = format!("{}{scope}", self.prefix);
        let (mut from, end) = (first.clone().into_bytes(), end_of(&first));
        let mut listing = Listing { entries: Vec::new(), revision: 0 };
        loop {
            let options = GetOptions::new().with_limit(PAGE).with_revision(signed(listing.revision));
            let options = if is_one(scope) { options } else { options.with_range(end.clone()) };
            let mut client = self.client.kv_client().max_decoding_message_size(LARGEST);
            let found = answered(client.get(from, Some(options))).await?;
            listing.entries.extend(found.kvs().iter().map(|found| self.entry(found)));
            if listing.revision == 0 {
                listing.revision = found.header().map_or(0, |header| unsigned(header.revision()));
            }
            match found.kvs().last().filter(|_| found.more()) {
                Some(last) => from = [last.key(), b"\0"].concat(),
                None => return Ok(listing),
            }
        }
    }

    async fn write(&self, write: Write) -> Result<u64> {
        let fence =
            write.fence.as_ref().and_then(|(key, revision)| self.fits(key, Expected::Revision(*revision)));
        let conditions: Vec<Compare> =
            self.fits(&write.key, write.expected).into_iter().chain(fence).collect();
        let name = self.name(&write.key);
        let operation = match write.value {
            Some(value) => {
                let lease = write.lease.as_ref().map(|lease| PutOptions::new().with_lease(lease.id));
                TxnOp::put(name, value, lease)
            }
            None => TxnOp::delete(name, None),
        };
        let mut client = self.client.clone();
        let done = answered(client.txn(Txn::new().when(conditions).and_then([operation]))).await?;
        if !done.succeeded() {
            return Err(Error::Conflict(format!("{} is not what it was any more", write.key)));
        }
        Ok(done.header().map_or(0, |header| unsigned(header.revision())))
    }

    async fn watch(&self, scope: &str, after: u64) -> Result<Box<dyn Watch>> {
        Ok(Box::new(Watching::begin(self, scope, after).await?))
    }

    async fn grant(&self, time: Duration) -> Result<Lease> {
        // Whole seconds.
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        let mut client = self.client.clone();
        let granted = answered(client.lease_grant(signed(seconds.max(1)), None)).await?;
        Ok(Lease { id: granted.id(), time: Duration::from_secs(unsigned(granted.ttl())) })
    }

    async fn keep(&self, lease: &Lease) -> Result<()> {
        let open = self.keepers().remove(&lease.id);
        let keeper = match open {
            Some(keeper) => match keep_again(keeper).await {
                // Its connection was lost.
                Err(Error::Unavailable(_)) => self.keeper(lease.id).await?,
                kept => kept?,
            },
            None => self.keeper(lease.id).await?,
        };
        self.keepers().insert(lease.id, keeper);
        Ok(())
    }

    async fn end(&self, lease: Lease) -> Result<()> {
        drop(self.keepers().remove(&lease.id));
        let mut client = self.client.clone();
        match answered(client.lease_revoke(lease.id)).await {
            Ok(_) | Err(Error::Conflict(_)) => Ok(()),
            Err(other) => Err(other),
        }
    }
}
