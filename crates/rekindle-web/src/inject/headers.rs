//! What is said of a body that is not the handler's any more.

use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue};

use super::etag;
use super::wish::Wish;

/// Digests of the content or of the representation: both have changed.
const DIGESTS: [&str; 4] = ["content-md5", "digest", "content-digest", "repr-digest"];

/// Makes the headers of the handler's page those of the page with a tag.
///
/// The length is not known beforehand, so the server frames the body as it does any that streams. `Last-Modified` goes: a
/// browser would ask with it for a page whose tag is another by now, or resume one at the wrong byte. `Vary` and
/// `Cache-Control` stay; what a cache keeps, it keeps of the same request.
pub(super) fn mend(headers: &mut HeaderMap, wish: &Wish) {
    for name in [CONTENT_LENGTH, CONTENT_RANGE, LAST_MODIFIED] {
        headers.remove(name);
    }
    remove_digests(headers);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
    mark_validator(headers, wish);
}

/// Makes a 304 one of the page in the browser's cache, whose validator it has to repeat: RFC 9111, 4.3.4.
pub(super) fn mend_unchanged(headers: &mut HeaderMap, wish: &Wish) {
    if wish.revalidates() {
        headers.remove(LAST_MODIFIED);
        mark_validator(headers, wish);
    }
}

/// Takes digests out of headers or trailers.
pub(super) fn remove_digests(headers: &mut HeaderMap) {
    for name in DIGESTS {
        headers.remove(name);
    }
}

/// Without a stamp there is nothing to tell two pages apart by, and so no validator.
fn mark_validator(headers: &mut HeaderMap, wish: &Wish) {
    let Some(value) = headers.remove(ETAG) else { return };
    let marked = wish.stamp().and_then(|stamp| etag::mark(value.to_str().ok()?, stamp));
    if let Some(value) = marked.and_then(|marked| HeaderValue::try_from(marked).ok()) {
        headers.insert(ETAG, value);
    }
}
