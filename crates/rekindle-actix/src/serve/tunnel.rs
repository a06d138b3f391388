//! [`Tunnel`]: a WebSocket, between the payload of its request and the body of its answer.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::pin;

use actix_http::Payload;
use actix_http::error::PayloadError;
use actix_web::body::{BoxBody, MessageBody};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::response::Parts;
use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

/// How much is read at once, in bytes; at most twice as much waits for the program.
const BUFFER: usize = 16 * 1024;

/// A WebSocket that a request asks for.
pub(super) struct Tunnel {
    opened: OnUpgrade,
    received: mpsc::Sender<Result<Bytes, PayloadError>>,
    /// Whether it was asked for over HTTP/2: <https://www.rfc-editor.org/rfc/rfc8441#section-4>.
    is_extended: bool,
}

impl Tunnel {
    /// The tunnel that a request asks for, and what comes out of it.
    ///
    /// A request over HTTP/2 becomes that of HTTP/1.1 which says the same: programs know no other.
    pub(super) fn asked_for(request: &mut Request<Incoming>) -> Option<(Self, Payload)> {
        let is_extended = is_extended(request);
        if is_extended {
            restate(request);
        }
        let upgrade = request.headers().get(UPGRADE)?;
        if !upgrade.as_bytes().eq_ignore_ascii_case(b"websocket") {
            return None;
        }
        let opened = hyper::upgrade::on(request);
        let (received, mut receiver) = mpsc::channel(1);
        let payload = stream::poll_fn(move |context| receiver.poll_recv(context)).boxed_local();
        Some((Self { opened, received, is_extended }, Payload::from(payload)))
    }

    /// Whether an answer with this status accepts it.
    pub(super) fn is_accepted(&self, status: StatusCode) -> bool {
        status == StatusCode::SWITCHING_PROTOCOLS
    }

    /// Makes of the answer that accepts it what is to be sent.
    pub(super) fn finish(&self, head: &mut Parts) {
        if self.is_extended {
            head.status = StatusCode::OK;
            for name in [CONNECTION, UPGRADE, SEC_WEBSOCKET_ACCEPT] {
                head.headers.remove(name);
            }
        }
    }

    /// Carries what comes either way, until the body has ended or the connection has.
    pub(super) async fn carry(self, body: BoxBody) {
        let Ok(upgraded) = self.opened.await else { return };
        let (reader, writer) = tokio::io::split(TokioIo::new(upgraded));
        let broken = async {
            match receive(reader, self.received).await {
                // Whoever says no more may still listen.
                Ok(()) => pending().await,
                Err(error) => error,
            }
        };
        tokio::select! {
            error = broken => tracing::debug!(%error, "a WebSocket broke off"),
            sent = send(body, writer) => if let Err(error) = sent {
                tracing::debug!(%error, "a WebSocket broke off");
            }
        }
    }
}

fn is_extended(request: &Request<Incoming>) -> bool {
    let protocol = request.extensions().get::<Protocol>();
    request.method() == Method::CONNECT && protocol.is_some_and(|protocol| protocol.as_str() == "websocket")
}

/// The key has no meaning there, and what is made of it is not sent.
fn restate(request: &mut Request<Incoming>) {
    *request.method_mut() = Method::GET;
    let headers = request.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static("AAAAAAAAAAAAAAAAAAAAAA=="));
}

/// Reads to the end, even if nobody wants it: that is how it is known that the connection is there.
async fn receive(
    mut reader: impl AsyncRead + Unpin,
    received: mpsc::Sender<Result<Bytes, PayloadError>>,
) -> io::Result<()> {
    loop {
        let mut bytes = BytesMut::with_capacity(BUFFER);
        if reader.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
        let _unwanted = received.send(Ok(bytes.freeze())).await;
    }
}

async fn send(body: BoxBody, mut writer: impl AsyncWrite + Unpin) -> Result<(), Box<dyn std::error::Error>> {
    let mut body = pin!(body);
    while let Some(chunk) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        writer.write_all(&chunk?).await?;
        writer.flush().await?;
    }
    Ok(writer.shutdown().await?)
}
