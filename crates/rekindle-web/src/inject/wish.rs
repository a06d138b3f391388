//! [`Wish`]: what a request asks for, as far as its headers tell.

use http::header::{ACCEPT, HOST, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method};

use super::etag::{self, Stamp};

/// What a request asks for: a page, perhaps a page, or nothing that a tag belongs into.
#[derive(Debug, Clone)]
pub struct Wish {
    kind: Kind,
    navigation: bool,
    host: Option<String>,
    stamp: Option<Stamp>,
    revalidates: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A page load; or a client that does not say, and would not mind.
    Page,
    /// A script fetches it. Whole documents are pages (Turbo Drive, boosted links, prefetching), the rest are fragments.
    Perhaps,
    /// A fragment, an answer without a body, or something that is no page.
    Never,
}

/// Set by the client of these pages when it fetches one anew: whatever comes back is the page.
const REKINDLE_PAGE: HeaderName = HeaderName::from_static("rekindle-page");

/// Headers by which libraries ask for a part of a page.
const FRAGMENT: [&str; 3] = ["turbo-frame", "x-pjax", "x-requested-with"];

/// Headers by which htmx says that, although it asks, a whole page is expected.
const WHOLE_FOR_HTMX: [&str; 2] = ["hx-boosted", "hx-history-restore-request"];

impl Wish {
    /// What the request says, before it is handled.
    pub fn of(request: &Parts) -> Self {
        let headers = &request.headers;
        let answered_with_body = request.method != Method::HEAD && request.method != Method::CONNECT;
        Self {
            kind: if answered_with_body { kind(headers) } else { Kind::Never },
            navigation: navigates(headers),
            host: host(request),
            stamp: None,
            revalidates: false,
        }
    }

    /// Makes the request one whose answer can carry a tag, and notes what the tag will stand for.
    ///
    /// `stamp` is what differs between two tags for the same page: the run's token and the revision. A page in the
    /// browser's cache is good only with the tag in it: an older one names a revision that is long gone, and the page would
    /// reload, be found unchanged, and reload. So
    ///
    /// - a validator that was made here goes to the handler as its own if the stamp is the same, else it is taken away;
    /// - any other validator of a page load is taken away, since it is for a page without a tag;
    /// - a page load's `Range` is taken away, so that the page comes whole. One with an `If-Range` that is not from here stays:
    ///   it resumes a download, and cannot match a page with a tag in it.
    pub fn prepare(&mut self, headers: &mut HeaderMap, stamp: &str) {
        let stamp = Stamp::of(stamp);
        self.stamp = Some(stamp);
        if self.kind == Kind::Never {
            return;
        }
        self.mend_range(headers);
        self.revalidates = self.mend_condition(headers, stamp);
        mend_match(headers);
    }

    fn mend_range(&self, headers: &mut HeaderMap) {
        let ours = text(headers, &IF_RANGE).is_some_and(|tag| etag::restore(tag).is_some());
        if ours || (self.navigation && !headers.contains_key(IF_RANGE)) {
            headers.remove(RANGE);
            headers.remove(IF_RANGE);
        }
    }

    /// Whether what is left is a page's validator that was made here.
    fn mend_condition(&self, headers: &mut HeaderMap, stamp: Stamp) -> bool {
        if self.navigation {
            headers.remove(IF_MODIFIED_SINCE);
        }
        let Some(list) = joined(headers, &IF_NONE_MATCH) else { return false };
        let mut ours = false;
        let kept: Vec<String> = etag::list(&list)
            .filter_map(|tag| match etag::restore(tag) {
                Some((original, of)) => {
                    ours |= of == stamp;
                    (of == stamp).then_some(original)
                }
                None => (!self.navigation).then(|| tag.to_owned()),
            })
            .collect();
        set_list(headers, &IF_NONE_MATCH, &kept);
        ours
    }

    /// Whether a tag may go in, and whether only into what is a whole document for certain.
    pub(super) fn page(&self) -> Option<Page> {
        match self.kind {
            Kind::Page => Some(Page { only_whole: false }),
            Kind::Perhaps => Some(Page { only_whole: true }),
            Kind::Never => None,
        }
    }

    /// The host that the page was asked from, if it can be written in a policy and no proxy stands between.
    pub(super) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    pub(super) fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    /// Whether the handler was asked with a validator that had been made here.
    pub(super) fn revalidates(&self) -> bool {
        self.revalidates
    }
}

/// How a page is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// Only with a doctype, `<html>`, `<head>` or `<body>` at its beginning.
    pub(super) only_whole: bool,
}

fn kind(headers: &HeaderMap) -> Kind {
    if headers.contains_key(REKINDLE_PAGE) {
        return Kind::Page;
    }
    if headers.contains_key("hx-request") {
        let whole = WHOLE_FOR_HTMX.iter().any(|name| headers.contains_key(*name));
        return if whole { Kind::Perhaps } else { Kind::Never };
    }
    if FRAGMENT.iter().any(|name| headers.contains_key(*name)) {
        return Kind::Never;
    }
    match headers.get("sec-fetch-dest").map(HeaderValue::as_bytes) {
        None => Kind::Page,
        Some(dest) if is_navigable(dest) => Kind::Page,
        Some(b"empty") => Kind::Perhaps,
        Some(_) => Kind::Never,
    }
}

/// Whether a browsing context is to show the answer: <https://fetch.spec.whatwg.org/#concept-request-destination>.
fn is_navigable(dest: &[u8]) -> bool {
    matches!(dest, b"document" | b"iframe" | b"frame" | b"fencedframe" | b"embed" | b"object")
}

/// Whether a browser loads a page: it says so, or (without a secure context it does not) prefers HTML.
fn navigates(headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-dest") {
        Some(dest) => is_navigable(dest.as_bytes()),
        None => text(headers, &ACCEPT).is_some_and(|accept| accept.contains("text/html")),
    }
}

fn host(request: &Parts) -> Option<String> {
    let forwarded =
        request.headers.contains_key("x-forwarded-host") || request.headers.contains_key("forwarded");
    if forwarded {
        return None;
    }
    let host = text(&request.headers, &HOST).or_else(|| request.uri.authority().map(Authority::as_str))?;
    is_policy_host(host).then(|| host.to_owned())
}

/// Whether a host may stand in a source expression, which has no form for IPv6: CSP Level 3, 2.3.1.
fn is_policy_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    let name_ok = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    !name.is_empty() && name_ok && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

/// A write on condition of a page's validator means the page, not its tag.
fn mend_match(headers: &mut HeaderMap) {
    let Some(list) = joined(headers, &IF_MATCH) else { return };
    let restored: Vec<String> = etag::list(&list)
        .map(|tag| etag::restore(tag).map_or_else(|| tag.to_owned(), |(original, _)| original))
        .collect();
    set_list(headers, &IF_MATCH, &restored);
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// All values of a header that is a list; `None` if there is none, or one that is not text.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Result<Vec<&str>, _> = headers.get_all(name).iter().map(HeaderValue::to_str).collect();
    values.ok().filter(|values| !values.is_empty()).map(|values| values.join(", "))
}

fn set_list(headers: &mut HeaderMap, name: &HeaderName, list: &[String]) {
    headers.remove(name);
    if let Ok(value) = HeaderValue::try_from(list.join(", "))
        && !value.is_empty()
    {
        headers.insert(name, value);
    }
}
