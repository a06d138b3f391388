//! [`Route`]: which endpoint a request is for. Pure.

use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};

use crate::dashboard;

/// Below which path all endpoints are but those of LiveReload.
const PREFIX: &str = "/_rekindle/";

/// An endpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Route {
    /// `live.js`: the client of a page.
    Client,
    /// `worker.js`: what all pages share.
    Worker,
    /// `/livereload.js`
    LiveReloadScript,
    /// `socket`, and `/livereload`, where LiveReload's dialect is spoken as well.
    Socket { livereload: bool },
    /// `events`: server-sent events.
    Events,
    /// `poll`
    Poll,
    /// `renew`: the token, for a page of a run before.
    Renew,
    /// What is the dashboard's.
    Dashboard(dashboard::Route),
    /// Nothing, though it is below the prefix.
    Nothing,
}

impl Route {
    /// The endpoint of a request; `None` for one that is the program's. Nothing in the path is decoded.
    pub(crate) fn of(parts: &Parts) -> Option<Self> {
        let path = parts.uri.path();
        match path {
            "/livereload" if wants_socket(&parts.headers) => return Some(Self::Socket { livereload: true }),
            "/livereload.js" => return Some(Self::LiveReloadScript),
            _ => {}
        }
        if let Some(route) = dashboard::Route::of(path) {
            return Some(Self::Dashboard(route));
        }
        Some(match path.strip_prefix(PREFIX)? {
            "live.js" => Self::Client,
            "worker.js" => Self::Worker,
            "socket" => Self::Socket { livereload: false },
            "events" => Self::Events,
            "poll" => Self::Poll,
            "renew" => Self::Renew,
            _ => Self::Nothing,
        })
    }

    /// Whether only who has the token may ask, whatever else is known of them.
    pub(super) fn needs_token(self) -> bool {
        match self {
            Self::Socket { livereload } => !livereload,
            Self::Events | Self::Poll => true,
            Self::Dashboard(route) => route.needs_token(),
            Self::Client | Self::Worker | Self::LiveReloadScript | Self::Renew | Self::Nothing => false,
        }
    }

    /// For a method that there is no answer to: those that there is one to.
    pub(super) fn refuses(self, method: &Method) -> Option<&'static str> {
        let allowed: (&[Method], _) = match self {
            Self::Renew => (&[Method::POST], "POST"),
            Self::Socket { .. } | Self::Events | Self::Poll => (&[Method::GET], "GET"),
            Self::Client | Self::Worker | Self::LiveReloadScript => {
                (&[Method::GET, Method::HEAD], "GET, HEAD")
            }
            // The dashboard says it itself.
            Self::Dashboard(_) | Self::Nothing => return None,
        };
        (!allowed.0.contains(method)).then_some(allowed.1)
    }
}

/// Whether a request asks for a WebSocket.
pub(super) fn wants_socket(headers: &HeaderMap) -> bool {
    has_token(headers, &UPGRADE, "websocket") && has_token(headers, &CONNECTION, "upgrade")
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &str, headers: &[(&str, &str)]) -> Option<Route> {
        let request = headers
            .iter()
            .fold(http::Request::get(path), |request, (name, value)| request.header(*name, *value));
        Route::of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn only_the_very_paths_are_endpoints() {
        assert!(matches!(route("/_rekindle/live.js?a.b", &[]), Some(Route::Client)));
        assert!(matches!(route("/_rekindle/", &[]), Some(Route::Dashboard(_))));
        for path in
            ["/_rekindle/%6cive.js", "/_rekindle/LIVE.JS", "/_rekindle/../live.js", "/_rekindle/live.js/"]
        {
            assert!(matches!(route(path, &[]), Some(Route::Nothing)), "{path}");
        }
        for path in
            ["/", "/_rekindlex/", "/a/_rekindle/live.js", "/_REKINDLE/live.js", "/%5frekindle/live.js"]
        {
            assert!(route(path, &[]).is_none(), "{path}");
        }
    }

    #[test]
    fn a_page_named_livereload_is_left_to_the_program() {
        let socket = [("upgrade", "WebSocket"), ("connection", "keep-alive, Upgrade")];
        assert!(matches!(route("/livereload", &socket), Some(Route::Socket { livereload: true })));
        assert!(route("/livereload", &[]).is_none());
    }
}
