//! The answers of the endpoints.

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, UPGRADE, X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};

use crate::Body;

/// Keeps other sites from including an answer.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// For how long an answer is good.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keep {
    /// It is not to be kept.
    Never,
    /// It is to be asked for anew, each time.
    Ask,
    /// It never changes at this address.
    Always,
}

impl Keep {
    fn as_str(self) -> &'static str {
        match self {
            Self::Never => "no-store",
            Self::Ask => "no-cache",
            Self::Always => "private, max-age=86400, immutable",
        }
    }
}

/// An answer with all that protects it.
pub(super) fn reply(mime: &'static str, keep: Keep, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(mime));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep.as_str()));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    response
}

pub(super) fn script(content: &'static str, keep: Keep) -> Response<Body> {
    reply("text/javascript; charset=utf-8", keep, Bytes::from_static(content.as_bytes()))
}

/// One that pages of other servers may include.
pub(super) fn shared_script(content: &'static str) -> Response<Body> {
    let mut response = script(content, Keep::Ask);
    response.headers_mut().insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    response
}

pub(super) fn json(text: String) -> Response<Body> {
    reply("application/json", Keep::Never, text)
}

/// A refusal, for people.
pub(crate) fn refusal(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = reply("text/plain; charset=utf-8", Keep::Never, format!("rekindle: {text}\n"));
    *response.status_mut() = status;
    response
}

pub(super) fn forbidden(text: &str) -> Response<Body> {
    refusal(StatusCode::FORBIDDEN, text)
}

pub(super) fn wrong_method(allowed: &'static str) -> Response<Body> {
    let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED, &format!("This answers {allowed}."));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

pub(super) fn upgrade_required() -> Response<Body> {
    let mut response = refusal(StatusCode::UPGRADE_REQUIRED, "This is a WebSocket.");
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    response
}

pub(super) fn too_many() -> Response<Body> {
    refusal(StatusCode::SERVICE_UNAVAILABLE, "There are too many browsers already.")
}
