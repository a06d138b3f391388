//! [`Connection`]: from the first byte to the last, over TLS or in the clear, HTTP/1.1 or HTTP/2.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::dispatch;
use super::farewell::{FarewellIo, Signals, Switched};
use super::listener::Listener;
use super::policy::Policy;
use super::shared::Shared;
use super::slots::Slot;
use super::socket::Peer;
use super::traffic::Traffic;

/// How often an idle connection of HTTP/2 is asked whether anybody is there, and how long an answer may take.
const PING_EVERY: Duration = Duration::from_secs(20);

/// How long the head of a request may take to become whole after the connection's time is over.
const LINGER: Duration = Duration::from_secs(1);

/// hyper's smallest.
const SMALLEST_BUFFER: usize = 8192;

/// Which way a request has come: an extension of every request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Origin {
    /// What the configuration called the listener when the connection was accepted.
    pub listener: Arc<str>,
    /// Who is at the other end; `None` for the server's own question after its health.
    pub peer: Option<Peer>,
    /// Whether it has come over TLS.
    pub tls: bool,
}

/// One that was accepted.
pub(super) struct Connection {
    pub(super) listener: Arc<Listener>,
    pub(super) shared: Arc<Shared>,
    pub(super) origin: Origin,
    /// The generation that asks itself; otherwise that of the moment answers.
    pub(super) trial: Option<Arc<Policy>>,
    pub(super) signals: Signals,
    pub(super) switched: Arc<Switched>,
    pub(super) traffic: Arc<Traffic>,
}

impl Connection {
    pub(super) fn new(listener: Arc<Listener>, shared: Arc<Shared>, origin: Origin) -> Self {
        let signals = listener.signals();
        let (switched, traffic) = Default::default();
        Self { listener, shared, origin, trial: None, signals, switched, traffic }
    }

    /// Whether its client is to go elsewhere with its next request.
    pub(super) fn sends_away(&self) -> bool {
        self.signals.farewell.is_cancelled() || self.listener.sends_away()
    }

    /// By what a request is answered that begins now.
    pub(super) async fn policy(&self, is_own_question: bool) -> Option<Arc<Policy>> {
        let trial = || self.trial.clone().or_else(|| self.listener.trial.load_full());
        if let Some(trial) = trial().filter(|_| is_own_question) {
            return Some(trial);
        }
        self.listener.until_decided().await;
        self.shared.policy()
    }

    /// By what the connection itself is treated.
    fn manners(&self) -> Option<Arc<Policy>> {
        self.trial.clone().or_else(|| self.listener.trial.load_full()).or_else(|| self.shared.policy())
    }

    /// Serves what comes over a stream.
    pub(super) async fn serve<IO>(self, stream: IO, tls: Option<TlsAcceptor>, slot: Option<Slot>)
    where
        IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Some(manners) = self.manners().as_deref().map(Manners::of) else { return };
        let Some(tls) = tls else { return self.speak(stream, manners, slot).await };
        let shaken = tokio::select! {
            shaken = timeout(manners.handshake, tls.accept(stream)) => shaken,
            () = self.signals.cut.cancelled() => return,
        };
        match shaken {
            Ok(Ok(stream)) => self.speak(stream, manners, slot).await,
            Ok(Err(error)) => tracing::debug!(origin = ?self.origin, %error, "no handshake of TLS"),
            Err(_) => tracing::debug!(origin = ?self.origin, "the handshake of TLS took too long"),
        }
    }

    async fn speak<IO>(self, stream: IO, manners: Manners, slot: Option<Slot>)
    where
        IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let open = Open { _slot: slot, _token: self.listener.connections.token() };
        let io = FarewellIo::new(stream, self.signals.clone(), Arc::clone(&self.switched), open);
        let me = Arc::new(self);
        let service = service_fn({
            let me = Arc::clone(&me);
            move |request| dispatch::answer(Arc::clone(&me), request)
        });
        let mut serving = pin!(manners.http.serve_connection_with_upgrades(TokioIo::new(io), service));
        let ended = tokio::select! {
            ended = serving.as_mut() => Some(ended),
            () = me.signals.cut.cancelled() => return,
            () = me.until_its_end(manners.idle) => None,
        };
        if ended.is_none() {
            // HTTP/1.1: after the answer that is under way; HTTP/2: GOAWAY, and all that is under way.
            serving.as_mut().graceful_shutdown();
        }
        let ended = match ended {
            Some(ended) => ended,
            None => tokio::select! {
                ended = serving => ended,
                () = me.signals.cut.cancelled() => return,
                // It has begun to send a request, and does not go on.
                () = me.traffic.until_stalled_for(LINGER) => return,
            },
        };
        if let Err(error) = ended {
            tracing::debug!(origin = ?me.origin, %error, "a connection broke off");
        }
    }

    /// Waits until it is to take no further requests.
    async fn until_its_end(&self, idle: Duration) {
        tokio::select! {
            () = self.traffic.until_idle_for(idle) => {}
            () = self.until_closing(idle) => {}
            () = self.until_sent_away() => {}
        }
    }

    /// The listener closes. Whoever has connected by then is answered once: it may have written already.
    async fn until_closing(&self, idle: Duration) {
        self.listener.closing().cancelled().await;
        // Late, it goes all the same.
        let _in_time = timeout(idle, self.traffic.until_first()).await;
    }

    /// It is told farewell, and the protocol has a word for that which no request gets lost by. HTTP/1.1 has not:
    /// there the next answer says so.
    async fn until_sent_away(&self) {
        self.signals.farewell.cancelled().await;
        self.traffic.until_http2().await;
    }
}

/// What is counted while the bytes of a connection are in anybody's hands.
pub(crate) struct Open {
    _slot: Option<Slot>,
    _token: TaskTrackerToken,
}

#[cfg(test)]
impl From<TaskTrackerToken> for Open {
    fn from(token: TaskTrackerToken) -> Self {
        Self { _slot: None, _token: token }
    }
}

/// What a connection keeps of the generation of its first moment: not the app, which it may outlast by far.
struct Manners {
    http: auto::Builder<TokioExecutor>,
    handshake: Duration,
    idle: Duration,
}

impl Manners {
    fn of(policy: &Policy) -> Self {
        let Policy { timeouts, .. } = policy;
        Self { http: http(policy), handshake: timeouts.handshake, idle: timeouts.idle }
    }
}

fn http(policy: &Policy) -> auto::Builder<TokioExecutor> {
    let headers = policy.limits.headers;
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The wait for a request as a whole has a limit of its own: `idle`.
        .header_read_timeout(None)
        .max_buf_size(usize::try_from(headers).unwrap_or(usize::MAX).max(SMALLEST_BUFFER));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(policy.limits.streams)
        .max_header_list_size(headers)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_EVERY)
        .enable_connect_protocol();
    builder
}
