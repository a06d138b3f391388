//! WebSockets, on connections of hyper's and any other.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::{HeaderMap, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
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

/// The version of WebSocket that there is, <https://www.rfc-editor.org/rfc/rfc6455#section-4.4>.
const VERSION: &str = "13";

/// A buffer for each client: messages are short, and clients many. In bytes.
const BUFFER: usize = 4 * 1024;

/// How long the other side is given to say goodbye.
const FAREWELL: Duration = Duration::from_secs(2);

/// Accepts a request for a WebSocket and speaks on it for as long as it lasts, on a task of its own.
pub(crate) fn accept(headers: &HeaderMap, upgrade: Option<OnUpgrade>, session: Session) -> Response<Body> {
    let Some(upgrade) = upgrade else { return reply::upgrade_required() };
    let response = Session::handshake(headers);
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        tokio::spawn(async move {
            match upgrade.await {
                Ok(upgraded) => session.speak(TokioIo::new(upgraded)).await,
                Err(error) => tracing::debug!(%error, "a WebSocket did not come about"),
            }
        });
    }
    response
}

impl Session {
    /// The answer to the request of a WebSocket: 101, after which the session can [speak](Self::speak), or 426.
    pub fn handshake(headers: &HeaderMap) -> Response<Body> {
        let Some(key) = headers.get(SEC_WEBSOCKET_KEY) else { return reply::upgrade_required() };
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
            let mut response = reply::upgrade_required();
            response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
            return response;
        }
        switching(&derive_accept_key(key.as_bytes()))
    }

    /// Speaks WebSocket on the bytes of a connection, for as long as it lasts.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped breaks the connection.
    pub async fn speak(self, io: impl AsyncRead + AsyncWrite + Unpin) {
        drive(io, self).await;
    }
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

async fn drive(io: impl AsyncRead + AsyncWrite + Unpin, mut session: Session) {
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

async fn send<S>(socket: &mut WebSocketStream<S>, outgoing: Outgoing) -> Result<(), Option<Close>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
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
async fn farewell<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>, close: Close) {
    let frame = CloseFrame { code: close.code.into(), reason: close.reason.into() };
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        while let Some(Ok(_)) = socket.next().await {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};
    use tokio::io::DuplexStream;
    use tokio::time::Instant;

    use super::*;
    use crate::guard::Token;
    use crate::hub::Hub;
    use crate::protocol::OWN;
    use crate::session::Admission;
    use crate::{Change, Update};

    /// A session on a connection that holds this many bytes, and the browser's end of it.
    async fn connected(
        hub: &Arc<Hub>,
        bytes: usize,
    ) -> (impl Future<Output = ()>, WebSocketStream<DuplexStream>) {
        let (near, far) = tokio::io::duplex(bytes);
        let (seat, token) = (hub.clients().seat("test", None).unwrap(), Token::new().unwrap());
        let session =
            Session::new(Arc::clone(hub), seat, Admission { token, has_token: true, livereload: false });
        (drive(near, session), WebSocketStream::from_raw_socket(far, Role::Client, None).await)
    }

    async fn say(browser: &mut WebSocketStream<DuplexStream>, message: Value) {
        browser.send(Message::text(message.to_string())).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_browser_that_takes_nothing_is_dropped_after_fifteen_seconds() {
        let hub = Arc::new(Hub::new(1));
        let (driven, mut browser) = connected(&hub, 1024).await;
        say(&mut browser, json!({"command": "hello", "protocols": [OWN]})).await;
        say(&mut browser, json!({"command": "page", "id": 1})).await;
        let (old, new) = ("x".repeat(10_000), String::new());
        let update = Update::Style { old, new };
        let start = Instant::now();
        tokio::join!(driven, async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            hub.change("test", [Change { resource: "a".into(), content: Some(1), update }]);
        });
        assert_eq!(start.elapsed(), Duration::from_secs(1) + Session::PATIENCE);
        assert_eq!(hub.clients().count(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_browser_that_is_there_is_kept_and_one_that_is_not_is_let_go() {
        let hub = Arc::new(Hub::new(1));
        let (driven, mut browser) = connected(&hub, 64 * 1024).await;
        say(&mut browser, json!({"command": "hello", "protocols": [OWN]})).await;
        let (start, mut driven) = (Instant::now(), std::pin::pin!(driven));
        // Pings are answered by reading: a minute of that, and then none.
        let reading = async { while let Some(Ok(_)) = browser.next().await {} };
        tokio::select! {
            () = &mut driven => panic!("it was let go"),
            _ = timeout(Duration::from_secs(63), reading) => {}
        }
        driven.await;
        assert_eq!(start.elapsed(), Duration::from_secs(90) + FAREWELL);
    }
}
