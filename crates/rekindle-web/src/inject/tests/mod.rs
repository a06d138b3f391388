//! Whole answers in and out, as a server sees them.

mod coded;
mod fields;
mod place;
mod policy;
mod streams;

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use super::{Wish, apply};
use crate::Body;

const TAG: &str = r#"<script src="/_rekindle/live.js?AAAAAAAAAAAAAAAA.0123456789abcdef" defer></script>"#;
const STAMP: &str = "AAAAAAAAAAAAAAAA.0123456789abcdef";

/// A browser's page load, with more headers.
fn navigation(headers: &[(&'static str, &str)]) -> Wish {
    request(&[&[("host", "localhost:3000"), ("sec-fetch-dest", "document")], headers].concat()).0
}

/// A request as the layer sees it, and its headers as the handler does.
fn request(headers: &[(&'static str, &str)]) -> (Wish, HeaderMap) {
    let mut request = Request::get("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let mut wish = Wish::of(&parts);
    wish.prepare(&mut parts.headers, STAMP);
    (wish, parts.headers)
}

fn html(body: impl Into<Body>) -> Response<Body> {
    response(&[("content-type", "text/html; charset=utf-8")], body)
}

fn response(headers: &[(&'static str, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::builder();
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

fn chunked<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> Body {
    let frames =
        chunks.into_iter().map(|chunk| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(chunk))));
    Body::new(StreamBody::new(stream::iter(frames.collect::<Vec<_>>())))
}

/// The whole of a body that is there at once.
fn bytes(body: Body) -> Bytes {
    body.collect().now_or_never().expect("nothing is waited for").unwrap().to_bytes()
}

/// The page that a browser gets of this one.
fn injected(page: &[u8]) -> Vec<u8> {
    bytes(apply(&navigation(&[]), TAG, html(page.to_vec())).into_body()).to_vec()
}

/// The page that comes out, `TAG` written as `@`.
fn shown(page: &str) -> String {
    String::from_utf8(injected(page.as_bytes())).unwrap().replace(TAG, "@")
}
