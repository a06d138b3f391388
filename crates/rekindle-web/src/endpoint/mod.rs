//! The endpoints: what is answered below `/_rekindle/`, and at the two addresses of LiveReload.

mod stream;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};

use crate::guard::{From, Refusal};
use crate::live::Inner;
use crate::protocol::Page;
use crate::session::Session;
use crate::{Body, client, dashboard};

/// How large the body of a request to an endpoint may be, in bytes.
pub(crate) const LARGEST_BODY: usize = 64 * 1024;

/// What is at an address.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Route {
    Script(&'static str),
    Socket,
    LiveReload,
    Events,
    Poll,
    Renew,
    Dashboard(dashboard::Route),
    /// Below our prefix, and nothing.
    Nothing,
}

impl Route {
    /// `None` for what is the program's own. The path is taken literally: nothing in it is decoded.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let route = match path {
            "/livereload" => Self::LiveReload,
            "/livereload.js" => Self::Script(client::LIVERELOAD),
            "/_rekindle/live.js" => Self::Script(client::LIVE),
            "/_rekindle/worker.js" => Self::Script(client::WORKER),
            "/_rekindle/socket" => Self::Socket,
            "/_rekindle/events" => Self::Events,
            "/_rekindle/poll" => Self::Poll,
            "/_rekindle/renew" => Self::Renew,
            _ => match dashboard::Route::of(path) {
                Some(route) => Self::Dashboard(route),
                None => return path.starts_with("/_rekindle/").then_some(Self::Nothing),
            },
        };
        Some(route)
    }
}

/// What is to be done about a request to an endpoint.
pub(crate) enum Answer {
    Response(Response<Body>),
    /// It is a WebSocket's, to be upgraded and then driven.
    Socket(Session),
}

impl Inner {
    /// Answers what [`Route::of`] says is ours.
    pub(crate) async fn answer(&self, route: Route, parts: &Parts, body: Bytes) -> Answer {
        let from = match self.guard.check(&parts.uri, &parts.headers) {
            Ok(from) => from,
            Err(refusal) => return Answer::Response(refused(refusal)),
        };
        match route {
            Route::Socket => self.socket(parts, from, false),
            Route::LiveReload => self.socket(parts, from, true),
            _ => Answer::Response(self.respond(route, parts, from, body).await),
        }
    }

    /// Our own dialect asks for the token, again in its hello. LiveReload's has none: there the origin vouches.
    fn socket(&self, parts: &Parts, from: From, is_livereload: bool) -> Answer {
        let has_token = self.has_token(parts);
        if !is_upgrade(parts) {
            return Answer::Response(text(
                StatusCode::UPGRADE_REQUIRED,
                "This is the address of a WebSocket.",
            ));
        }
        let is_vouched_for = has_token || (is_livereload && from == From::AllowedOrigin);
        if !is_vouched_for {
            return Answer::Response(no_token());
        }
        let hub = std::sync::Arc::clone(&self.hub);
        Answer::Socket(Session::new(hub, self.token.clone(), has_token))
    }

    async fn respond(&self, route: Route, parts: &Parts, from: From, body: Bytes) -> Response<Body> {
        let method = &parts.method;
        match route {
            Route::Script(source) if is_read(method) => script(source),
            Route::Renew if *method == Method::POST => self.renew(from),
            Route::Events if *method == Method::GET => self.listen(parts, stream::events),
            Route::Poll if *method == Method::GET => self.listen(parts, stream::poll),
            Route::Dashboard(route) if route.needs_token() && !self.has_token(parts) => no_token(),
            Route::Dashboard(_) => self.dashboard.answer(parts, body, &self.about()).await,
            Route::Nothing => text(StatusCode::NOT_FOUND, "There is nothing here."),
            Route::Renew => not_allowed("POST"),
            _ => not_allowed("GET, HEAD"),
        }
    }

    /// A page whose server was started anew has the token of the run before. That it is a page of ours, its origin says.
    fn renew(&self, from: From) -> Response<Body> {
        if from != From::AllowedOrigin {
            return refused(Refusal("only a page of an allowed origin can ask for the token".into()));
        }
        let mut response = Response::new(Body::from(format!("{{\"token\":\"{}\"}}", self.token.as_str())));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        closed(response)
    }

    fn listen(&self, parts: &Parts, form: fn(Session) -> Response<Body>) -> Response<Body> {
        if !self.has_token(parts) {
            return no_token();
        }
        let Some(pages) = asked_pages(parts) else {
            return text(StatusCode::BAD_REQUEST, "The parameter `pages` is no JSON list of pages.");
        };
        let hub = std::sync::Arc::clone(&self.hub);
        match Session::greeted(hub, self.token.clone(), pages) {
            Ok(session) => closed(form(session)),
            Err(close) => text(StatusCode::BAD_REQUEST, close.reason),
        }
    }

    fn has_token(&self, parts: &Parts) -> bool {
        let stated = parameter(parts, "token");
        let header = parts.headers.get("x-rekindle-token").and_then(|value| value.to_str().ok());
        stated.as_deref().or(header).is_some_and(|token| self.token.is(token))
    }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether a request asks for a WebSocket, by <https://www.rfc-editor.org/rfc/rfc6455#section-4.2.1>.
fn is_upgrade(parts: &Parts) -> bool {
    let says = |name: &str, word: &str| {
        let all = parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        all.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
    };
    parts.method == Method::GET
        && says("connection", "upgrade")
        && says("upgrade", "websocket")
        && says("sec-websocket-version", "13")
        && parts.headers.contains_key("sec-websocket-key")
}

/// A parameter of the query, decoded.
fn parameter(parts: &Parts, name: &str) -> Option<String> {
    let pairs = parts.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.into_iter().find(|(key, _)| *key == name)?;
    let value = value.replace('+', " ");
    percent_encoding::percent_decode_str(&value).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

fn asked_pages(parts: &Parts) -> Option<Vec<Page>> {
    match parameter(parts, "pages") {
        None => Some(Vec::new()),
        Some(json) => serde_json::from_str(&json).ok(),
    }
}

fn script(source: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(source));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    // A page keeps the address for as long as it is open, and the program may be another by then.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    guarded(response)
}

fn no_token() -> Response<Body> {
    refused(Refusal(
        "the token of this run is missing or is that of another. Pages have it in the address of their script".into(),
    ))
}

pub(crate) fn refused(Refusal(why): Refusal) -> Response<Body> {
    tracing::debug!(why, "a request to the live reload was refused");
    text(StatusCode::FORBIDDEN, format!("Refused: {why}."))
}

fn not_allowed(methods: &'static str) -> Response<Body> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "This is asked for in another way.");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

pub(crate) fn text(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    let mut response = Response::new(Body::from(text.into() + "\n"));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    closed(response)
}

/// For nobody's cache.
fn closed(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    guarded(response)
}

/// What no other site may make use of.
fn guarded(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}
