//! WebSockets over a hyper connection that was upgraded.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};

use crate::Body;
use crate::protocol::LARGEST;
use crate::session::{Close, Session};

/// How long a client may take to say hello, to read what it is told, and to answer a ping.
const PATIENCE: Duration = Duration::from_secs(15);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The answer to a request that is to become a socket; the session is driven once it has.
pub(crate) fn upgrade<B>(
    mut request: Request<B>,
    session: Session,
    open: impl Send + 'static,
) -> Response<Body> {
    let key = request.headers().get("sec-websocket-key").map(|key| derive_accept_key(key.as_bytes()));
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let _open = open;
        match upgraded.await {
            Ok(connection) => drive(connection, session).await,
            Err(error) => tracing::debug!(%error, "a socket of a browser was not opened"),
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Some(key) = key.and_then(|key| HeaderValue::from_str(&key).ok()) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, key);
    }
    response
}

async fn drive(connection: Upgraded, session: Session) {
    let config = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
    let mut socket =
        WebSocketStream::from_raw_socket(TokioIo::new(connection), Role::Server, Some(config)).await;
    let close = talk(&mut socket, session).await.err();
    let frame = close.map(|close| CloseFrame { code: close.code.into(), reason: close.reason.into() });
    // Whoever does not take the farewell does without it.
    let _ = timeout(PATIENCE, socket.close(frame)).await;
}

/// Until the browser goes, or has to.
async fn talk(socket: &mut Socket, mut session: Session) -> Result<(), Close> {
    const SLOW: Close = Close { code: 1008, reason: "nothing was heard in time" };
    let mut heard = Instant::now();
    let mut is_pinged = false;
    loop {
        tokio::select! {
            incoming = socket.next() => {
                let Some(Ok(message)) = incoming else { return Ok(()) };
                (heard, is_pinged) = (Instant::now(), false);
                match message {
                    Message::Text(text) => session.receive(&text)?,
                    Message::Binary(_) => return Err(Close { code: 1003, reason: "messages are texts" }),
                    Message::Close(_) => return Ok(()),
                    Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                }
            }
            text = session.next() => send(socket, Message::text(text)).await.ok_or(SLOW)?,
            () = sleep_until(heard + PATIENCE) => {
                if is_pinged || !session.is_greeted() {
                    return Err(SLOW);
                }
                (heard, is_pinged) = (Instant::now(), true);
                send(socket, Message::Ping(bytes::Bytes::new())).await.ok_or(SLOW)?;
            }
        }
    }
}

/// `None` when the browser does not take it.
async fn send(socket: &mut Socket, message: Message) -> Option<()> {
    timeout(PATIENCE, socket.send(message)).await.ok()?.ok()
}
