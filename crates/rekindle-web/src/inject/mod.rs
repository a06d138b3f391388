//! Puts the page's tag into HTML answers.

use http::request::Parts;
use http::{HeaderMap, Response};

use crate::Body;

/// What a request asks for.
#[derive(Debug, Clone)]
pub struct Wish;

impl Wish {
    /// What the request says, before it is handled.
    pub fn of(_request: &Parts) -> Self {
        Self
    }

    /// Makes it one that can be answered with a page that has a tag.
    pub fn prepare(&mut self, _headers: &mut HeaderMap, _stamp: &str) {}
}

/// The answer with the tag in its page.
pub fn apply(_wish: &Wish, _tag: &str, response: Response<Body>) -> Response<Body> {
    response
}
