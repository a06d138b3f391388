//! A further port for clients of LiveReload that know no other.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use rekindle::{Error, ErrorKind, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Shared;
use crate::Body;
use crate::endpoint::{self, LiveAnswer, Route, socket};

/// How many connections are served at a time that are no sockets yet.
const MOST: usize = 64;

/// How long a request may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait when the system cannot accept: it is out of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) fn listen(port: u16) -> Result<TcpListener> {
    let bind = || {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    };
    bind().map_err(|cause: std::io::Error| {
        let message = format!("cannot listen at 127.0.0.1:{port} for LiveReload: {cause}");
        Error::new(
            ErrorKind::Io,
            format!("{message} (another tool may be there: leave `livereload_port` out)"),
        )
    })
}

/// Serves for as long as it is polled.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let (mut connections, room) = (JoinSet::new(), Arc::new(Semaphore::new(MOST)));
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    connection(stream, shared).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(&shared, request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    let served = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection broke");
    }
}

/// Answers what is LiveReload's and nothing else.
async fn answer(shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    let (mut parts, _) = request.into_parts();
    let is_livereload =
        |route: &Route| matches!(route, Route::LiveReloadScript | Route::Socket { livereload: true });
    let Some(route) = Route::of(&parts).filter(is_livereload) else {
        return endpoint::refusal(StatusCode::NOT_FOUND, "Here are /livereload.js and /livereload only.");
    };
    let admitted = match endpoint::admit(shared, route, &parts) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    match endpoint::answer(shared, admitted, &parts, Bytes::new()).await {
        LiveAnswer::Response(response) => response,
        LiveAnswer::Socket(session) => socket::accept(&parts.headers, upgrade, session),
    }
}
