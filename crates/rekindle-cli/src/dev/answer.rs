//! Answers of this program's own: a status and a text in, a response out.

use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use rekindle_web::Body;

/// A page. It is never kept: what is there may change with the next save.
pub(super) fn page(status: StatusCode, html: String) -> Response<Body> {
    whole(status, "text/html; charset=utf-8", html.into())
}

/// A plain text.
pub(super) fn text(status: StatusCode, text: &str) -> Response<Body> {
    whole(status, "text/plain; charset=utf-8", text.to_owned().into())
}

/// Bytes of any kind.
pub(super) fn whole(status: StatusCode, kind: &str, bytes: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let kind = HeaderValue::from_str(kind).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// That a page is at another address. Never for good: the directory may look different tomorrow.
pub(super) fn elsewhere(path: &str, query: Option<&str>) -> Response<Body> {
    let to = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut response = text(StatusCode::TEMPORARY_REDIRECT, "");
    if let Ok(to) = HeaderValue::from_str(&to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// That only looking is answered.
pub(super) fn only_get() -> Response<Body> {
    let mut response =
        text(StatusCode::METHOD_NOT_ALLOWED, "`rekindle dev` shows pages: it answers GET and HEAD alone.\n");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// Whether somebody would look at an answer in HTML.
pub(super) fn is_for_people(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    accepted.flat_map(|line| line.split(',')).any(|kind| kind.trim().starts_with("text/html"))
}
