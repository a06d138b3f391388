//! Answers with the headers that all of the dashboard's have.

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use serde_json::Value;

use crate::Body;

/// What the page may do: load what is its own, talk to its own server, and write text into itself, but no markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
    require-trusted-types-for 'script'";

/// Nobody embeds, caches or reads an answer but the page itself.
const HEADERS: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// A good answer.
pub(super) fn answer_of(mime: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut answer = Response::new(body.into());
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(mime));
    headers.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    answer
}

/// An answer in text that says why there is none.
pub(super) fn refusal(status: StatusCode, why: &'static str) -> Response<Body> {
    let mut answer = answer_of("text/plain; charset=utf-8", why);
    *answer.status_mut() = status;
    answer
}

/// The answer to a method that there is none to.
pub(super) fn wrong_method(allowed: &'static str) -> Response<Body> {
    let mut answer = refusal(StatusCode::METHOD_NOT_ALLOWED, "This method has no answer here.");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// Sends the browser elsewhere, for good.
pub(super) fn redirect(to: &'static str) -> Response<Body> {
    let mut answer = refusal(StatusCode::PERMANENT_REDIRECT, "It is one slash further.");
    answer.headers_mut().insert(LOCATION, HeaderValue::from_static(to));
    answer
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    let mut answer = answer_of("application/json", value.to_string());
    *answer.status_mut() = status;
    answer
}
