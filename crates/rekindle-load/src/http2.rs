//! HTTP/2: one request at a time over a connection that is kept.

use std::error::Error as _;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::client::Answer;
use crate::report::Phase;
use crate::wire::Wire;

/// A connection.
pub(crate) struct Http2 {
    sender: SendRequest<Empty<Bytes>>,
}

impl Http2 {
    pub(crate) async fn new(wire: Wire) -> hyper::Result<Self> {
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(wire)).await?;
        // How it ends is told to whoever asks for something.
        tokio::spawn(async { connection.await.ok() });
        Ok(Self { sender })
    }

    /// Whether a request may be sent: after GOAWAY none may.
    pub(crate) async fn is_open(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    pub(crate) async fn ask(&mut self, path: &str) -> Result<Answer, (Phase, String)> {
        let request = Request::get(format!("http://localhost{path}")).body(Empty::new());
        let request = request.map_err(|fault| (Phase::Protocol, fault.to_string()))?;
        let answered = self.sender.send_request(request).await;
        let (head, body) = answered.map_err(|error| (phase(&error), words(&error)))?.into_parts();
        let body = body.collect().await.map_err(|error| (Phase::Truncated, words(&error)))?.to_bytes();
        if let Some(length) = head.headers.get("content-length").and_then(|value| value.to_str().ok())
            && length != body.len().to_string()
        {
            return Err((Phase::Truncated, format!("{} bytes of {length}", body.len())));
        }
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

/// What the protocol says of a request that was not answered: one that was never sent, or above the last stream of a
/// GOAWAY, or refused, was not processed, and a client asks again (RFC 9113, 6.8 and 8.7).
fn phase(error: &hyper::Error) -> Phase {
    let of_h2 = error.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
    let refused = of_h2.is_some_and(|error| {
        error.reason() == Some(h2::Reason::REFUSED_STREAM)
            || error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR)
    });
    if error.is_canceled() || refused { Phase::NotProcessed } else { Phase::ResetBeforeReply }
}

fn words(error: &hyper::Error) -> String {
    format!("{error}: {:?}", error.source())
}
