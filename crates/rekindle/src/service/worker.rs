//! [`Worker`]: a job that is started anew at each change.

use std::any::type_name;
use std::fmt;
use std::future::{Future, pending, ready};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::cancel::Cancel;
use super::job::{JobEnd, Run, Terms};
use super::limits::runtime;
use super::values::Values;
use crate::error::Result;

/// How many ends a slow receiver may be behind before it is told that it lags.
const ENDS_CAPACITY: usize = 64;

/// How long a job may take to end.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A job in the background that is run with the newest of some values, and anew when there is a newer one.
///
/// At a change the run before is cancelled and waited for, and dropped if it takes longer than
/// [`stop_within`](WorkerBuilder::stop_within); then the next one begins. A run that ends or fails by itself is
/// [told of](Self::ends), and the next one begins at the next change.
///
/// ```
/// use std::time::Duration;
///
/// use rekindle::service::Worker;
/// use tokio::sync::{mpsc, watch};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// // In a program: `manager.watch_at::<Settings>("app", "/indexer").await?`
/// let (settings, intervals) = watch::channel(Duration::from_millis(1));
/// let (done, mut works) = mpsc::channel(1);
/// let worker = Worker::spawn(intervals, move |interval, cancel| {
///     let done = done.clone();
///     async move {
///         let mut ticks = tokio::time::interval(interval);
///         while cancel.run_until_cancelled(ticks.tick()).await.is_some() {
///             done.send(interval).await?;
///         }
///         Ok(())
///     }
/// })?;
/// assert_eq!(works.recv().await, Some(Duration::from_millis(1)));
/// settings.send_replace(Duration::from_millis(2));
/// while works.recv().await != Some(Duration::from_millis(2)) {}
/// worker.stop().await;
/// # Ok(())
/// # }
/// ```
///
/// When it is dropped its job is cancelled, and ends in the background; [`stop`](Self::stop) waits for it.
#[derive(Debug)]
pub struct Worker {
    /// Its drop stops the worker.
    stopper: watch::Sender<()>,
    driver: JoinHandle<()>,
    ends: broadcast::Sender<JobEnd>,
}

/// Options of a [`Worker`].
#[must_use = "it does nothing until it is spawned"]
pub struct WorkerBuilder<V, F> {
    values: V,
    job: F,
    name: String,
    alongside: bool,
    stop_within: Duration,
}

impl Worker {
    /// Runs `job` with the newest of `values`, such as a [stream](crate::ConfigStream), from now on.
    ///
    /// When there are no more values, the last run goes on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Other`](crate::ErrorKind::Other) outside of a Tokio runtime.
    pub fn spawn<V, F, Fut>(values: V, job: F) -> Result<Self>
    where
        V: Values,
        F: Fn(V::Value, Cancel) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        Self::builder(values, job).spawn()
    }

    /// The same with options.
    pub fn builder<V, F>(values: V, job: F) -> WorkerBuilder<V, F> {
        let name = type_name::<F>().to_owned();
        WorkerBuilder { values, job, name, alongside: false, stop_within: STOP_WITHIN }
    }

    /// What is told of each run that has ended, from now on.
    ///
    /// It holds 64; a slower reader is told [`Lagged`](broadcast::error::RecvError::Lagged).
    pub fn ends(&self) -> broadcast::Receiver<JobEnd> {
        self.ends.subscribe()
    }

    /// Cancels the job, and waits until it, and every run before that was still at work, has ended.
    ///
    /// # Cancel safety
    ///
    /// Once it has begun, it is done whether or not it is waited for.
    pub async fn stop(self) {
        let Self { stopper, driver, .. } = self;
        drop(stopper);
        // It fails only with the runtime.
        let _ended = driver.await;
    }
}

impl<V, F> WorkerBuilder<V, F> {
    /// Names it, for what is told of it and the log. Default: the type of the job.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Begins the next run at once, while the one before comes to its end. Default: one at a time.
    pub fn alongside(mut self) -> Self {
        self.alongside = true;
        self
    }

    /// How long a run that is cancelled may take to end before it is dropped. Default: 10 s.
    pub fn stop_within(mut self, limit: Duration) -> Self {
        self.stop_within = limit;
        self
    }

    /// Begins.
    ///
    /// # Errors
    ///
    /// As [`Worker::spawn`].
    pub fn spawn<Fut>(self) -> Result<Worker>
    where
        V: Values,
        F: Fn(V::Value, Cancel) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let runtime = runtime("a worker")?;
        let (ends, (stopper, stopped)) = (broadcast::Sender::new(ENDS_CAPACITY), watch::channel(()));
        let terms = Terms { worker: self.name, stop_within: self.stop_within, ends: ends.clone() };
        let driver =
            Driver { job: Arc::new(self.job), alongside: self.alongside, terms, leaving: JoinSet::new() };
        Ok(Worker { stopper, driver: runtime.spawn(driver.drive(self.values, stopped)), ends })
    }
}

impl<V, F> fmt::Debug for WorkerBuilder<V, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerBuilder")
            .field("name", &self.name)
            .field("alongside", &self.alongside)
            .field("stop_within", &self.stop_within)
            .finish_non_exhaustive()
    }
}

/// Runs the job, again and again.
struct Driver<F> {
    job: Arc<F>,
    alongside: bool,
    terms: Terms,
    /// Runs that have been cancelled and not ended yet.
    leaving: JoinSet<()>,
}

impl<F> Driver<F> {
    async fn drive<V, Fut>(mut self, mut values: V, mut stopped: watch::Receiver<()>)
    where
        V: Values,
        F: Fn(V::Value, Cancel) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let mut value = values.current();
        // Its other end is dropped when it is to stop.
        while stopped.has_changed().is_ok() {
            let run = self.run(value);
            let next = tokio::select! {
                biased;
                _gone = stopped.changed() => None,
                next = next_or_never(&mut values) => Some(next),
            };
            self.end(run).await;
            let Some(next) = next else { break };
            value = newest(&mut values, next).await;
        }
        while self.leaving.join_next().await.is_some() {}
    }

    fn run<T, Fut>(&self, value: T) -> Run
    where
        T: Send + 'static,
        F: Fn(T, Cancel) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let job = Arc::clone(&self.job);
        Run::start(|cancel| async move { job(value, cancel).await }, self.terms.clone())
    }

    async fn end(&mut self, run: Run) {
        let ended = run.cancel();
        // Those that have ended since.
        while self.leaving.try_join_next().is_some() {}
        let ended = async {
            // It fails only with the runtime.
            let _ended = ended.await;
        };
        if self.alongside {
            self.leaving.spawn(ended);
        } else {
            ended.await;
        }
    }
}

/// The next value. When there are no more, nothing changes any more.
async fn next_or_never<V: Values>(values: &mut V) -> V::Value {
    match values.next().await {
        Some(value) => value,
        None => pending().await,
    }
}

/// The newest value: what came while the run before was waited for is skipped.
async fn newest<V: Values>(values: &mut V, mut value: V::Value) -> V::Value {
    loop {
        tokio::select! {
            biased;
            Some(newer) = values.next() => value = newer,
            () = ready(()) => return value,
        }
    }
}
