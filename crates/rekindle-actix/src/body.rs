//! Bodies, between those of actix-web, which stay on one thread, and those of rekindle-web, which need not.

use std::future::poll_fn;
use std::pin::pin;

use actix_web::body::{BodyStream, BoxBody, MessageBody, SizedStream};
use actix_web::error::ErrorInternalServerError;
use bytes::Bytes;
use futures_util::{TryStreamExt, stream};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body::{Body as _, Frame};
use http_body_util::{BodyDataStream, StreamBody};
use rekindle_web::{Body, BoxError};
use tokio::sync::mpsc;

/// A body of actix-web's. What is not there at once comes through a channel, in which at most one chunk waits.
pub(crate) fn incoming(body: BoxBody) -> Body {
    body.try_into_bytes().map_or_else(
        |body| {
            let (sender, mut receiver) = mpsc::channel(1);
            actix_web::rt::spawn(pump(body, sender));
            Body::new(StreamBody::new(stream::poll_fn(move |context| receiver.poll_recv(context))))
        },
        Body::from,
    )
}

/// Until the body ends, or nobody wants it any more.
async fn pump(body: BoxBody, sender: mpsc::Sender<Result<Frame<Bytes>, BoxError>>) {
    let mut body = pin!(body);
    loop {
        let chunk = tokio::select! {
            chunk = poll_fn(|context| body.as_mut().poll_next(context)) => chunk,
            () = sender.closed() => None,
        };
        let Some(chunk) = chunk else { return };
        // Errors of actix-web stay on their thread, too.
        let chunk = chunk.map(Frame::data).map_err(|error| error.to_string().into());
        if sender.send(chunk).await.is_err() {
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
