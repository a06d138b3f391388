//! [`LiveReload`]: the handle, and how it is made.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use rekindle::{Error, ErrorKind, HotReloadManager, Result};
use rekindle_templates::{Assets, Engine, Templates};
use tokio::task::JoinSet;

use crate::dashboard::{About, Dashboard};
use crate::endpoint::{Answer, Route};
use crate::guard::{Guard, Token};
use crate::hub::{Hub, hash, template_id};
use crate::inject::{self, Wish};
use crate::protocol;
use crate::source::{AssetsSource, Configs, Source, TemplatesSource, follow};
use crate::{Body, LiveReloadLayer, Problem, Session, Update, overlay};

/// How many browsers are connected at most; further ones are asked to come later.
const MOST_CLIENTS: usize = 4096;

/// Live reload in the browser: what pages are made of, who shows them, and what they missed.
///
/// Cheap to clone. It lives as long as a clone or a layer of it does.
///
/// ```
/// # use rekindle::HotReload;
/// # use rekindle_web::LiveReload;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let root = tempfile::tempdir()?;
/// let manager = HotReload::builder(root.path()).start().await?;
/// let live = LiveReload::builder(&manager).start()?;
/// let layer = live.layer(); // for any tower service
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct LiveReload {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) hub: Arc<Hub>,
    pub(crate) guard: Guard,
    pub(crate) token: Token,
    pub(crate) dashboard: Dashboard,
    clients: Arc<AtomicUsize>,
    /// Follows the sources until it is dropped.
    _followers: JoinSet<()>,
}

/// Makes a [`LiveReload`].
#[must_use = "it does nothing until it is started"]
pub struct LiveReloadBuilder {
    manager: HotReloadManager,
    sources: Vec<Box<dyn Source>>,
    guard: Guard,
    in_release: bool,
}

impl std::fmt::Debug for LiveReloadBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveReloadBuilder").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl LiveReloadBuilder {
    /// Has pages follow the templates that they are rendered from.
    pub fn templates<E: Engine>(self, templates: &Templates<E>) -> Self {
        self.source(TemplatesSource::new(templates.clone()))
    }

    /// Has pages follow the static files that they use.
    pub fn assets(self, assets: &Assets) -> Self {
        self.source(AssetsSource::new(assets.clone()))
    }

    /// Has pages follow a source of one's own, beside the configurations.
    pub fn source(mut self, source: impl Source) -> Self {
        self.sources.push(Box::new(source));
        self
    }

    /// Lets the server be reached by a name or an address other than the loopback's: `dev.example`. Without a port.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.guard.hosts.push(host.into().to_ascii_lowercase());
        self
    }

    /// Lets pages of another origin connect: `https://dev.example:8443`.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.guard.origins.push(origin.into().to_ascii_lowercase());
        self
    }

    /// Whether it may be started in a release build. It may not by default: it is meant for development, and
    /// tells browsers of the program what no visitor is to know.
    pub fn in_release(mut self, allowed: bool) -> Self {
        self.in_release = allowed;
        self
    }

    /// Starts to follow the sources.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Other`] in a release build, unless that was [allowed](Self::in_release), and where the
    /// system has no randomness for the token.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(self) -> Result<LiveReload> {
        if !cfg!(debug_assertions) && !self.in_release {
            let message = "live reload is for development, and this is a release build: start it in debug \
                           builds alone, or say `.in_release(true)`";
            return Err(Error::new(ErrorKind::Other, message));
        }
        let token = Token::new().map_err(|cause| {
            Error::new(ErrorKind::Other, format!("there is no randomness for the token: {cause}"))
        })?;
        let hub = Arc::new(Hub::new(program()));
        let mut followers = JoinSet::new();
        let configs: Box<dyn Source> = Box::new(Configs::new(self.manager.clone()));
        for source in std::iter::once(configs).chain(self.sources) {
            follow(&hub, source, &mut followers);
        }
        let dashboard = Dashboard::new(self.manager);
        let clients = Arc::default();
        let inner = Inner { hub, guard: self.guard, token, dashboard, clients, _followers: followers };
        Ok(LiveReload { inner: Arc::new(inner) })
    }
}

impl LiveReload {
    /// Live reload for what a manager watches.
    pub fn builder(manager: &HotReloadManager) -> LiveReloadBuilder {
        LiveReloadBuilder {
            manager: manager.clone(),
            sources: Vec::new(),
            guard: Guard::default(),
            in_release: false,
        }
    }

    /// The layer that answers the endpoints and puts the tag into the pages of the service below it.
    pub fn layer(&self) -> LiveReloadLayer {
        LiveReloadLayer::new(self.clone())
    }

    /// Has every open page loaded anew.
    pub fn reload(&self) {
        self.inner.hub.reload();
    }

    /// Tells pages of what nothing tells of by itself, until something else is said of the same `source`.
    ///
    /// An empty list ends it.
    pub fn set_problems(&self, source: &str, problems: Vec<Problem>) {
        self.inner.hub.set_problems(source, problems);
    }

    /// All that is wrong right now.
    pub fn problems(&self) -> Vec<Problem> {
        self.inner.hub.problems().1
    }

    /// The page that is shown when nothing can be rendered: all that is wrong, and the client that loads the
    /// page anew once it is mended. Its status is 500.
    pub fn error_page(&self, problem: &Problem) -> Response<Body> {
        let mut problems = vec![problem.clone()];
        problems.extend(self.problems().into_iter().filter(|other| other.id != problem.id));
        let mut response = Response::new(Body::from(overlay::page(&problems)));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert("cache-control", HeaderValue::from_static("no-store"));
        response
    }

    /// Whether a path is one of the endpoints.
    pub fn owns(&self, path: &str) -> bool {
        Route::of(path).is_some()
    }

    /// Answers a request to an endpoint, for servers that are no tower services.
    ///
    /// `None` when the path is [not ours](Self::owns). `body` is that of the request, of which 64 KiB are enough.
    pub async fn answer(&self, parts: &Parts, body: Bytes) -> Option<LiveAnswer> {
        let route = Route::of(parts.uri.path())?;
        let answer = match self.inner.answer(route, parts, body).await {
            Answer::Response(response) => LiveAnswer::Response(response),
            Answer::Socket(session) => match self.enter() {
                Some(place) => LiveAnswer::Socket(session, place),
                None => LiveAnswer::Response(crate::endpoint::text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "There are too many browsers; come later.",
                )),
            },
        };
        Some(answer)
    }

    fn enter(&self) -> Option<Place> {
        let place = Place(Arc::clone(&self.inner.clients));
        (place.0.fetch_add(1, Ordering::Relaxed) < MOST_CLIENTS).then_some(place)
    }

    /// What a page will show that is rendered from now on. Taken before it is, so that nothing is missed.
    pub fn page(&self, request: &mut Parts) -> PendingPage {
        let revision = protocol::written(self.inner.hub.revision());
        let mut wish = Wish::of(request);
        // A page that a cache revived would have the token of a run before.
        let stamp = format!("{}.{revision}", self.inner.token.as_str());
        wish.prepare(&mut request.headers, &stamp);
        PendingPage { live: self.clone(), wish, revision, is_post: !request.method.is_safe() }
    }
}

/// What an endpoint answers.
#[derive(Debug)]
pub enum LiveAnswer {
    /// An answer like any other.
    Response(Response<Body>),
    /// The request is that of a WebSocket: accept it, give the session what comes in and send what it has to
    /// say. The place is held for as long as the connection lasts.
    Socket(Session, Place),
}

/// A connection's place among those that there may be at once.
#[derive(Debug)]
pub struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A page that is being rendered.
#[derive(Debug)]
pub struct PendingPage {
    live: LiveReload,
    wish: Wish,
    revision: String,
    is_post: bool,
}

impl PendingPage {
    /// The answer, with the tag in it where it is a page.
    ///
    /// `templates` are those that it was rendered from; none when that is not known, which makes it one that
    /// every template concerns.
    pub fn finish(self, templates: &[String], response: Response<Body>) -> Response<Body> {
        inject::apply(&self.wish, &self.tag(templates), response)
    }

    fn tag(&self, templates: &[String]) -> String {
        let token = self.live.inner.token.as_str();
        let mut address = format!("/_rekindle/live.js?{token}.{}", self.revision);
        if self.is_post {
            address.push_str(".post");
        }
        for template in templates {
            address.push('.');
            address.push_str(&template_id(template));
        }
        format!("<script src=\"{address}\" defer></script>")
    }
}

impl Inner {
    pub(crate) fn about(&self) -> About<'_> {
        About {
            token: self.token.as_str(),
            browsers: Vec::new(),
            problems: self.hub.problems().1,
            changed: Some(self.hub.stirred()),
        }
    }
}

/// What tells one build of the program from another: a page of the one before is loaded anew.
fn program() -> u64 {
    let data = std::env::current_exe().and_then(|path| path.metadata());
    match data {
        Ok(data) => hash(&(data.len(), data.modified().ok())),
        // Every run is another program then.
        Err(_) => RandomState::new().hash_one(0),
    }
}

// Kept beside the handle, as both are about who is told what.
impl Update {
    /// That pages are to be rendered anew, whatever they are made of.
    pub fn all_pages() -> Self {
        Self::Page { templates: Vec::new() }
    }
}
