//! The endpoints: requests in, answers out. `docs/protocol.md` has them all.
//!
//! A request is for a [`Route`]; [`admit`] checks who asks, by what [`guard`](crate::guard) says; [`answer`]
//! answers, with a session for what lasts: [`socket`] speaks on WebSockets, [`listen`] tells those who have none.

mod listen;
mod query;
mod reply;
mod route;
pub(crate) mod socket;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};

use crate::dashboard::About;
use crate::guard::{Asker, Refusal};
use crate::live::Shared;
use crate::session::{Admission, Session};
use crate::{Body, BoxError, client, hub, source};

pub(crate) use self::reply::refusal;
pub(crate) use self::route::Route;

/// Where the token may stand, beside the query.
const TOKEN_HEADER: &str = "x-rekindle-token";

/// How much a request may say, in bytes: what a line of the control protocol may have.
const LARGEST: usize = 1024 * 1024;

/// How much of a program's name is kept, in characters.
const LONGEST_AGENT: usize = 300;

/// What a request to an endpoint is answered with.
#[derive(Debug)]
pub enum LiveAnswer {
    /// An answer like any other.
    Response(Response<Body>),
    /// The request is that of a WebSocket: [shake hands](Session::handshake), and let the session
    /// [speak](Session::speak).
    Socket(Session),
}

/// A request that was let in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admitted {
    route: Route,
    has_token: bool,
}

/// Checks who asks: the host, the origin, the token.
pub(crate) fn admit(shared: &Shared, route: Route, parts: &Parts) -> Result<Admitted, Box<Response<Body>>> {
    let forbidden = |text: &str| Box::new(reply::forbidden(text));
    let from = shared.guard.check(&parts.uri, &parts.headers).map_err(|Refusal(text)| {
        tracing::warn!(path = parts.uri.path(), "{text}");
        forbidden(&text)
    })?;
    if let Some(allowed) = route.refuses(&parts.method) {
        return Err(Box::new(reply::wrong_method(allowed)));
    }
    let has_token = has_token(shared, parts);
    let is_known = match route {
        Route::Renew => from != Asker::Unsaid,
        Route::Socket { livereload: true } => has_token || from != Asker::Unsaid,
        _ => has_token || !route.needs_token(),
    };
    if !is_known {
        return Err(forbidden(match route {
            Route::Renew => "A page has to say where it is from: the header `Origin` is missing.",
            _ => "The token is missing, or that of another run of this program.",
        }));
    }
    Ok(Admitted { route, has_token })
}

/// The token comes in the query, or in a header of its own.
fn has_token(shared: &Shared, parts: &Parts) -> bool {
    let stated = query::field(parts.uri.query().unwrap_or(""), "token");
    let header = parts.headers.get(TOKEN_HEADER).and_then(|value| value.to_str().ok());
    stated.as_deref().or(header).is_some_and(|token| shared.token.is(token))
}

/// The body of a request that was let in. One without a body may have the bytes of what it is upgraded to in its place.
pub(crate) async fn read<B>(parts: &Parts, body: B) -> Result<Bytes, Box<Response<Body>>>
where
    B: http_body::Body,
    B::Error: Into<BoxError>,
{
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(Bytes::new());
    }
    let read = Limited::new(body, LARGEST).collect().await;
    read.map(Collected::to_bytes).map_err(|error| {
        Box::new(if error.is::<LengthLimitError>() {
            refusal(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large.")
        } else {
            refusal(StatusCode::BAD_REQUEST, "The request broke off.")
        })
    })
}

/// Answers a request that was let in.
pub(crate) async fn answer(shared: &Shared, admitted: Admitted, parts: &Parts, body: Bytes) -> LiveAnswer {
    let response = match admitted.route {
        Route::Socket { .. } => match socket_session(shared, admitted, parts) {
            Ok(session) => return LiveAnswer::Socket(session),
            Err(response) => *response,
        },
        Route::Client => client_script(parts),
        Route::Worker => reply::script(client::WORKER, reply::Keep::Ask),
        Route::LiveReloadScript => reply::shared_script(client::LIVERELOAD),
        Route::Events => listener(shared, parts, "SSE").map_or_else(|no| *no, listen::events),
        Route::Poll => match listener(shared, parts, "poll") {
            Ok(session) => listen::poll(session).await,
            Err(response) => *response,
        },
        Route::Renew => reply::json(serde_json::json!({"token": shared.token.as_str()}).to_string()),
        Route::Dashboard(_) => dashboard_answer(shared, parts, body).await,
        Route::Nothing => refusal(StatusCode::NOT_FOUND, "There is nothing here."),
    };
    let is_head = parts.method == Method::HEAD;
    LiveAnswer::Response(if is_head { response.map(|_| Body::empty()) } else { response })
}

/// With a tag's query the address is that of one run, whose client never changes.
fn client_script(parts: &Parts) -> Response<Body> {
    let keep = if parts.uri.query().is_some() { reply::Keep::Always } else { reply::Keep::Ask };
    reply::script(client::LIVE, keep)
}

fn socket_session(
    shared: &Shared,
    admitted: Admitted,
    parts: &Parts,
) -> Result<Session, Box<Response<Body>>> {
    if !route::wants_socket(&parts.headers) {
        return Err(Box::new(reply::upgrade_required()));
    }
    let livereload = matches!(admitted.route, Route::Socket { livereload: true });
    let seat = seat(shared, parts, "WebSocket")?;
    let admission = Admission { token: shared.token.clone(), has_token: admitted.has_token, livereload };
    Ok(Session::new(shared.hub.clone(), seat, admission))
}

/// The session of a client that says all it has to say in its request.
fn listener(shared: &Shared, parts: &Parts, transport: &str) -> Result<Session, Box<Response<Body>>> {
    let query = parts.uri.query().unwrap_or("");
    let bad = |text: &str| Box::new(refusal(StatusCode::BAD_REQUEST, text));
    let pages =
        query::pages(query).ok_or_else(|| bad("The field `pages` is missing, or no list of pages."))?;
    let (seat, is_polled) = (seat(shared, parts, transport)?, transport == "poll");
    let admission = Admission { token: shared.token.clone(), has_token: true, livereload: false };
    let whole = (shared.hub.clone(), seat, admission);
    Session::of_listener(whole, pages, !is_polled, query::problems(query)).map_err(|close| bad(close.reason))
}

fn seat(shared: &Shared, parts: &Parts, transport: &str) -> Result<hub::Seat, Box<Response<Body>>> {
    let seat = shared.hub.clients().seat(transport, agent(&parts.headers));
    seat.ok_or_else(|| Box::new(reply::too_many()))
}

fn agent(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(USER_AGENT)?.to_str().ok()?;
    Some(agent.chars().take(LONGEST_AGENT).collect())
}

async fn dashboard_answer(shared: &Shared, parts: &Parts, body: Bytes) -> Response<Body> {
    let about = About {
        token: shared.token.as_str(),
        browsers: shared.hub.clients().browsers(),
        problems: shared.hub.problems_of(|source| source != source::CONFIGS),
        changed: Some(shared.hub.clients().changed()),
    };
    shared.dashboard.answer(parts, body, &about).await
}
