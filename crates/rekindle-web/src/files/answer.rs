//! The answer to a request for an asset, made of its [`Content`].

use std::io;
use std::ops::Range;

use http::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    LAST_MODIFIED, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use rekindle_templates::Asset;

use super::content::Content;
use super::range::{self, Part};
use crate::Body;

/// The address changes with the content, so what is found at it never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// It may be kept, and has to be asked for again before it is used.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// The answer with a content, a part of it, or the word that it is known.
pub(super) fn with(
    asset: &Asset,
    content: Content,
    method: &Method,
    headers: &HeaderMap,
) -> io::Result<Response<Body>> {
    if content.validators.are_known(headers) {
        return Ok(respond(StatusCode::NOT_MODIFIED, about(asset, &content), Body::empty()));
    }
    match part(&content, method, headers) {
        Part::None => Ok(no_such_part(&content)),
        Part::Whole => {
            let whole = 0..content.len();
            send(StatusCode::OK, described(asset, &content), content, whole, method)
        }
        Part::Bytes(bytes) => {
            let mut described = described(asset, &content);
            let place = format!("bytes {}-{}/{}", bytes.start, bytes.end - 1, content.len());
            set(&mut described, CONTENT_RANGE, &place);
            send(StatusCode::PARTIAL_CONTENT, described, content, bytes, method)
        }
    }
}

/// A part only of what is known to be the same when the next part is asked for.
fn part(content: &Content, method: &Method, headers: &HeaderMap) -> Part {
    let divisible = method == Method::GET && content.validators.etag.is_some();
    if divisible && content.validators.allow_a_range(headers) {
        range::wanted(headers, content.len())
    } else {
        Part::Whole
    }
}

fn send(
    status: StatusCode,
    mut headers: HeaderMap,
    content: Content,
    bytes: Range<u64>,
    method: &Method,
) -> io::Result<Response<Body>> {
    headers.insert(CONTENT_LENGTH, (bytes.end - bytes.start).into());
    let body = if method == Method::HEAD { Body::empty() } else { content.into_body(bytes)? };
    Ok(respond(status, headers, body))
}

/// What is said of a content whether or not it is sent.
fn about(asset: &Asset, content: &Content) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let is_final = asset.is_fingerprinted() && content.is_as_found;
    headers.insert(CACHE_CONTROL, if is_final { FOR_EVER } else { ASK_AGAIN });
    if let Some(etag) = &content.validators.etag {
        set(&mut headers, ETAG, etag);
    }
    if asset.is_compressible() {
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    headers
}

/// What is said of a content that is sent.
fn described(asset: &Asset, content: &Content) -> HeaderMap {
    let mut headers = about(asset, content);
    set(&mut headers, CONTENT_TYPE, asset.mime());
    if content.validators.etag.is_some() {
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }
    if let Some(date) = content.validators.last_modified() {
        set(&mut headers, LAST_MODIFIED, &date);
    }
    if let Some(encoding) = content.encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.token()));
    }
    headers
}

fn no_such_part(content: &Content) -> Response<Body> {
    let mut answer = refusal(StatusCode::RANGE_NOT_SATISFIABLE, "the file has no such part\n");
    set(answer.headers_mut(), CONTENT_RANGE, &format!("bytes */{}", content.len()));
    answer
}

/// The answer where there is no asset.
pub(super) fn not_found() -> Response<Body> {
    refusal(StatusCode::NOT_FOUND, "there is no such file\n")
}

/// The answer to what is neither GET nor HEAD.
pub(super) fn not_allowed() -> Response<Body> {
    let mut answer = refusal(StatusCode::METHOD_NOT_ALLOWED, "files are read with GET or HEAD\n");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    answer
}

/// The answer when the file could not be opened.
pub(super) fn failed(cause: &io::Error) -> Response<Body> {
    if cause.kind() == io::ErrorKind::NotFound {
        return not_found();
    }
    refusal(StatusCode::SERVICE_UNAVAILABLE, "the file cannot be read now\n")
}

fn refusal(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, ASK_AGAIN);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CONTENT_LENGTH, text.len().into());
    respond(status, headers, Body::from(text))
}

fn respond(status: StatusCode, headers: HeaderMap, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// Sets a header to what is always a good value for one.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
