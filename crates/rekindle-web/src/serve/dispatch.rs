//! The way of one request: a generation is taken, its limits are held, its app answers.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::connection::Connection;
use super::farewell::{Farewell, FarewellBody};
use super::policy::Policy;
use super::slots::Place;
use super::traffic::UnderWay;
use crate::{Body, BoxError};

/// Answers a request.
pub(super) async fn answer(
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (version, is_tunnel) = (request.version(), request.method() == Method::CONNECT);
    let under_way = connection.traffic.begin(version);
    let farewell = Farewell::new(&connection.signals);
    let (mut response, place) = admitted(&connection, request, &farewell).await;
    if version < Version::HTTP_2 {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            switched(&connection, response.headers(), &farewell);
        } else if is_tunnel && response.status().is_success() {
            connection.switched.to_other();
        } else if connection.sends_away() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
    let ends_early = FarewellBody::is_for(response.headers());
    Ok(response.map(|mut body| {
        if ends_early {
            body = Body::new(FarewellBody::new(body, &farewell));
        }
        Body::new(Counted { body, _under_way: under_way, _place: place })
    }))
}

/// The answer by the generation of this moment, and the place that the request has until it is sent.
async fn admitted(
    connection: &Connection,
    mut request: Request<Incoming>,
    farewell: &Farewell,
) -> (Response<Body>, Option<Place>) {
    let is_own_question = connection.shared.password.take_from(request.headers_mut());
    let Some(policy) = connection.policy(is_own_question).await else {
        return (plain(StatusCode::SERVICE_UNAVAILABLE, "nothing is served yet\n"), None);
    };
    let Some(place) = connection.shared.requests.take(policy.limits.requests) else { return (full(), None) };
    request.extensions_mut().insert(connection.origin.clone());
    request.extensions_mut().insert(farewell.clone());
    (within_limits(&policy, request).await, Some(place))
}

/// The app's answer, or one that says why there is none.
async fn within_limits(policy: &Policy, request: Request<Incoming>) -> Response<Body> {
    // A panic ends a request, not the others of its connection.
    let answering = AssertUnwindSafe(async { policy.app.answer(request).await }).catch_unwind();
    let answered = match policy.timeouts.request {
        Some(limit) => match timeout(limit, answering).await {
            Ok(answered) => answered,
            Err(_) => return too_long(limit),
        },
        None => answering.await,
    };
    match answered {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => failed(&error),
        // The hook of the program has told of it.
        Err(_panic) => plain(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n"),
    }
}

fn failed(error: &BoxError) -> Response<Body> {
    tracing::error!(%error, "a request failed");
    plain(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n")
}

fn too_long(limit: Duration) -> Response<Body> {
    tracing::warn!(?limit, "a request was dropped: it took too long");
    plain(StatusCode::SERVICE_UNAVAILABLE, "the request took too long\n")
}

fn full() -> Response<Body> {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "too many requests are under way\n");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// The connection is another protocol's from here on.
fn switched(connection: &Connection, headers: &HeaderMap, farewell: &Farewell) {
    let protocol = headers.get(UPGRADE).map_or(&b""[..], HeaderValue::as_bytes);
    if protocol.eq_ignore_ascii_case(b"websocket") {
        connection.switched.to_websocket(farewell);
    } else {
        connection.switched.to_other();
    }
}

/// A body whose request is under way until it has been sent or is dropped.
struct Counted {
    body: Body,
    _under_way: UnderWay,
    _place: Option<Place>,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
