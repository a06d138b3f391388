//! `--proxy`: a request in, the other server's answer out, as it comes.
//!
//! [`headers`] says what is passed on of a head, [`upstream`] where to; [`tunnel`] carries what is no HTTP any
//! more, and [`patience`] waits for a server that is away. Bodies are never gathered. [`seen`] knows what has gone
//! by, and [`effect`] what a save therefore means for the pages.

pub(super) mod effect;
mod headers;
mod patience;
mod seen;
mod tunnel;
mod upstream;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rekindle_web::{Body, Update};

use super::answer;
use super::notice;
use patience::Patience;
use seen::Seen;
pub(crate) use upstream::Upstream;

/// Passes requests on to another server.
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    upstream: Arc<Upstream>,
    client: Client<HttpConnector, Incoming>,
    patience: Patience,
    seen: Arc<Mutex<Seen>>,
}

impl Proxy {
    /// To this server. A connection is made for each request: one that is kept would be dead after a restart of
    /// the other server, and would keep one that serves a single connection at a time from serving others.
    pub(super) fn new(upstream: Upstream) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        let (patience, seen) = (Patience::default(), Arc::default());
        Self { upstream: Arc::new(upstream), client, patience, seen }
    }

    /// What a save means for the pages. The other server is waited for, should that restart it.
    pub(super) fn effect(&self, file: &str, is_gone: bool) -> Vec<Update> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let effect = effect::of(file, is_gone, &seen);
        if effect.restarts {
            self.patience.expect_restart(&self.upstream);
        }
        effect.updates
    }

    /// As [`effect`](Self::effect), and nothing is waited for.
    pub(super) fn updates(&self, file: &str) -> Vec<Update> {
        effect::of(file, false, &self.seen.lock().unwrap_or_else(PoisonError::into_inner)).updates
    }

    /// Resolves when the other server was away and is back.
    ///
    /// # Cancel safety
    ///
    /// Cancelling it loses nothing: the next call resolves at once.
    pub(super) async fn is_back(&self) {
        self.patience.is_back().await;
    }

    /// The other server's answer, or a page that says why there is none.
    pub(super) async fn answer(&self, mut request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
        if request.method() == Method::CONNECT {
            return answer::text(StatusCode::METHOD_NOT_ALLOWED, "This is no forward proxy.\n");
        }
        let is_for_people = answer::is_for_people(request.headers());
        let host = request.headers().get(header::HOST).cloned();
        let path = request.uri().path().to_owned();
        let browser = hyper::upgrade::on(&mut request);
        let asks_upgrade = headers::request(request.headers_mut(), &self.upstream, peer);
        *request.uri_mut() = self.upstream.uri(request.uri());
        *request.version_mut() = http::Version::HTTP_11;
        match self.client.request(request).await {
            Ok(response) => {
                self.note(&path, &response);
                self.pass_back(response, host.as_ref(), asks_upgrade.then_some(browser))
            }
            Err(error) => self.away(&error, is_for_people),
        }
    }

    fn note(&self, path: &str, response: &Response<Incoming>) {
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if let Some(kind) = kind.filter(|_| response.status().is_success()) {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).note(path, kind);
        }
    }

    fn pass_back(
        &self,
        mut response: Response<Incoming>,
        host: Option<&HeaderValue>,
        browser: Option<hyper::upgrade::OnUpgrade>,
    ) -> Response<Body> {
        let status = response.status();
        if status == StatusCode::SWITCHING_PROTOCOLS {
            // One that nobody asked for cannot be passed on.
            let Some(browser) = browser else {
                return answer::text(
                    StatusCode::BAD_GATEWAY,
                    "The server behind --proxy switches protocols unasked.\n",
                );
            };
            tokio::spawn(tunnel::carry(browser, hyper::upgrade::on(&mut response)));
        }
        headers::response(response.headers_mut(), status, &self.upstream, host);
        response.map(Body::new)
    }

    fn away(&self, error: &hyper_util::client::legacy::Error, is_for_people: bool) -> Response<Body> {
        if error.is_connect() {
            self.patience.wait_for(&self.upstream);
        }
        let why = deepest(error);
        if is_for_people {
            return answer::page(
                StatusCode::BAD_GATEWAY,
                notice::upstream_is_down(&self.upstream.to_string(), &why),
            );
        }
        answer::text(StatusCode::BAD_GATEWAY, &format!("{} does not answer: {why}\n", self.upstream))
    }
}

/// Whether an upstream is this very program: it would ask itself until there are no more sockets.
pub(super) fn is_itself(upstream: &Upstream, bound: std::net::SocketAddr) -> bool {
    let authority = upstream.authority();
    let is_here = headers::is_loopback(authority) || authority.host().parse() == Ok(bound.ip());
    is_here && authority.port_u16().unwrap_or(80) == bound.port()
}

/// The cause that all others come from: `Connection refused (os error 111)`.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    deepest.to_string()
}
