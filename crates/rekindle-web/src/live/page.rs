//! [`PendingPage`]: a request of a page on its way through the program.

use std::fmt;

use http::header::{CONTENT_TYPE, HeaderMap};
use http::request::Parts;
use http::{Method, Response, response};
use rekindle_templates::TemplateError;

use super::LiveReload;
use crate::guard::Token;
use crate::hub::{Revision, template_id};
use crate::inject::{self, Injection, Wish};
use crate::protocol::{MOST_TEMPLATES, written};
use crate::{Body, Problem, overlay};

/// A page that is being rendered, from [`LiveReload::page`].
///
/// The revision was read when it began: what changes while the page is rendered is told to it afterwards.
#[derive(Debug)]
pub struct PendingPage {
    live: LiveReload,
    wish: Wish,
    revision: Revision,
    /// Whether the page answers a request that must not be repeated.
    is_post: bool,
    /// Whether the request is for a name of this server. What is under another name does not learn the token.
    is_ours: bool,
    /// Whether somebody is to look at the answer.
    is_navigation: bool,
}

impl PendingPage {
    pub(super) fn new(live: &LiveReload, request: &mut Parts) -> Self {
        let shared = live.shared();
        let revision = shared.hub.revision();
        let mut wish = Wish::of(request);
        let is_ours = shared.guard.check_host(&request.uri, &request.headers).is_ok();
        wish.prepare(&mut request.headers, &format!("{}{}", shared.token.as_str(), written(revision)));
        let is_post = !matches!(request.method, Method::GET | Method::HEAD);
        let is_navigation = asks_for_html(&request.headers);
        Self { live: live.clone(), wish, revision, is_post, is_ours, is_navigation }
    }

    /// The answer, with the tag in it where it is a page.
    ///
    /// `templates` are those that it was rendered from; none when that is not known, which makes it one that
    /// every template concerns.
    ///
    /// The [error page](LiveReload::error_page) takes the place of an answer with a [`Problem`] or a [`TemplateError`] in
    /// its extensions; and that of a plain 5xx to who wanted a page, when something is known to be wrong.
    pub fn finish(self, templates: &[String], response: Response<Body>) -> Response<Body> {
        let (mut head, body) = response.into_parts();
        let body = self.head(templates, &mut head).apply(body);
        Response::from_parts(head, body)
    }

    /// The same for an answer whose body is not at hand, or need not be touched: mends its head, and says what
    /// becomes of its body.
    pub fn head(self, templates: &[String], head: &mut response::Parts) -> PageBody {
        let page = self.instead(head).map(|page| {
            let (new, body) = page.into_parts();
            *head = new;
            body
        });
        match (inject::begin(&self.wish, &self.tag(templates), head), page) {
            (Some(injection), Some(page)) => PageBody::Replaced(injection.put_into(page)),
            (None, Some(page)) => PageBody::Replaced(page),
            (Some(injection), None) => PageBody::Tagged(Tagging(injection.into())),
            (None, None) => PageBody::Kept,
        }
    }

    /// The page that takes the place of an answer, if one has to.
    fn instead(&self, head: &mut response::Parts) -> Option<Response<Body>> {
        let error = head.extensions.remove::<TemplateError>().map(|error| Problem::from(error.problem()));
        if let Some(problem) = head.extensions.remove::<Problem>().or(error) {
            return Some(self.live.error_page(&problem));
        }
        let is_dead_end = head.status.is_server_error() && !is_html(&head.headers);
        let problems = if is_dead_end && self.is_navigation { self.live.problems() } else { Vec::new() };
        (!problems.is_empty()).then(|| overlay::response(&problems))
    }

    fn tag(&self, templates: &[String]) -> String {
        if self.is_ours {
            tag(&self.live.shared().token, self.revision, templates, self.is_post)
        } else {
            // It is answered by what is to be set, for the console of the browser.
            element("refused")
        }
    }
}

/// What becomes of the body of an answer, from [`PendingPage::head`].
#[derive(Debug)]
pub enum PageBody {
    /// It stays what it is.
    Kept,
    /// The tag goes into it.
    Tagged(Tagging),
    /// Another one takes its place.
    Replaced(Body),
}

impl PageBody {
    /// The body that is to be sent in place of one.
    pub fn apply(self, body: Body) -> Body {
        match self {
            Self::Kept => body,
            Self::Tagged(tagging) => tagging.apply(body),
            Self::Replaced(page) => page,
        }
    }
}

/// The tag that goes into a page, from [`PageBody::Tagged`].
pub struct Tagging(Box<Injection>);

impl Tagging {
    /// The body with the tag in it, put there while it streams by.
    pub fn apply(self, body: Body) -> Body {
        self.0.put_into(body)
    }
}

impl fmt::Debug for Tagging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tagging").finish_non_exhaustive()
    }
}

fn asks_for_html(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(http::header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts.into_iter().any(|accept| accept.contains("text/html"))
}

fn is_html(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|mime| mime.as_bytes().to_ascii_lowercase().starts_with(b"text/html"))
}

/// The element by which a page has the client.
fn tag(token: &Token, revision: Revision, templates: &[String], is_post: bool) -> String {
    let mut ids: Vec<String> = templates.iter().map(|name| template_id(name)).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > MOST_TEMPLATES {
        ids.clear();
    }
    let post = is_post.then(|| "post".to_owned());
    let parts = [token.as_str().to_owned(), written(revision)].into_iter().chain(post).chain(ids);
    element(&parts.collect::<Vec<_>>().join("."))
}

fn element(query: &str) -> String {
    format!("<script src=\"/_rekindle/live.js?{query}\" defer></script>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_short_and_tells_no_path() {
        let token = Token::new().unwrap();
        let tag = |templates: &[&str], is_post| {
            let templates: Vec<String> = templates.iter().map(ToString::to_string).collect();
            tag(&token, 255, &templates, is_post).replace(token.as_str(), "TOKEN")
        };
        assert_eq!(
            tag(&[], false),
            r#"<script src="/_rekindle/live.js?TOKEN.00000000000000ff" defer></script>"#
        );
        let page = tag(&["blog/page.html", "blog/page.html"], true);
        let id = template_id("blog/page.html");
        assert_eq!(
            page,
            format!(r#"<script src="/_rekindle/live.js?TOKEN.00000000000000ff.post.{id}" defer></script>"#)
        );
        assert!(super::tag(&token, 0, &["blog/page.html".to_owned()], true).len() < 120);
    }
}
