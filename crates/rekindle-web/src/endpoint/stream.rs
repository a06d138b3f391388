//! Server-sent events and polling: a session whose pages were told with the request.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use http_body::Frame;
use http_body_util::StreamBody;

use crate::Body;
use crate::session::Session;

/// How often something is sent when there is nothing to tell, so that what is between does not end the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// <https://html.spec.whatwg.org/multipage/server-sent-events.html>
pub(super) fn events(session: Session) -> Response<Body> {
    let events = stream::unfold(session, |mut session| async move {
        let event = match tokio::time::timeout(KEEP_ALIVE, session.next()).await {
            Ok(text) => format!("data: {text}\n\n"),
            Err(_) => ":\n\n".to_owned(),
        };
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(event))), session))
    });
    let mut response = Response::new(Body::new(StreamBody::new(events)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // A proxy that gathers answers would hold events back: nginx has this header for it.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// All that there is to tell by now.
pub(super) fn poll(mut session: Session) -> Response<Body> {
    let messages: Vec<String> = std::iter::from_fn(|| session.take()).collect();
    let mut response = Response::new(Body::from(format!("{{\"messages\":[{}]}}", messages.join(","))));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
