//! WebSockets on connections of hyper's.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::{HeaderMap, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::reply;
use crate::Body;
use crate::protocol::LARGEST;
use crate::session::{Close, Outgoing, Session};

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The version of WebSocket that there is, <https://www.rfc-editor.org/rfc/rfc6455#section-4.4>.
const VERSION: &str = "13";

/// A buffer for each client: messages are short, and clients many. In bytes.
const BUFFER: usize = 4 * 1024;

/// How long the other side is given to say goodbye.
const FAREWELL: Duration = Duration::from_secs(2);

/// Accepts a request for a WebSocket and speaks on it for as long as it lasts, on a task of its own.
pub(crate) fn accept(headers: &HeaderMap, upgrade: Option<OnUpgrade>, session: Session) -> Response<Body> {
    let (Some(key), Some(upgrade)) = (headers.get(SEC_WEBSOCKET_KEY), upgrade) else {
        return reply::upgrade_required();
    };
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
        let mut response = reply::upgrade_required();
        response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
        return response;
    }
    tokio::spawn(async move {
        match upgrade.await {
            Ok(upgraded) => drive(upgraded, session).await,
            Err(error) => tracing::debug!(%error, "a WebSocket did not come about"),
        }
    });
    switching(&derive_accept_key(key.as_bytes()))
}

fn switching(accept: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let mut set = |name: HeaderName, value: HeaderValue| response.headers_mut().insert(name, value);
    set(UPGRADE, HeaderValue::from_static("websocket"));
    set(CONNECTION, HeaderValue::from_static("Upgrade"));
    set(SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(accept).expect("base64 is a header's value"));
    response
}

fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST))
}

async fn drive(upgraded: Upgraded, mut session: Session) {
    let io = TokioIo::new(upgraded);
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(limits())).await;
    let close = loop {
        let step = tokio::select! {
            incoming = socket.next() => take(&mut session, incoming),
            outgoing = session.next() => send(&mut socket, outgoing).await,
        };
        if let Err(end) = step {
            break end;
        }
    };
    // The place is free while the other side says goodbye.
    drop(session);
    if let Some(close) = close {
        tracing::debug!(%close, "a client is sent away");
        let _gone_either_way = timeout(FAREWELL, farewell(&mut socket, close)).await;
    }
}

/// What came in. An error is the end: with a word of why, if there is somebody to tell.
fn take(session: &mut Session, incoming: Option<Result<Message, Error>>) -> Result<(), Option<Close>> {
    match incoming {
        Some(Ok(Message::Text(text))) => session.receive(&text).map_err(Some),
        Some(Ok(Message::Binary(_))) => Err(Some(Close::NO_TEXT)),
        Some(Ok(Message::Close(_))) | None => Err(None),
        Some(Ok(_)) => {
            session.heard();
            Ok(())
        }
        Some(Err(Error::Capacity(CapacityError::MessageTooLong { .. }))) => Err(Some(Close::TOO_LARGE)),
        Some(Err(error)) => {
            tracing::debug!(%error, "the connection of a client broke");
            Err(None)
        }
    }
}

async fn send(socket: &mut Socket, outgoing: Outgoing) -> Result<(), Option<Close>> {
    let message = match outgoing {
        Outgoing::Text(text) => Message::Text(text.into()),
        Outgoing::Ping => Message::Ping(bytes::Bytes::new()),
        Outgoing::Close(close) => return Err(Some(close)),
    };
    match timeout(Session::PATIENCE, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(None),
    }
}

/// Says why, and reads what is still on its way: a connection that is dropped with something unread is reset,
/// and the reason may not arrive.
async fn farewell(socket: &mut Socket, close: Close) {
    let frame = CloseFrame { code: close.code.into(), reason: close.reason.into() };
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        while let Some(Ok(_)) = socket.next().await {}
    }
}
