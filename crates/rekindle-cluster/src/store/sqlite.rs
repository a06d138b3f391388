//! [`Sqlite`]: a store in a file, for several processes on one machine.
//!
//! One transaction a write, synced before it is acknowledged. A watch asks every few milliseconds whether the file has
//! changed, which costs a look at shared memory. Leases are measured by the clock of the machine since it was started, which all
//! processes share and nobody sets.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::sync::mpsc;

use super::{Change, Entry, Expected, Lease, Listing, Store, Watch, Write};
use crate::error::{Error, Result};
use crate::model::Key;

/// How often a watch asks whether anything has changed.
const POLL: Duration = Duration::from_millis(5);

/// How often leases are looked at, and whether the file is still the same.
const TEND: Duration = Duration::from_millis(100);

/// How often a watch tells that nothing has changed.
const ALIVE: Duration = Duration::from_secs(1);

/// How long a write waits for others.
const BUSY: Duration = Duration::from_secs(5);

/// How many removals are remembered.
const TOMBSTONES: u64 = 10_000;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS entry (
        key TEXT PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL, lease INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS entry_revision ON entry (revision);
    CREATE INDEX IF NOT EXISTS entry_lease ON entry (lease) WHERE lease IS NOT NULL;
    CREATE TABLE IF NOT EXISTS gone (key TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS gone_revision ON gone (revision);
    CREATE TABLE IF NOT EXISTS lease (id INTEGER PRIMARY KEY, ends INTEGER NOT NULL, time INTEGER NOT NULL);
    INSERT OR IGNORE INTO meta VALUES ('identity', lower(hex(randomblob(16))));
    INSERT OR IGNORE INTO meta VALUES ('revision', 0);
    INSERT OR IGNORE INTO meta VALUES ('compacted', 0);
";

/// A store in a file.
///
/// The file and what SQLite puts beside it belong to one machine: not on a network's file system.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    connection: Arc<Mutex<Handle>>,
}

/// A connection to the file that was there then.
#[derive(Debug)]
struct Handle {
    connection: Connection,
    file: FileId,
}

/// Which file a path leads to.
type FileId = (u64, u64);

impl Sqlite {
    /// Opens the file, and makes it where there is none, for the user alone.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when it cannot be opened, or is something else.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let opened = {
            let path = path.clone();
            blocking(move || Handle::new(&path)).await?
        };
        Ok(Self { path, connection: Arc::new(Mutex::new(opened)) })
    }

    /// Does something with the connection, where that may block. A file that was replaced is opened anew.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Step<T> + Send + 'static,
    ) -> Result<T> {
        let (path, connection) = (self.path.clone(), Arc::clone(&self.connection));
        blocking(move || {
            let mut open = connection.lock().unwrap_or_else(PoisonError::into_inner);
            if file_id(&path) != Some(open.file) {
                *open = Handle::new(&path)?;
            }
            Ok(work(&mut open.connection)?)
        })
        .await
    }

    /// The same within a transaction, for which leases that are over have ended.
    async fn write_with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Step<T> + Send + 'static,
    ) -> Result<T> {
        self.with(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            end_leases(&transaction, now())?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
        .await
    }
}

impl Handle {
    fn new(path: &Path) -> Result<Self> {
        let named = |cause: Error| match cause {
            Error::Unavailable(why) => Error::Unavailable(format!("{}: {why}", path.display())),
            other => other,
        };
        Self::open(path).map_err(Error::from).map_err(named)
    }

    fn open(path: &Path) -> Step<Self> {
        make_private(path).map_err(Error::unavailable)?;
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // What is acknowledged survives a failure of the power.
        connection.pragma_update(None, "synchronous", "FULL")?;
        let has_meta = "SELECT count(*) FROM sqlite_master WHERE name = 'meta'";
        if connection.query_row(has_meta, [], |row| row.get::<_, u64>(0))? == 0 {
            connection.execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA} COMMIT;"))?;
        }
        let file = file_id(path).ok_or_else(|| Error::unavailable("the file is gone"))?;
        Ok(Self { connection, file })
    }
}

/// Makes an empty file that only its owner may read. What SQLite puts beside it has the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(unix)]
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    path.metadata().ok().map(|found| (found.dev(), found.ino()))
}

/// Here a file that is open cannot be replaced.
#[cfg(not(unix))]
fn file_id(path: &Path) -> Option<FileId> {
    path.exists().then_some((0, 0))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
}

/// What goes wrong inside of a transaction.
enum Fault {
    Sqlite(rusqlite::Error),
    Known(Error),
}

/// What is done inside of a transaction.
type Step<T> = std::result::Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(cause: rusqlite::Error) -> Self {
        Self::Sqlite(cause)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Known(error)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Sqlite(cause) => Self::unavailable(cause),
            Fault::Known(error) => error,
        }
    }
}

/// Milliseconds since the machine was started.
fn now() -> i64 {
    #[cfg(target_os = "linux")]
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    #[cfg(all(unix, not(target_os = "linux")))]
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    #[cfg(unix)]
    return since.tv_sec * 1000 + since.tv_nsec / 1_000_000;
    #[cfg(not(unix))]
    jiff::Timestamp::now().as_millisecond()
}

#[async_trait]
impl Store for Sqlite {
    async fn identity(&self) -> Result<String> {
        self.with(|connection| meta(connection, "identity")).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>> {
        let key = key.clone();
        self.with(move |connection| {
            let sql = "SELECT key, value, revision FROM entry WHERE key = ?1";
            let entry = connection.query_row(sql, [key.as_str()], entry).optional()?;
            Ok(entry)
        })
        .await
    }

    async fn list(&self, scope: &str) -> Result<Listing> {
        let scope = scope.to_owned();
        self.with(move |connection| {
            // One transaction, so that the revision is that of the entries.
            let transaction = connection.transaction()?;
            let revision = meta(&transaction, "revision")?;
            let entries = entries(&transaction, &scope, 0)?;
            Ok(Listing { entries, revision })
        })
        .await
    }

    async fn write(&self, write: Write) -> Result<u64> {
        self.write_with(move |transaction| {
            fits(transaction, &write.key, write.expected)?;
            if let Some((key, revision)) = &write.fence {
                fits(transaction, key, Expected::Revision(*revision))?;
            }
            if let Some(lease) = &write.lease {
                let sql = "SELECT count(*) FROM lease WHERE id = ?1";
                if transaction.query_row(sql, [lease.id], |row| row.get::<_, u64>(0))? == 0 {
                    return Err(Error::Conflict("the lease has ended".to_owned()).into());
                }
            }
            match &write.value {
                Some(value) => put(transaction, &write.key, value, write.lease.as_ref()),
                None => remove(transaction, write.key.as_str()),
            }
        })
        .await
    }

    async fn watch(&self, scope: &str, after: u64) -> Result<Box<dyn Watch>> {
        let (path, scope) = (self.path.clone(), scope.to_owned());
        let opened = blocking(move || {
            let open = Handle::new(&path)?;
            let compacted: u64 = meta(&open.connection, "compacted")?;
            if after < compacted {
                return Err(Error::Compacted(after));
            }
            let identity = meta(&open.connection, "identity")?;
            Ok(Poller { path, open, identity, scope, after, version: None })
        })
        .await?;
        // One in advance: what is told is taken before more is looked for.
        let (changes, receiver) = mpsc::channel(1);
        let thread = std::thread::Builder::new().name("rekindle-sqlite".into());
        thread.spawn(move || opened.poll(&changes)).map_err(Error::unavailable)?;
        Ok(Box::new(Polled(receiver)))
    }

    async fn grant(&self, time: Duration) -> Result<Lease> {
        let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.write_with(move |transaction| {
            let ends = now().saturating_add(millis);
            // By lot: a file that was made anew does not know the leases of the one before.
            let sql = "INSERT INTO lease (id, ends, time) VALUES (abs(random() / 2), ?1, ?2)";
            transaction.execute(sql, params![ends, millis])?;
            Ok(Lease { id: transaction.last_insert_rowid(), time })
        })
        .await
    }

    async fn keep(&self, lease: &Lease) -> Result<()> {
        let id = lease.id;
        self.write_with(move |transaction| {
            let sql = "UPDATE lease SET ends = ?2 + time WHERE id = ?1";
            match transaction.execute(sql, params![id, now()])? {
                0 => Err(Error::Conflict("the lease has ended".to_owned()).into()),
                _ => Ok(()),
            }
        })
        .await
    }

    async fn end(&self, lease: Lease) -> Result<()> {
        self.write_with(move |transaction| end_lease(transaction, lease.id)).await
    }
}

fn meta<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> Step<T> {
    Ok(connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))?)
}

fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<Entry> {
    let value: Vec<u8> = row.get(1)?;
    Ok(Entry { key: Key::named(row.get::<_, String>(0)?), value: value.into(), revision: row.get(2)? })
}

/// Whether a key is in the scope that is the first parameter.
const IN_SCOPE: &str = "(key = ?1 OR ?1 = '' OR (substr(?1, -1) = '/' AND substr(key, 1, length(?1)) = ?1))";

/// What was written after a revision.
fn entries(connection: &Connection, scope: &str, after: u64) -> Step<Vec<Entry>> {
    let sql =
        format!("SELECT key, value, revision FROM entry WHERE {IN_SCOPE} AND revision > ?2 ORDER BY key");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![scope, after], entry)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn fits(transaction: &Transaction<'_>, key: &Key, expected: Expected) -> Step<()> {
    let sql = "SELECT revision FROM entry WHERE key = ?1";
    let found: Option<u64> = transaction.query_row(sql, [key.as_str()], |row| row.get(0)).optional()?;
    match (expected, found) {
        (Expected::Any, _) | (Expected::Absent, None) => Ok(()),
        (Expected::Revision(wanted), Some(found)) if wanted == found => Ok(()),
        (_, Some(found)) => Err(Error::Conflict(format!("{key} is of revision {found} by now")).into()),
        (_, None) => Err(Error::Conflict(format!("{key} is gone")).into()),
    }
}

fn next_revision(transaction: &Transaction<'_>) -> Step<u64> {
    let sql = "UPDATE meta SET value = value + 1 WHERE name = 'revision' RETURNING value";
    Ok(transaction.query_row(sql, [], |row| row.get(0))?)
}

fn put(transaction: &Transaction<'_>, key: &Key, value: &[u8], lease: Option<&Lease>) -> Step<u64> {
    let revision = next_revision(transaction)?;
    let sql = "INSERT OR REPLACE INTO entry (key, value, revision, lease) VALUES (?1, ?2, ?3, ?4)";
    transaction.execute(sql, params![key.as_str(), value, revision, lease.map(|lease| lease.id)])?;
    transaction.execute("DELETE FROM gone WHERE key = ?1", [key.as_str()])?;
    Ok(revision)
}

fn remove(transaction: &Transaction<'_>, key: &str) -> Step<u64> {
    if transaction.execute("DELETE FROM entry WHERE key = ?1", [key])? == 0 {
        return meta(transaction, "revision");
    }
    let revision = next_revision(transaction)?;
    transaction
        .execute("INSERT OR REPLACE INTO gone (key, revision) VALUES (?1, ?2)", params![key, revision])?;
    let forgotten = revision.saturating_sub(TOMBSTONES);
    if transaction.execute("DELETE FROM gone WHERE revision <= ?1", [forgotten])? > 0 {
        transaction.execute("UPDATE meta SET value = ?1 WHERE name = 'compacted'", [forgotten])?;
    }
    Ok(revision)
}

fn end_lease(transaction: &Transaction<'_>, id: i64) -> Step<()> {
    let keys: Vec<String> = transaction
        .prepare_cached("SELECT key FROM entry WHERE lease = ?1")?
        .query_map([id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for key in keys {
        remove(transaction, &key)?;
    }
    transaction.execute("DELETE FROM lease WHERE id = ?1", [id])?;
    Ok(())
}

/// Leases that are over; those that would last for longer than their time are of before the machine was restarted.
const OVER: &str = "SELECT id FROM lease WHERE ends <= ?1 OR ends > ?1 + time";

fn end_leases(transaction: &Transaction<'_>, now: i64) -> Step<()> {
    let over: Vec<i64> = transaction
        .prepare_cached(OVER)?
        .query_map([now], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    over.into_iter().try_for_each(|id| end_lease(transaction, id))
}

/// A watch's end in the program.
struct Polled(mpsc::Receiver<Result<Vec<Change>>>);

#[async_trait]
impl Watch for Polled {
    async fn next(&mut self) -> Result<Vec<Change>> {
        self.0.recv().await.unwrap_or_else(|| Err(Error::unavailable("the watch has ended")))
    }
}

/// A watch's thread.
struct Poller {
    path: PathBuf,
    open: Handle,
    identity: String,
    scope: String,
    after: u64,
    /// What SQLite said of the file last.
    version: Option<i64>,
}

impl Poller {
    /// Looks until nobody listens any more.
    fn poll(mut self, changes: &mpsc::Sender<Result<Vec<Change>>>) {
        let (mut tended, mut told) = (Instant::now(), Instant::now());
        while !changes.is_closed() {
            let tends = tended.elapsed() >= TEND;
            let found = if tends { self.tend() } else { Ok(()) }.and_then(|()| self.look());
            if tends {
                tended = Instant::now();
            }
            let is_over = found.is_err();
            let is_due = told.elapsed() >= ALIVE;
            if found.as_ref().map_or(true, |found| !found.is_empty()) || is_due {
                told = Instant::now();
                if changes.blocking_send(found.map_err(Error::from)).is_err() || is_over {
                    return;
                }
            }
            #[allow(clippy::disallowed_methods, reason = "a file that others write to can only be asked")]
            std::thread::sleep(POLL);
        }
    }

    /// Ends leases that are over, whoever held them, and looks whether the file is still this one.
    fn tend(&mut self) -> Step<()> {
        if file_id(&self.path) != Some(self.open.file) {
            return Err(Error::Identity(format!("{} was replaced", self.path.display())).into());
        }
        let connection = &mut self.open.connection;
        let sql = format!("SELECT EXISTS ({OVER})");
        if connection.query_row(&sql, [now()], |row| row.get::<_, bool>(0))? {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            end_leases(&transaction, now())?;
            transaction.commit()?;
            // Its own writes do not change what it is told of the file.
            self.version = None;
        }
        Ok(())
    }

    /// What has changed since the last look.
    fn look(&mut self) -> Step<Vec<Change>> {
        let connection = &mut self.open.connection;
        let version = connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        if self.version.replace(version) == Some(version) {
            return Ok(Vec::new());
        }
        let transaction = connection.transaction()?;
        let identity: String = meta(&transaction, "identity")?;
        if identity != self.identity {
            return Err(Error::Identity("it was made anew".to_owned()).into());
        }
        let (revision, compacted): (u64, u64) =
            (meta(&transaction, "revision")?, meta(&transaction, "compacted")?);
        if revision < self.after {
            return Err(
                Error::Identity(format!("it is of revision {revision}, and was of {}", self.after)).into()
            );
        }
        if self.after < compacted {
            return Err(Error::Compacted(self.after).into());
        }
        let puts = entries(&transaction, &self.scope, self.after)?.into_iter();
        let mut changes: Vec<(u64, Change)> =
            puts.map(|entry| (entry.revision, Change::Put(entry))).collect();
        changes.extend(gone(&transaction, &self.scope, self.after)?);
        changes.sort_by_key(|(revision, _)| *revision);
        self.after = revision;
        Ok(changes.into_iter().map(|(_, change)| change).collect())
    }
}

fn gone(connection: &Connection, scope: &str, after: u64) -> Step<Vec<(u64, Change)>> {
    let sql = format!("SELECT key, revision FROM gone WHERE {IN_SCOPE} AND revision > ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![scope, after], |row| {
        let (key, revision): (String, u64) = (row.get(0)?, row.get(1)?);
        Ok((revision, Change::Gone(Key::named(key), revision)))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
