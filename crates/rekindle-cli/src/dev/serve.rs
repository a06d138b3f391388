//! The server: connections in, each request to a service and its answer back, until told to end.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rekindle_web::{Body, BoxError};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tower_service::Service;

/// How long answers that are on their way may take after the end. Streams have none of their own.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// How long nobody is accepted when the system has no descriptor left.
const BREATH: Duration = Duration::from_millis(50);

/// Who asked: an extension of each request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

impl Peer {
    /// Of a request.
    pub(super) fn of<B>(request: &Request<B>) -> IpAddr {
        request.extensions().get().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Self(ip)| *ip)
    }
}

/// Serves until `end` resolves.
pub(super) async fn serve<S>(listener: TcpListener, service: S, end: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
{
    let (is_over, over) = watch::channel(false);
    tokio::select! {
        () = accept(&listener, &service, over) => {}
        () = end => {}
    }
    drop(listener);
    is_over.send_replace(true);
    // What takes longer is broken off with the runtime.
    let _in_time = timeout(LAST_WORDS, is_over.closed()).await;
}

async fn accept<S>(listener: &TcpListener, service: &S, over: watch::Receiver<bool>)
where
    S: Service<Request<Incoming>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
{
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                connect(stream, Told { service: service.clone(), peer: Peer(peer.ip()) }, over.clone());
            }
            // One that broke off already, or no descriptors: the next may do better.
            Err(_) => sleep(BREATH).await,
        }
    }
}

fn connect<S>(stream: TcpStream, service: Told<S>, mut over: watch::Receiver<bool>)
where
    S: Service<Request<Incoming>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
{
    // A few bytes of an event are not to wait for more; where it cannot be set they do.
    let _waits = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::spawn(async move {
        let mut connection = std::pin::pin!(connection);
        // What breaks a connection concerns the two ends of it.
        tokio::select! {
            _broken = connection.as_mut() => return,
            _ = over.wait_for(|is_over| *is_over) => connection.as_mut().graceful_shutdown(),
        }
        let _broken = connection.await;
    });
}

/// A service whose requests say who asked.
#[derive(Debug, Clone)]
struct Told<S> {
    service: S,
    peer: Peer,
}

impl<S: Service<Request<Incoming>>> Service<Request<Incoming>> for Told<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Incoming>) -> S::Future {
        request.extensions_mut().insert(self.peer);
        self.service.call(request)
    }
}
