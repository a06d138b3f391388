//! Puts the page's tag into HTML answers, while they stream by.
//!
//! In comes what a request asked for ([`Wish`]), the tag, and the answer of the wrapped service; out goes the answer with
//! the tag in it, or the very answer where no page is meant. In the order of the work:
//!
//! - `wish` reads the request, and makes it one that can be answered with a page that has a tag;
//! - `decide` says whether the answer is such a page, `csp` whether its policy lets the client run;
//! - `headers` and `etag` mend what is said of the body;
//! - `scan` finds the place, with lol_html as the tokenizer; `splice` puts the tag there, byte for byte beside the rest;
//! - `body` and `recode` carry the chunks: as they are, or out of a content coding and back into it.
//!
//! All but the last two are pure. Nothing here waits for a whole page: what came in goes out, but for an unfinished token.

mod body;
mod csp;
mod decide;
mod etag;
mod headers;
mod recode;
mod scan;
mod splice;
mod tag;
#[cfg(test)]
mod tests;
mod wish;

use http::response::Parts;
use http::{HeaderMap, Response, StatusCode};

use crate::Body;
use decide::Plan;
use tag::Tag;
pub use wish::Wish;

/// Marks an answer that has a tag already, for a layer around this one.
#[derive(Clone, Copy)]
struct Injected;

/// The answer with the tag in its page, or as it came if it is not a page to be put into.
///
/// `tag` is the whole element, `<script src="…" defer></script>`, without a nonce: that of the answer's policy is added.
pub fn apply(wish: &Wish, tag: &str, response: Response<Body>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    let body = match begin(wish, tag, &mut head) {
        Some(injection) => injection.put_into(body),
        None => body,
    };
    Response::from_parts(head, body)
}

/// The tag on its way into the body of an answer whose head is mended already.
pub(crate) struct Injection {
    plan: Plan,
    splicer: splice::Splicer,
}

impl Injection {
    /// The body with the tag in it.
    pub(crate) fn put_into(self, body: Body) -> Body {
        body::rewritten(body, &self.plan, self.splicer)
    }
}

/// Makes the head of an answer that of the one with the tag, if it is a page to be put into.
pub(crate) fn begin(wish: &Wish, tag: &str, head: &mut Parts) -> Option<Injection> {
    if head.status == StatusCode::NOT_MODIFIED {
        headers::mend_unchanged(&mut head.headers, wish);
    }
    let nested = head.extensions.get::<Injected>().is_some();
    let plan =
        if nested { Err("has a tag already") } else { plan(wish, tag, head.status, &mut head.headers) };
    match plan {
        Ok((plan, tag)) => {
            head.extensions.insert(Injected);
            let splicer = splice::Splicer::new(wish, &plan, tag);
            Some(Injection { plan, splicer })
        }
        Err(reason) => {
            tracing::trace!(reason, "the answer is passed on without a tag");
            None
        }
    }
}

/// What is to be done with the body, the headers already being those of the new one; or why nothing is.
fn plan(
    wish: &Wish,
    tag: &str,
    status: StatusCode,
    headers: &mut HeaderMap,
) -> Result<(Plan, Tag), &'static str> {
    let plan = decide::decide(wish, status, headers)?;
    let mut tag = Tag::new(tag, plan.markup).ok_or("the tag has no address")?;
    if let Some(nonce) = csp::extend_headers(headers, &csp::Needs::new(&tag, wish.host()), fresh_nonce)? {
        tag.set_nonce(&nonce);
    }
    headers::mend(headers, wish);
    Ok((plan, tag))
}

/// Sixteen random bytes in hex; `None` where the system has no randomness.
fn fresh_nonce() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(format!("{:032x}", u128::from_be_bytes(bytes)))
}
