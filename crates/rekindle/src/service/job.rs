//! One run of a worker's job, from its start to its end.

use std::future::Future;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use super::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result, panic_text};
use crate::observe;

/// How long a job that is dropped may take to let go of its thread. What blocks it for longer is left behind.
const GRACE: Duration = Duration::from_millis(50);

/// A run of a worker's job has ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JobEnd {
    /// The worker.
    pub worker: String,
    /// How long it ran.
    pub ran: Duration,
    /// How it ended.
    pub how: Ended,
}

/// How a run of a job ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Ended {
    /// By itself, with all done. It is run again at the next change.
    Finished,
    /// With an error or a panic. It is run again at the next change.
    Failed(Error),
    /// As it was told to.
    Cancelled,
    /// It was told to, did not in time, and was dropped.
    Cut,
}

/// A run of a job.
pub(super) struct Run {
    cancel: watch::Sender<bool>,
    /// Its end, after it has been told.
    ended: JoinHandle<()>,
}

/// What is told of the runs of a worker, and how long one may take to end.
#[derive(Clone)]
pub(super) struct Terms {
    pub(super) worker: String,
    pub(super) stop_within: Duration,
    pub(super) ends: broadcast::Sender<JobEnd>,
}

impl Run {
    pub(super) fn start<Fut>(job: impl FnOnce(Cancel) -> Fut, terms: Terms) -> Self
    where
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let cancel = watch::Sender::new(false);
        let call = tokio::spawn(job(Cancel(cancel.subscribe())).in_current_span());
        let ended = tokio::spawn(see_to_its_end(call, Cancel(cancel.subscribe()), terms));
        Self { cancel, ended }
    }

    /// Tells it to end, and gives that end.
    pub(super) fn cancel(self) -> JoinHandle<()> {
        self.cancel.send_replace(true);
        self.ended
    }
}

async fn see_to_its_end(mut call: JoinHandle<Result<()>>, cancel: Cancel, terms: Terms) {
    let begun = Instant::now();
    let ended = tokio::select! {
        biased;
        ended = &mut call => Some(ended),
        () = cancel.cancelled() => told_to_end(call, terms.stop_within).await,
    };
    let how = match ended {
        Some(Ok(Ok(()))) if cancel.is_cancelled() => Ended::Cancelled,
        Some(Ok(Ok(()))) => Ended::Finished,
        Some(Ok(Err(error))) => Ended::Failed(error),
        Some(Err(end)) => broke_off(end),
        None => Ended::Cut,
    };
    let end = JobEnd { worker: terms.worker, ran: begun.elapsed(), how };
    observe::job_ended(&end);
    // Fails when nobody listens, which is their choice.
    let _nobody_listens = terms.ends.send(end);
}

/// The end of a job that was told to end; `None` when it did not, and was dropped.
async fn told_to_end(
    mut call: JoinHandle<Result<()>>,
    limit: Duration,
) -> Option<Result<Result<()>, JoinError>> {
    if let Ok(ended) = timeout(limit, &mut call).await {
        return Some(ended);
    }
    call.abort();
    let _let_go = timeout(GRACE, call).await;
    None
}

fn broke_off(end: JoinError) -> Ended {
    if end.is_panic() {
        let said = panic_text(&*end.into_panic());
        return Ended::Failed(Error::new(ErrorKind::Panic, format!("it panicked: {said}")));
    }
    Ended::Failed(Error::new(ErrorKind::Stopped, "the runtime has been shut down"))
}
