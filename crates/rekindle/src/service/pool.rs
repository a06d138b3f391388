//! [`Pool`]: a value that is swapped under its users.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, watch};

use super::lease::{Held, Lease, expired};
use super::limits::{after, bounded, runtime};
use super::retirement::{RETIREMENTS_CAPACITY, Retirement};
use super::values::Values;
use crate::error::{Error, ErrorKind, Result};
use crate::observe;

/// How long an old value may be used.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

/// How long after the deadline is looked who still holds the value, so that whoever keeps it is not counted.
const GRACE: Duration = Duration::from_millis(50);

/// A value that is swapped under its users: a pool of connections, a client, a table.
///
/// Whoever [gets](Self::get) the value keeps that one until the lease is dropped; whoever comes after a
/// [swap](Self::swap) gets the new one. The old one is dropped with its last lease.
///
/// An old one should not be in use for ever: there is a [deadline](Self::drain_within). What is
/// [run](Self::run) by the pool is dropped at it, lease and all. A plain lease cannot be taken from
/// whoever holds it, in no safe language: it can wait for its [expiry](Lease::expired), and if it is still
/// held then, the [retirement](Self::retirements) and a warning in the log say so, and how many they are.
///
/// ```
/// use rekindle::service::Pool;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// let pool = Pool::new(String::from("postgres://old"));
/// let in_use = pool.get();
/// let mut retirements = pool.retirements();
///
/// pool.swap("postgres://new".into());
/// assert_eq!((in_use.as_str(), pool.get().as_str()), ("postgres://old", "postgres://new"));
///
/// drop(in_use);
/// let retirement = retirements.recv().await?;
/// assert_eq!((retirement.generation, retirement.cut, retirement.holders), (1, false, 0));
/// # Ok(())
/// # }
/// ```
///
/// Deadlines and retirements need a Tokio runtime, that of the swap or else that of [`new`](Self::new).
/// Where there is none, old values are dropped with their last lease, and that is all.
pub struct Pool<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    current: ArcSwap<Held<T>>,
    settings: Mutex<Settings>,
    retirements: broadcast::Sender<Retirement>,
    runtime: Option<Handle>,
    /// Its receivers learn when the last handle is gone.
    alive: watch::Sender<()>,
}

#[derive(Clone)]
struct Settings {
    name: String,
    drain_within: Duration,
}

impl<T> Pool<T> {
    /// A pool with its first value.
    pub fn new(value: T) -> Self {
        let settings = Settings { name: type_name::<T>().to_owned(), drain_within: DRAIN_WITHIN };
        let shared = Shared {
            current: ArcSwap::from_pointee(Held::new(value, 1)),
            settings: Mutex::new(settings),
            retirements: broadcast::Sender::new(RETIREMENTS_CAPACITY),
            runtime: Handle::try_current().ok(),
            alive: watch::Sender::new(()),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Names it, for retirements and the log. Default: the type of its values.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        self.shared.settings().name = name.into();
        self
    }

    /// How long a value may still be used after it has been replaced. Default: 30 s.
    #[must_use]
    pub fn drain_within(self, limit: Duration) -> Self {
        self.shared.settings().drain_within = limit;
        self
    }

    /// The newest value, without a lock.
    #[inline]
    pub fn get(&self) -> Lease<T> {
        Lease(self.shared.current.load_full())
    }

    /// Runs a use of the newest value, and drops it where it stands when the value's deadline passes.
    /// So a value that is used only in this way, and whose leases do not leave it, is never in use longer.
    ///
    /// ```
    /// # use rekindle::service::Pool;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> rekindle::Result<()> {
    /// let pool = Pool::new(vec![1, 2, 3]);
    /// let sum = pool.run(async |numbers| numbers.iter().sum::<i32>()).await?;
    /// assert_eq!(sum, 6);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`] when it was dropped.
    pub async fn run<R, F, Fut>(&self, using: F) -> Result<R>
    where
        F: FnOnce(Lease<T>) -> Fut,
        Fut: Future<Output = R>,
    {
        let lease = self.get();
        let (deadline, cuts) = (lease.0.deadline.subscribe(), Arc::clone(&lease.0.cuts));
        let cut_off = async {
            expired(deadline).await;
            // Counted while the use still holds its lease: who looks after that sees it.
            cuts.fetch_add(1, Ordering::Release);
        };
        tokio::select! {
            biased;
            done = using(lease) => Ok(done),
            () = cut_off => Err(Error::new(ErrorKind::Timeout, self.shared.settings().cut_off())),
        }
    }

    /// What is told of each value that was replaced, from now on: when its last user is done, or at
    /// its deadline.
    ///
    /// It holds 64; a slower reader is told [`Lagged`](broadcast::error::RecvError::Lagged).
    pub fn retirements(&self) -> broadcast::Receiver<Retirement> {
        self.shared.retirements.subscribe()
    }
}

impl<T: Send + Sync + 'static> Pool<T> {
    /// Replaces the value. Those who use the old one finish on it.
    pub fn swap(&self, value: T) {
        self.shared.swap(value);
    }

    /// A pool whose value is made from the newest of `values`, such as a [stream](crate::ConfigStream),
    /// now and whenever there is a newer one.
    ///
    /// One that cannot be made is logged, and the value stays. To refuse the change instead, use a
    /// [`Service`](super::Service). It follows until the last handle of the pool is dropped.
    ///
    /// # Errors
    ///
    /// What the first one cannot be made for; [`ErrorKind::Other`] outside of a Tokio runtime.
    pub async fn following<V, F, Fut>(values: V, make: F) -> Result<Self>
    where
        V: Values,
        F: Fn(V::Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T>> + Send + 'static,
    {
        let runtime = runtime("a pool that follows")?;
        let pool = Self::new(make(values.current()).await?);
        runtime.spawn(follow(Arc::downgrade(&pool.shared), pool.shared.alive.subscribe(), values, make));
        Ok(pool)
    }
}

/// Keeps a pool at the newest of `values`, for as long as there is a pool.
async fn follow<T, V, F, Fut>(pool: Weak<Shared<T>>, mut alive: watch::Receiver<()>, mut values: V, make: F)
where
    T: Send + Sync + 'static,
    V: Values,
    F: Fn(V::Value) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T>> + Send + 'static,
{
    let make = Arc::new(make);
    let newer = async {
        while let Some(value) = values.next().await {
            let make = Arc::clone(&make);
            let made = bounded(async move { make(value).await }, None).await.flatten();
            let Some(pool) = pool.upgrade() else { return };
            match made {
                Ok(value) => pool.swap(value),
                Err(error) => observe::not_replaced(&pool.settings().name, &error),
            }
        }
    };
    tokio::select! {
        () = newer => {}
        // Nothing is ever sent.
        _gone = alive.changed() => {}
    }
}

impl Settings {
    fn cut_off(&self) -> String {
        format!(
            "it was cut off: {} has been replaced, and {:?} have passed since",
            self.name, self.drain_within
        )
    }
}

impl<T> Shared<T> {
    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + Sync + 'static> Shared<T> {
    fn swap(&self, value: T) {
        let (old, settings) = {
            // One at a time, so that the last one to count is the one that stays.
            let settings = self.settings();
            let generation = self.current.load().generation + 1;
            (self.current.swap(Arc::new(Held::new(value, generation))), settings.clone())
        };
        self.retire(&old, settings);
    }

    fn retire(&self, old: &Arc<Held<T>>, settings: Settings) {
        let deadline = after(settings.drain_within);
        old.deadline.send_replace(Some(deadline));
        let Some(runtime) = Handle::try_current().ok().or_else(|| self.runtime.clone()) else { return };
        let told = self.retirements.clone();
        let old = Leaving::new(old, settings, deadline);
        runtime.spawn(async move {
            let retirement = old.end().await;
            observe::retired(&retirement);
            // Fails when nobody listens, which is their choice.
            let _nobody_listens = told.send(retirement);
        });
    }
}

/// A value that was replaced, without a hold on it.
struct Leaving<T> {
    value: Weak<Held<T>>,
    generation: u64,
    cuts: Arc<AtomicUsize>,
    gone: watch::Receiver<Option<Instant>>,
    settings: Settings,
    begun: tokio::time::Instant,
    deadline: Instant,
}

impl<T> Leaving<T> {
    fn new(old: &Arc<Held<T>>, settings: Settings, deadline: Instant) -> Self {
        Self {
            value: Arc::downgrade(old),
            generation: old.generation,
            cuts: Arc::clone(&old.cuts),
            gone: old.deadline.subscribe(),
            settings,
            begun: tokio::time::Instant::now(),
            deadline,
        }
    }

    /// Waits until nobody uses it any more, or its deadline has passed.
    async fn end(mut self) -> Retirement {
        let gone = self.gone.wait_for(|_| false);
        // It ends with an error, when the value is dropped, or not at all.
        let in_time = tokio::time::timeout_at((self.deadline + GRACE).into(), gone).await.is_ok();
        let holders = if in_time { 0 } else { self.value.strong_count() };
        let cuts = self.cuts.load(Ordering::Acquire);
        Retirement {
            generation: self.generation,
            took: self.begun.elapsed(),
            cut: cuts > 0 || holders > 0,
            holders,
            error: self.fault(cuts, holders),
            name: self.settings.name,
        }
    }

    fn fault(&self, cuts: usize, holders: usize) -> Option<Error> {
        let limit = self.settings.drain_within;
        let message = match (cuts, holders) {
            (0, 0) => return None,
            (cuts, 0) => format!("of its uses {cuts} took longer than {limit:?} and were cut off"),
            (_, holders) => format!("after {limit:?} it was still held, {holders} times"),
        };
        Some(Error::new(ErrorKind::Timeout, message))
    }
}

impl<T> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T: fmt::Debug> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&*self.get()).finish()
    }
}
