//! Heads of requests and answers, between the `http` of actix-web (0.2) and that of everybody else (1).

use actix_web::HttpResponse;
use actix_web::dev::RequestHead;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{request, response};
use rekindle_templates::TemplateError;
use rekindle_web::{Body, Problem};

use crate::body;

/// The head of a request; `None` for one that cannot be expressed, which is none that anybody sends.
pub(crate) fn request(head: &RequestHead) -> Option<request::Parts> {
    let method = http::Method::from_bytes(head.method.as_str().as_bytes()).ok()?;
    let request = http::Request::builder().method(method).uri(head.uri.to_string());
    let (mut parts, ()) = request.body(()).ok()?.into_parts();
    parts.headers = headers(&head.headers);
    Some(parts)
}

/// A whole answer.
pub(crate) fn response(response: http::Response<Body>) -> HttpResponse {
    let (head, body) = response.into_parts();
    let body = body::outgoing(body, &head.headers);
    let mut response = HttpResponse::Ok().finish().drop_body();
    set_response_head(&mut response, head);
    response.set_body(body)
}

/// The head of an answer, with those of its extensions that live reload knows.
pub(crate) fn response_head(response: &mut HttpResponse<()>) -> response::Parts {
    let (mut head, ()) = http::Response::new(()).into_parts();
    head.status = http::StatusCode::from_u16(response.status().as_u16()).unwrap_or_default();
    head.headers = headers(response.headers());
    let mut extensions = response.extensions_mut();
    head.extensions = extensions.remove().unwrap_or_default();
    extensions.remove::<TemplateError>().map(|error| head.extensions.insert(error));
    extensions.remove::<Problem>().map(|problem| head.extensions.insert(problem));
    head
}

/// Gives an answer another head. Its extensions are kept for a layer around this one.
pub(crate) fn set_response_head(response: &mut HttpResponse<()>, head: response::Parts) {
    *response.status_mut() = StatusCode::from_u16(head.status.as_u16()).unwrap_or_default();
    set_headers(response.headers_mut(), &head.headers);
    response.extensions_mut().insert(head.extensions);
}

fn headers(headers: &HeaderMap) -> http::HeaderMap {
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        let name = http::HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        Some((name, http::HeaderValue::from_bytes(value.as_bytes()).ok()?))
    };
    let mut all = http::HeaderMap::new();
    headers.iter().filter_map(pair).for_each(|(name, value)| _ = all.append(name, value));
    all
}

/// Replaces all headers.
pub(crate) fn set_headers(headers: &mut HeaderMap, by: &http::HeaderMap) {
    let pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    };
    *headers = by.iter().filter_map(pair).collect();
}
