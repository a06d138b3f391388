//! The dashboard at `/_rekindle/`: how everything is, for people.
//!
//! In: a request that the guard has let through. Out: the page and its files, or the answer to a question
//! of the control protocol. `route` says which is asked for (pure), `files` has what is served as it
//! is, `fleet` what the store of a fleet says, `api` answers questions, `events` says when to ask again, `problems` what is wrong.

mod api;
mod events;
mod files;
mod fleet;
mod headers;
mod problems;
mod route;

use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use rekindle::HotReloadManager;
use tokio::sync::watch;

use crate::{Body, Problem};
use fleet::Fleet;
use headers::{answer_of, refusal};

pub use route::Route;

/// Answers the requests of the dashboard.
///
/// It keeps the engine of its manager alive.
#[derive(Debug, Clone)]
pub struct Dashboard {
    manager: HotReloadManager,
    fleet: Fleet,
}

/// What the dashboard cannot know by itself.
#[derive(Debug, Clone, Default)]
pub struct About<'a> {
    /// The token that the page is to present.
    pub token: &'a str,
    /// The browsers that are connected.
    pub browsers: Vec<Browser>,
    /// What is wrong beside the configurations, which the dashboard asks the engine about itself.
    pub problems: Vec<Problem>,
    /// Changes whenever `browsers` or `problems` do, so that an open dashboard asks again. Without it they
    /// are as old as the last reload.
    pub changed: Option<watch::Receiver<u64>>,
}

/// A browser that is connected.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Browser {
    /// Its open pages: the path of each one's address, or an empty text for one that did not say.
    pub pages: Vec<String>,
    /// How it is connected: `WebSocket`, `SSE`, `poll`.
    pub transport: String,
    /// What it calls itself: the header `User-Agent`.
    pub agent: Option<String>,
    /// Since when it is there.
    #[serde(serialize_with = "time")]
    pub since: SystemTime,
}

/// A point in time, in UTC as RFC 3339 has it.
fn time<S: serde::Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    match jiff::Timestamp::try_from(*at) {
        Ok(at) => serializer.collect_str(&at),
        Err(_) => serializer.serialize_none(),
    }
}

impl Dashboard {
    /// The dashboard of an engine.
    pub fn new(manager: HotReloadManager) -> Self {
        Self { manager, fleet: Fleet::default() }
    }

    /// Shows the fleet that the program is one of as well, and lets people lead its rollouts.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[cfg(feature = "cluster")]
    pub fn fleet(self, client: rekindle_cluster::Client) -> Self {
        Self { fleet: Fleet::of(client), ..self }
    }

    /// Answers a request whose path is a [`Route`] of the dashboard; 404 for any other.
    ///
    /// Whoever calls it has checked the host, the origin, and, where the route
    /// [needs it](Route::needs_token), the token.
    ///
    /// # Cancel safety
    ///
    /// What an answer is no longer waited for is done all the same, if it has begun: a roll-back, a reload.
    pub async fn answer(&self, parts: &Parts, body: Bytes, about: &About<'_>) -> Response<Body> {
        let Some(route) = Route::of(parts.uri.path()) else {
            return refusal(StatusCode::NOT_FOUND, "There is nothing here.");
        };
        if let Some(allowed) = route.refuses(&parts.method) {
            return headers::wrong_method(allowed);
        }
        let answer = match route {
            Route::Bare => headers::redirect("_rekindle/"),
            Route::Page => answer_of(files::HTML, files::page(about.token)),
            Route::File(file) => answer_of(file.mime, file.content),
            Route::Events => {
                answer_of("text/event-stream", events::body(&self.manager, self.fleet.seen(), about))
            }
            Route::Api => api::answer((&self.manager, &self.fleet), parts, &body, about).await,
        };
        if parts.method == Method::HEAD { answer.map(|_| Body::empty()) } else { answer }
    }
}
