//! [`Worker`]: a thread with an application of its own.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use actix_web::rt::{self, System};
use http::Request;
use hyper::body::Incoming;
use rekindle::{Error, ErrorKind, Result};
use rekindle_web::Body;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

use super::answer::answer;
use super::application::Application;

/// A thread with an application of its own. It ends once this is dropped and all is answered.
pub(super) struct Worker {
    jobs: mpsc::UnboundedSender<Job>,
    load: Arc<Load>,
}

/// A request, and where its answer goes.
pub(super) struct Job {
    pub(super) request: Request<Incoming>,
    pub(super) reply: oneshot::Sender<http::Response<Body>>,
    pub(super) place: Place,
}

#[derive(Default)]
struct Load {
    /// Requests that the thread has not seen yet.
    waiting: AtomicUsize,
    /// Those, and all others whose answer has not ended.
    under_way: AtomicUsize,
}

/// A request's place in the load of a worker, until its answer has ended.
pub(super) struct Place(Arc<Load>);

impl Place {
    fn take(load: &Arc<Load>) -> Self {
        load.waiting.fetch_add(1, Ordering::Relaxed);
        load.under_way.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(load))
    }

    /// The thread has seen it.
    fn begin(&self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Worker {
    /// Starts a thread, and waits until its application is made there.
    pub(super) async fn start<M>(index: usize, make: impl FnOnce() -> M + Send + 'static) -> Result<Self>
    where
        M: Future<Output = Result<Application>>,
    {
        let (jobs, queue) = mpsc::unbounded_channel();
        let (made, ready) = oneshot::channel();
        let thread = thread::Builder::new().name(format!("actix-{index}"));
        thread.spawn(move || run(make, queue, made)).map_err(no_thread)?;
        ready.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Stopped, "its thread ended")))?;
        Ok(Self { jobs, load: Arc::default() })
    }

    /// How busy it is: first what waits, then what is under way.
    pub(super) fn load(&self) -> (usize, usize) {
        (self.load.waiting.load(Ordering::Relaxed), self.load.under_way.load(Ordering::Relaxed))
    }

    /// Takes a request. There is no answer when its handler panics.
    pub(super) fn take(&self, request: Request<Incoming>) -> oneshot::Receiver<http::Response<Body>> {
        let (reply, answer) = oneshot::channel();
        // Where it fails, the channel of the reply is closed.
        let _sent = self.jobs.send(Job { request, reply, place: Place::take(&self.load) });
        answer
    }
}

fn no_thread(cause: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("a thread for the application cannot be had: {cause}")).because(cause)
}

fn run<M>(make: impl FnOnce() -> M, queue: mpsc::UnboundedReceiver<Job>, made: oneshot::Sender<Result<()>>)
where
    M: Future<Output = Result<Application>>,
{
    match runtime() {
        Ok(runtime) => System::with_tokio_rt(|| runtime).block_on(live(make, queue, made)),
        // Nobody may wait for it any more.
        Err(error) => _ = made.send(Err(no_thread(error))),
    }
}

async fn live<M>(
    make: impl FnOnce() -> M,
    queue: mpsc::UnboundedReceiver<Job>,
    mut made: oneshot::Sender<Result<()>>,
) where
    M: Future<Output = Result<Application>>,
{
    let application = tokio::select! {
        application = make() => application,
        () = made.closed() => return,
    };
    match application {
        Ok(application) => {
            // Where nobody waits for it any more, nobody asks either.
            let _heard = made.send(Ok(()));
            serve(application, queue).await;
        }
        Err(error) => _ = made.send(Err(error)),
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Until nobody asks any more, and all is answered.
async fn serve(application: Application, mut queue: mpsc::UnboundedReceiver<Job>) {
    let (under_way, mut all_ended) = mpsc::channel::<Infallible>(1);
    while let Some(job) = queue.recv().await {
        job.place.begin();
        let (application, under_way) = (application.clone(), under_way.clone());
        rt::spawn(async move {
            answer(&application, job).await;
            drop(under_way);
        });
    }
    drop(under_way);
    all_ended.recv().await;
}
