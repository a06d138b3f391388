//! Bodies, between those of actix-web, which stay on one thread, and those of rekindle-web, which need not.

use std::future::poll_fn;
use std::pin::pin;
use std::task::ready;

use actix_web::body::{BodyStream, BoxBody, MessageBody, SizedStream};
use actix_web::error::ErrorInternalServerError;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body::{Body as _, Frame};
use http_body_util::{BodyDataStream, StreamBody};
use rekindle_web::{Body, BoxError};
use tokio::sync::mpsc;

/// What comes through the channel of a body; `None` is its end. Without one it has broken off.
type Item = Option<Result<Frame<Bytes>, BoxError>>;

/// A body of actix-web's, which is read on this thread.
pub(crate) fn incoming(body: BoxBody) -> Body {
    let (body, pump) = detached(body);
    if let Some(pump) = pump {
        actix_web::rt::spawn(pump);
    }
    body
}

/// A body of actix-web's for other threads, and what feeds it on this one. What is not there at once comes through a
/// channel, in which at most one chunk waits.
pub(crate) fn detached(body: BoxBody) -> (Body, Option<impl Future<Output = ()>>) {
    match body.try_into_bytes() {
        Ok(whole) => (Body::from(whole), None),
        Err(body) => {
            let (sender, receiver) = mpsc::channel(1);
            (received(receiver), Some(pump(body, sender)))
        }
    }
}

fn received(mut receiver: mpsc::Receiver<Item>) -> Body {
    let broken_off = || Some(Err("the body of the answer broke off".into()));
    let items =
        stream::poll_fn(move |context| ready!(receiver.poll_recv(context)).unwrap_or_else(broken_off).into());
    Body::new(StreamBody::new(items.fuse()))
}

/// Until the body ends, or nobody wants it any more.
async fn pump(body: BoxBody, sender: mpsc::Sender<Item>) {
    let mut body = pin!(body);
    loop {
        let chunk = tokio::select! {
            chunk = poll_fn(|context| body.as_mut().poll_next(context)) => chunk,
            () = sender.closed() => return,
        };
        let goes_on = matches!(chunk, Some(Ok(_)));
        // Errors of actix-web stay on their thread, too.
        let item = chunk.map(|chunk| chunk.map(Frame::data).map_err(|error| error.to_string().into()));
        if sender.send(item).await.is_err() || !goes_on {
            return;
        }
    }
}

/// A body of rekindle-web's, of the length that the headers say where they do: that of a HEAD is empty all the same.
pub(crate) fn outgoing(body: Body, headers: &HeaderMap) -> BoxBody {
    let stated = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let length = stated.or(body.size_hint().exact());
    let chunks = BodyDataStream::new(body).map_err(ErrorInternalServerError);
    match length {
        Some(length) => SizedStream::new(length, chunks).boxed(),
        None => BodyStream::new(chunks).boxed(),
    }
}
