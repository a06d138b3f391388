//! An answer of actix-web's, as hyper sends it.

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::ConnectionType;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};

use crate::convert;

/// What of a request its answer depends on.
pub(super) struct Asked {
    is_head: bool,
    version: Version,
}

impl Asked {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        Self { is_head: request.method() == Method::HEAD, version: request.version() }
    }
}

/// The head of an answer, with what actix-web would say on the wire of its length and its connection, and the body.
pub(super) fn convert(response: HttpResponse, asked: &Asked) -> (Parts, BoxBody) {
    let (mut response, body) = response.into_parts();
    let mut head = convert::response_head(&mut response);
    let is_chunked = response.head().chunked();
    set_length(&mut head, body.size(), is_chunked);
    set_connection(&mut head.headers, response.head().connection_type(), asked.version);
    let is_empty = asked.is_head || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    (head, if is_empty { BoxBody::new(()) } else { body })
}

fn set_length(head: &mut Parts, size: BodySize, is_chunked: bool) {
    let Parts { status, headers, .. } = head;
    // How it is framed is hyper's to say.
    headers.remove(TRANSFER_ENCODING);
    match size {
        // The length is that of the body which the client has.
        _ if *status == StatusCode::NOT_MODIFIED => {}
        BodySize::Sized(length) if *status != StatusCode::NO_CONTENT && !status.is_informational() => {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        // The program has given its length by itself.
        BodySize::Stream if !is_chunked => {}
        _ => _ = headers.remove(CONTENT_LENGTH),
    }
}

/// HTTP/2 has no such header.
fn set_connection(headers: &mut HeaderMap, kind: ConnectionType, version: Version) {
    headers.remove(CONNECTION);
    if version >= Version::HTTP_2 {
        return;
    }
    if headers.contains_key(UPGRADE) {
        headers.append(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    if kind == ConnectionType::Close {
        headers.append(CONNECTION, HeaderValue::from_static("close"));
    }
}
