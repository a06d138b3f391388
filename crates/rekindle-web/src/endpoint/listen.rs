//! What is told to clients without a socket: server-sent events, and polling.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::Response;
use http::header::{HeaderName, HeaderValue};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::time::{Instant, timeout_at};

use super::reply::{self, Keep};
use crate::protocol::{Message, OWN};
use crate::session::{Outgoing, Session};
use crate::{Body, BoxError};

/// How long a poll is kept waiting.
const POLL: Duration = Duration::from_secs(25);

/// Asks proxies to pass on what comes as it comes.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Server-sent events: each message is the data of one. The body takes a message when it can send it, and so
/// none waits in a queue.
pub(super) fn events(session: Session) -> Response<Body> {
    let hello = format!("data: {}\n\n", Message::hello(&[OWN]));
    let messages = stream::unfold((session, Some(hello)), async |(mut session, hello)| {
        let text = match hello {
            Some(hello) => hello,
            None => event(session.next().await)?,
        };
        Some((Ok::<_, BoxError>(Frame::data(Bytes::from(text))), (session, None)))
    });
    let mut response = reply::reply("text/event-stream", Keep::Never, Body::new(StreamBody::new(messages)));
    response.headers_mut().insert(BUFFERING, HeaderValue::from_static("no"));
    response
}

fn event(outgoing: Outgoing) -> Option<String> {
    match outgoing {
        Outgoing::Text(text) => Some(format!("data: {text}\n\n")),
        Outgoing::Ping => Some(": there\n\n".to_owned()),
        Outgoing::Close(_) => None,
    }
}

/// All that there is to tell, as soon as there is something.
pub(super) async fn poll(mut session: Session) -> Response<Body> {
    let first = first(&mut session).await;
    let rest = std::iter::from_fn(|| session.take());
    let messages: Vec<String> = first.into_iter().chain(rest).collect();
    reply::json(format!("{{\"messages\":[{}]}}", messages.join(",")))
}

async fn first(session: &mut Session) -> Option<String> {
    let until = Instant::now() + POLL;
    loop {
        match timeout_at(until, session.next()).await {
            Ok(Outgoing::Text(text)) => return Some(text),
            Ok(Outgoing::Ping) => {}
            Ok(Outgoing::Close(_)) | Err(_) => return None,
        }
    }
}
