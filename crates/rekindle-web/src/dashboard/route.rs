//! [`Route`]: a path in, what is there out. Pure.

use http::Method;

use super::files::{FILES, File};

/// Below what path everything of the dashboard is.
const PREFIX: &str = "/_rekindle/";

/// What of the dashboard is asked for.
///
/// ```
/// use rekindle_web::dashboard::Route;
///
/// assert!(Route::of("/_rekindle/api").is_some_and(|route| route.needs_token()));
/// assert!(Route::of("/_rekindle/").is_some_and(|route| !route.needs_token()));
/// assert!(Route::of("/_rekindle/socket").is_none());
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Route {
    /// `/_rekindle`: the page, but for the slash without which its links would lead elsewhere.
    Bare,
    /// `/_rekindle/`: the page. It has the token in it, which no other site can read.
    Page,
    /// A script or a stylesheet of the page: the same for everyone.
    File(&'static File),
    /// `/_rekindle/dashboard-events`: server-sent events, one for each time that the page should ask again.
    Events,
    /// `/_rekindle/api`: requests of the control protocol.
    Api,
}

impl Route {
    /// What is at a path; `None` for what is not the dashboard's. The path is taken literally: nothing in it is decoded.
    pub fn of(path: &str) -> Option<Self> {
        match path.strip_prefix(PREFIX) {
            None => (path == "/_rekindle").then_some(Self::Bare),
            Some("") => Some(Self::Page),
            Some("api") => Some(Self::Api),
            Some("dashboard-events") => Some(Self::Events),
            Some(name) => FILES.iter().find(|file| file.name == name).map(Self::File),
        }
    }

    /// Whether only who has the token may ask.
    pub fn needs_token(&self) -> bool {
        matches!(self, Self::Api | Self::Events)
    }

    /// For a method that it has no answer to: those that it has one to.
    pub(super) fn refuses(self, method: &Method) -> Option<&'static str> {
        let allowed: (&[Method], _) = match self {
            Self::Api => (&[Method::POST], "POST"),
            Self::Events => (&[Method::GET], "GET"),
            Self::Bare | Self::Page | Self::File(_) => (&[Method::GET, Method::HEAD], "GET, HEAD"),
        };
        (!allowed.0.contains(method)).then_some(allowed.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_paths_are_the_dashboards() {
        for path in ["/_rekindle", "/_rekindle/", "/_rekindle/api", "/_rekindle/dashboard-events"] {
            assert!(Route::of(path).is_some(), "{path}");
        }
        for file in FILES {
            assert!(matches!(Route::of(&format!("{PREFIX}{}", file.name)), Some(Route::File(_))));
        }
        for path in ["", "/", "/_rekindle/socket", "/_rekindle/%61pi", "/_rekindle/./api", "/_rekindle/API"] {
            assert!(Route::of(path).is_none(), "{path}");
        }
    }

    #[test]
    fn the_api_takes_nothing_but_posts() {
        assert_eq!(Route::Api.refuses(&Method::GET), Some("POST"));
        assert_eq!(Route::Api.refuses(&Method::POST), None);
        assert_eq!(Route::Page.refuses(&Method::POST), Some("GET, HEAD"));
        assert_eq!(Route::Page.refuses(&Method::HEAD), None);
    }
}
