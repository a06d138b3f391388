//! The tower layer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use tower_layer::Layer;
use tower_service::Service;

use crate::endpoint::{self, LARGEST_BODY};
use crate::live::{LiveAnswer, LiveReload};
use crate::{Body, BoxError, socket};

/// Puts live reload around a service, from [`LiveReload::layer`].
#[derive(Debug, Clone)]
pub struct LiveReloadLayer {
    live: LiveReload,
}

impl LiveReloadLayer {
    pub(crate) fn new(live: LiveReload) -> Self {
        Self { live }
    }
}

impl<S> Layer<S> for LiveReloadLayer {
    type Service = LiveReloadService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        LiveReloadService { live: self.live.clone(), inner }
    }
}

/// A service with live reload around it.
#[derive(Debug, Clone)]
pub struct LiveReloadService<S> {
    live: LiveReload,
    inner: S,
}

impl<S, In, Out> Service<Request<In>> for LiveReloadService<S>
where
    S: Service<Request<In>, Response = Response<Out>> + Clone + Send + 'static,
    S::Future: Send,
    In: http_body::Body + Send + 'static,
    In::Data: Send,
    In::Error: Into<BoxError>,
    Out: http_body::Body<Data = Bytes> + Send + 'static,
    Out::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<In>) -> Self::Future {
        let live = self.live.clone();
        if live.owns(request.uri().path()) {
            return Box::pin(async move { Ok(answer(&live, request).await) });
        }
        // The one that is ready, and not its clone, has to take the call.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let page = live.page(&mut parts);
            let rendered = rekindle_templates::recorded(inner.call(Request::from_parts(parts, body)));
            let (response, templates) = rendered.await;
            Ok(page.finish(&templates, response?.map(Body::new)))
        })
    }
}

async fn answer<B>(live: &LiveReload, request: Request<B>) -> Response<Body>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
        return endpoint::text(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The request is too large, or was not finished.",
        );
    };
    match live.answer(&parts, body.to_bytes()).await {
        Some(LiveAnswer::Response(response)) => response,
        Some(LiveAnswer::Socket(session, place)) => {
            socket::upgrade(Request::from_parts(parts, ()), session, place)
        }
        None => endpoint::text(StatusCode::NOT_FOUND, "There is nothing here."),
    }
}
