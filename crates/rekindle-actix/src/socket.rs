//! WebSockets of live reload, on a request's payload and the body of its answer.

use actix_web::body::{BodyStream, MessageBody};
use actix_web::dev::Payload;
use actix_web::http::ConnectionType;
use actix_web::{Error, HttpResponse};
use bytes::BytesMut;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, StatusCode};
use rekindle_web::Session;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::task::JoinSet;

use crate::convert;

/// How much waits on either way, in bytes: messages are short, and clients many.
const BUFFER: usize = 4 * 1024;

/// Accepts a request for a WebSocket, and has the session speak for as long as it lasts.
pub(crate) fn accept(headers: &HeaderMap, session: Session, payload: Payload) -> HttpResponse {
    let handshake = Session::handshake(headers);
    if handshake.status() != StatusCode::SWITCHING_PROTOCOLS {
        return convert::response(handshake);
    }
    let (near, far) = tokio::io::duplex(BUFFER);
    let (outgoing, incoming) = tokio::io::split(far);
    tokio::spawn(session.speak(near));
    // It ends with the body of the answer, which actix-web drops with the connection.
    let mut tasks = JoinSet::new();
    tasks.spawn_local(receive(payload, incoming));
    let mut response = convert::response(handshake);
    response.head_mut().set_connection_type(ConnectionType::Upgrade);
    response.set_body(BodyStream::new(send(outgoing, tasks)).boxed())
}

async fn receive(mut payload: Payload, mut session: WriteHalf<DuplexStream>) {
    while let Some(Ok(bytes)) = payload.next().await {
        if session.write_all(&bytes).await.is_err() {
            return;
        }
    }
    // That it has ended is what there is to say; where nobody hears it, it is known.
    let _known = session.shutdown().await;
}

fn send(
    session: ReadHalf<DuplexStream>,
    tasks: JoinSet<()>,
) -> impl stream::Stream<Item = Result<bytes::Bytes, Error>> {
    stream::unfold((session, tasks), async |(mut session, tasks)| {
        let mut bytes = BytesMut::with_capacity(BUFFER);
        match session.read_buf(&mut bytes).await {
            Ok(1..) => Some((Ok(bytes.freeze()), (session, tasks))),
            Ok(0) | Err(_) => None,
        }
    })
}
