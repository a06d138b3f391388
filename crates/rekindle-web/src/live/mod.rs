//! [`LiveReload`]: the handle that a program keeps.

mod builder;
mod layer;
mod page;
mod port;

use std::fmt;
use std::sync::Arc;

use http::Response;
use http::request::Parts;
use rekindle::HotReloadManager;
use tokio::task::JoinSet;

pub use self::builder::LiveReloadBuilder;
pub use self::layer::{LiveReloadLayer, LiveReloadService};
pub use self::page::{PageBody, PendingPage, Tagging};

use crate::dashboard::Dashboard;
use crate::endpoint::{self, LiveAnswer, Route};
use crate::guard::{Guard, Token};
use crate::hub::Hub;
use crate::{Body, BoxError, Change, Problem, overlay, protocol};

/// What the program itself tells of, in the names of sources.
const OWN: &str = "program's own ";

/// What all handles share, without what keeps it going.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) hub: Arc<Hub>,
    pub(crate) guard: Guard,
    pub(crate) token: Token,
    pub(crate) dashboard: Dashboard,
}

/// Live reload in the browser: what pages are made of, who shows them, and what they missed.
///
/// Cheap to clone. It ends, and so do the connections with browsers, when the last handle is dropped or the engine
/// shut down. As long as it lives it keeps the engine running.
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
#[derive(Clone)]
pub struct LiveReload {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    /// What follows the sources and listens; it ends with the last handle.
    _tasks: JoinSet<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.hub.close();
    }
}

impl fmt::Debug for LiveReload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hub = &self.inner.shared.hub;
        f.debug_struct("LiveReload")
            .field("revision", &protocol::written(hub.revision()))
            .field("clients", &hub.clients().count())
            .finish_non_exhaustive()
    }
}

impl LiveReload {
    /// Live reload for what a manager watches.
    pub fn builder(manager: &HotReloadManager) -> LiveReloadBuilder {
        LiveReloadBuilder::new(manager.clone())
    }

    fn new(shared: Arc<Shared>, tasks: JoinSet<()>) -> Self {
        Self { inner: Arc::new(Inner { shared, _tasks: tasks }) }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    /// The layer to put around all services whose pages are to be live: it answers what is asked of the endpoints
    /// and puts the client into pages.
    pub fn layer(&self) -> LiveReloadLayer {
        LiveReloadLayer::new(self.clone())
    }

    /// Whether a request is for one of the endpoints, which [`answer`](Self::answer) answers.
    pub fn owns(&self, request: &Parts) -> bool {
        Route::of(request).is_some()
    }

    /// Answers a request to an endpoint, for servers that are no tower services: 404 where it is
    /// [none](Self::owns).
    ///
    /// Of a request that is let in the body is read, if it can have one: at most 1 MiB.
    ///
    /// # Cancel safety
    ///
    /// What is asked of the dashboard is done whether or not its answer is waited for, once it has begun.
    pub async fn answer<B>(&self, request: &Parts, body: B) -> LiveAnswer
    where
        B: http_body::Body,
        B::Error: Into<BoxError>,
    {
        let (route, shared) = (Route::of(request).unwrap_or(Route::Nothing), self.shared());
        let admitted = match endpoint::admit(shared, route, request) {
            Ok(admitted) => admitted,
            Err(refusal) => return LiveAnswer::Response(*refusal),
        };
        match endpoint::read(request, body).await {
            Ok(body) => endpoint::answer(shared, admitted, request, body).await,
            Err(refusal) => LiveAnswer::Response(*refusal),
        }
    }

    /// What a page will show that is rendered from now on. Taken before it is, so that nothing is missed.
    ///
    /// The headers of the request are made such that its answer can carry the client.
    pub fn page(&self, request: &mut Parts) -> PendingPage {
        PendingPage::new(self, request)
    }

    /// Has every open page loaded anew.
    pub fn reload(&self) {
        self.shared().hub.reload();
    }

    /// Tells pages of changes of what nothing here follows, of one step. Of resources that have the content that
    /// they had already, nothing is told.
    ///
    /// ```
    /// # use rekindle::HotReload;
    /// use rekindle_web::{Change, LiveReload, Update};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let root = tempfile::tempdir()?;
    /// # let manager = HotReload::builder(root.path()).start().await?;
    /// let live = LiveReload::builder(&manager).start()?;
    /// let update = Update::Style { old: "/theme.css".into(), new: "/theme.css".into() };
    /// live.publish([Change { resource: "theme".into(), content: Some(0x5eed), update }]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn publish(&self, changes: impl IntoIterator<Item = Change>) {
        self.shared().hub.change(OWN, changes);
    }

    /// Tells pages of what nothing tells of by itself, until something else is said of the same `source`.
    ///
    /// An empty list ends it.
    pub fn set_problems(&self, source: &str, problems: Vec<Problem>) {
        self.shared().hub.set_problems(&format!("{OWN}{source}"), problems);
    }

    /// All that is wrong right now.
    pub fn problems(&self) -> Vec<Problem> {
        self.shared().hub.problems().1
    }

    /// How many clients are connected: browsers, rather than their tabs.
    pub fn clients(&self) -> usize {
        self.shared().hub.clients().count()
    }

    /// The page that is shown when nothing can be rendered: all that is wrong, and, once it went through the
    /// [layer](Self::layer), the client that loads the page anew when it is mended. Its status is 500.
    ///
    /// A handler that has no handle can put the [`Problem`] into the extensions of its answer instead, or a
    /// [`TemplateError`](rekindle_templates::TemplateError): the layer then replaces that answer by this page.
    pub fn error_page(&self, problem: &Problem) -> Response<Body> {
        let others = self.problems().into_iter().filter(|other| other.id != problem.id);
        let problems: Vec<_> = std::iter::once(problem.clone()).chain(others).collect();
        overlay::response(&problems)
    }
}
