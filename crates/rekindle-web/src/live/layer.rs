//! The tower layer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use hyper::upgrade::OnUpgrade;
use tower_layer::Layer;
use tower_service::Service;

use super::LiveReload;
use crate::endpoint::{LiveAnswer, socket};
use crate::{Body, BoxError, Pinned};

/// Puts live reload around a service, from [`LiveReload::layer`].
#[derive(Debug, Clone)]
pub struct LiveReloadLayer {
    live: LiveReload,
}

impl LiveReloadLayer {
    pub(super) fn new(live: LiveReload) -> Self {
        Self { live }
    }
}

impl<S> Layer<S> for LiveReloadLayer {
    type Service = LiveReloadService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        LiveReloadService { live: self.live.clone(), inner }
    }
}

/// A service with live reload around it, from [`LiveReloadLayer`].
#[derive(Clone)]
pub struct LiveReloadService<S> {
    live: LiveReload,
    inner: S,
}

impl<S> fmt::Debug for LiveReloadService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveReloadService").field("live", &self.live).finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for LiveReloadService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let live = self.live.clone();
        let (parts, body) = request.into_parts();
        if live.owns(&parts) {
            return Box::pin(async move { Ok(endpoint(&live, parts, body).await) });
        }
        // The one that is ready is the one to be called.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move { through(&live, &mut inner, parts, body).await })
    }
}

/// A request that is the program's.
async fn through<S, B, R>(
    live: &LiveReload,
    inner: &mut S,
    mut parts: Parts,
    body: B,
) -> Result<Response<Body>, S::Error>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    let page = live.page(&mut parts);
    // For frameworks in which nobody can add to the extensions later.
    parts.extensions.get_or_insert_default::<Pinned>();
    let rendered = rekindle_templates::recorded(inner.call(Request::from_parts(parts, body)));
    let (response, templates) = rendered.await;
    Ok(page.finish(&templates, response?.map(Body::new)))
}

/// A request to an endpoint.
async fn endpoint<B>(live: &LiveReload, mut parts: Parts, body: B) -> Response<Body>
where
    B: http_body::Body,
    B::Error: Into<BoxError>,
{
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    match live.answer(&parts, body).await {
        LiveAnswer::Response(response) => response,
        LiveAnswer::Socket(session) => socket::accept(&parts.headers, upgrade, session),
    }
}
