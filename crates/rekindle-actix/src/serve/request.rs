//! A request of hyper's, as actix-web takes it.

use std::io;
use std::net::SocketAddr;

use actix_http::error::PayloadError;
use actix_http::{HttpMessage, Payload, Request};
use actix_web::http::{Method, Uri, Version};
use futures_util::{StreamExt, TryStreamExt};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http_body::Body;
use http_body_util::BodyDataStream;
use hyper::body::Incoming;
use rekindle_web::serve::{Farewell, Origin, Peer};

use crate::convert;

/// A request as actix-web takes it, with another payload than its body if there is one; `None` for one that cannot
/// be expressed.
pub(super) fn convert(request: http::Request<Incoming>, other: Option<Payload>) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let mut request = Request::with_payload(other.unwrap_or_else(|| payload(body)));
    let head = request.head_mut();
    head.method = Method::from_bytes(parts.method.as_str().as_bytes()).ok()?;
    head.uri = uri(&parts)?;
    head.version = version(parts.version);
    head.peer_addr = peer(&parts);
    convert::set_headers(&mut head.headers, &parts.headers);
    let mut extensions = request.extensions_mut();
    parts.extensions.get::<Origin>().map(|origin| extensions.insert(origin.clone()));
    parts.extensions.get::<Farewell>().map(|farewell| extensions.insert(farewell.clone()));
    drop(extensions);
    Some(request)
}

/// hyper reads no further than this is read, from whatever thread.
fn payload(body: Incoming) -> Payload {
    if body.is_end_stream() {
        return Payload::None;
    }
    let incomplete = |error| PayloadError::Incomplete(Some(io::Error::other(error)));
    Payload::from(BodyDataStream::new(body).map_err(incomplete).boxed_local())
}

/// The address that was asked for. That of a request over TLS says `https`, in HTTP/1.1, too: this is where actix-web
/// looks it up.
fn uri(parts: &Parts) -> Option<Uri> {
    secured(parts).unwrap_or_else(|| parts.uri.to_string()).parse().ok()
}

fn secured(parts: &Parts) -> Option<String> {
    let is_secure = parts.extensions.get::<Origin>().is_some_and(|origin| origin.tls);
    if !is_secure || parts.uri.scheme().is_some() || !parts.uri.path().starts_with('/') {
        return None;
    }
    let host: Authority = parts.headers.get(http::header::HOST)?.to_str().ok()?.parse().ok()?;
    let mut uri = parts.uri.clone().into_parts();
    (uri.scheme, uri.authority) = (Some(Scheme::HTTPS), Some(host));
    Some(http::Uri::from_parts(uri).ok()?.to_string())
}

fn version(version: http::Version) -> Version {
    match version {
        http::Version::HTTP_09 => Version::HTTP_09,
        http::Version::HTTP_10 => Version::HTTP_10,
        http::Version::HTTP_2 => Version::HTTP_2,
        http::Version::HTTP_3 => Version::HTTP_3,
        _ => Version::HTTP_11,
    }
}

fn peer(parts: &Parts) -> Option<SocketAddr> {
    match parts.extensions.get::<Origin>()?.peer {
        Some(Peer::Tcp(address)) => Some(address),
        _ => None,
    }
}
