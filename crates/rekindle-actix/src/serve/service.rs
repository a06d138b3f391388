//! [`ActixService`]: which worker answers a request.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http::{Request, Response};
use hyper::body::Incoming;
use rekindle_web::{Body, BoxError};
use tokio::sync::oneshot;
use tower_service::Service;

use super::worker::Worker;

/// An application of actix-web, as a tower service.
///
/// Clones share its threads. They end when the last clone is dropped, and with it the last answer, stream and WebSocket.
#[derive(Clone)]
pub struct ActixService(Arc<Pool>);

struct Pool {
    /// There is at least one.
    workers: Vec<Worker>,
    /// Whose turn it is among those that are equally busy.
    turn: AtomicUsize,
}

impl ActixService {
    pub(super) fn new(workers: Vec<Worker>) -> Self {
        Self(Arc::new(Pool { workers, turn: AtomicUsize::new(0) }))
    }

    /// A worker whose handler blocks has something waiting as soon as anything is sent to it, and is sent nothing else
    /// while others have not.
    fn least_busy(&self) -> &Worker {
        let Pool { workers, turn } = &*self.0;
        let turn = turn.fetch_add(1, Ordering::Relaxed) % workers.len();
        let (before, after) = workers.split_at(turn);
        let least = after.iter().chain(before).min_by_key(|worker| worker.load());
        least.unwrap_or(&workers[0])
    }
}

impl fmt::Debug for ActixService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActixService").field("workers", &self.0.workers.len()).finish_non_exhaustive()
    }
}

impl Service<Request<Incoming>> for ActixService {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Answering {
        Answering(self.least_busy().take(request))
    }
}

/// The answer of an [`ActixService`], once it is there. The request is given up when this is dropped.
#[derive(Debug)]
pub struct Answering(oneshot::Receiver<Response<Body>>);

impl Future for Answering {
    type Output = Result<Response<Body>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(|_| "the handler panicked".into())
    }
}
