//! A new generation is asked before it serves: through each new socket, with a real handshake, after its health.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{HOST, USER_AGENT};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rekindle::{Error, ErrorKind, Result};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, duplex};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::connection::{Connection, Origin};
use super::listener::{Listener, Phase, Terms};
use super::password::Password;
use super::policy::Policy;
use super::secured::Secured;
use super::shared::Shared;
use super::socket::Socket;
use super::tls;

/// What is between the two ends of a question in memory, in bytes.
const BUFFER: usize = 64 * 1024;

/// Asks a generation whether it can serve.
///
/// # Errors
///
/// What the answer was, or why there is none, about the part of the server's configuration that is at fault.
pub(super) async fn generation(
    shared: &Arc<Shared>,
    policy: &Arc<Policy>,
    listeners: &[(Arc<Listener>, Arc<Terms>)],
) -> Result<()> {
    let health = policy.health.as_deref();
    let mut asked = false;
    for (listener, terms) in listeners {
        let is_new = listener.phase() == Phase::Trial;
        let probed = match (is_new, speaks_anew(listener, terms)) {
            (true, _) => through_socket(shared, listener, terms, health).await,
            (false, true) => through_memory(shared, policy, listener, terms, health).await,
            (false, false) => continue,
        };
        probed.map_err(|error| within(&terms.name, error))?;
        asked = true;
    }
    match listeners.first().filter(|_| !asked && health.is_some()) {
        Some((listener, terms)) => {
            // What is spoken there is in use already.
            let in_the_clear = Terms { name: Arc::clone(&terms.name), tls: None, mode: None };
            through_memory(shared, policy, listener, &in_the_clear, health).await
        }
        None => Ok(()),
    }
}

/// An error of the health is about the health; any other about the listener.
fn within(name: &str, error: Error) -> Error {
    if error.pointer().is_some() { error } else { error.about(format!("/listen/{name}")) }
}

/// Whether a listener that is held is to speak TLS as it does not do yet.
fn speaks_anew(listener: &Listener, terms: &Terms) -> bool {
    let in_use = listener.terms.load();
    match (&terms.tls, &in_use.terms.tls) {
        (Some(new), Some(old)) => !Arc::ptr_eq(new, old),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

async fn through_socket(
    shared: &Shared,
    listener: &Listener,
    terms: &Terms,
    health: Option<&str>,
) -> Result<()> {
    let stream = Socket::connect(&listener.bound).await.map_err(|cause| {
        let message = format!("it was bound, and cannot be connected to at {}: {cause}", listener.bound);
        Error::new(ErrorKind::Io, message).because(cause)
    })?;
    ask(stream, terms.tls.as_deref(), health, &shared.password).await
}

/// Through the server's own code, to a generation that nobody else is to reach yet.
async fn through_memory(
    shared: &Arc<Shared>,
    policy: &Arc<Policy>,
    listener: &Arc<Listener>,
    terms: &Terms,
    health: Option<&str>,
) -> Result<()> {
    let origin = Origin { listener: Arc::clone(&terms.name), peer: None, tls: terms.tls.is_some() };
    let mut connection = Connection::new(Arc::clone(listener), Arc::clone(shared), origin);
    connection.trial = Some(Arc::clone(policy));
    let (ours, theirs): (_, DuplexStream) = duplex(BUFFER);
    let acceptor = terms.tls.as_ref().map(|tls| tls.acceptor.clone());
    listener.connections.spawn(connection.serve(theirs, acceptor, None));
    ask(ours, terms.tls.as_deref(), health, &shared.password).await
}

async fn ask<IO>(
    stream: IO,
    secured: Option<&Secured>,
    health: Option<&str>,
    password: &Password,
) -> Result<()>
where
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let question = health.map(|path| Question { path, password });
    let Some(secured) = secured else { return ask_http(stream, false, question).await };
    let stream = shake_hands(stream, secured).await?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    ask_http(stream, http2, question).await
}

async fn shake_hands<IO>(stream: IO, secured: &Secured) -> Result<TlsStream<IO>>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let config = tls::expecting(secured.credentials.certificate(), &secured.alpn)?;
    let name = "localhost".try_into().expect("it is a name");
    TlsConnector::from(config).connect(name, stream).await.map_err(|cause| {
        Error::new(ErrorKind::Check, format!("it cannot be spoken TLS with: {cause}")).because(cause)
    })
}

async fn ask_http<IO>(stream: IO, http2: bool, question: Option<Question<'_>>) -> Result<()>
where
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Some(question) = question else { return Ok(()) };
    let path = question.path;
    let answered =
        if http2 { over_http2(stream, question).await } else { over_http1(stream, question).await };
    let status = answered.map_err(|cause| {
        let message = format!("{path} was asked, and there was no answer: {cause}");
        Error::new(ErrorKind::Check, message).because(cause).about("/health")
    })?;
    if status.is_success() || status.is_redirection() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Check, format!("it is not well: {path} answered {status}")).about("/health"))
}

/// What is asked.
struct Question<'a> {
    path: &'a str,
    password: &'a Password,
}

impl Question<'_> {
    fn request(&self, address: &str) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        // It was checked when the configuration was.
        *request.uri_mut() = format!("{address}{}", self.path).parse().unwrap_or_default();
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("rekindle"));
        self.password.put_into(request.headers_mut());
        request
    }
}

async fn over_http1<IO>(stream: IO, question: Question<'_>) -> hyper::Result<StatusCode>
where
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut request = question.request("");
    request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
    let answered = async { sender.send_request(request).await.map(|answer| answer.status()) };
    tokio::select! {
        answered = answered => answered,
        Err(error) = connection => Err(error),
    }
}

async fn over_http2<IO>(stream: IO, question: Question<'_>) -> hyper::Result<StatusCode>
where
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    let request = question.request("https://localhost");
    let answered = async { sender.send_request(request).await.map(|answer| answer.status()) };
    tokio::select! {
        answered = answered => answered,
        Err(error) = connection => Err(error),
    }
}
