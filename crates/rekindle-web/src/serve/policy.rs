//! [`Policy`]: by what requests are answered, all of one generation.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use tower_service::Service;

use super::config::{Limits, ServeConfig, Timeouts};
use crate::{Body, BoxError};

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

/// The program's service, whatever its type.
pub(super) struct App(Box<dyn Fn(Request<Incoming>) -> Answering + Send + Sync>);

impl App {
    pub(super) fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Box::new(move |request| {
            let mut service = service.clone();
            Box::pin(async move {
                poll_fn(|context| service.poll_ready(context)).await.map_err(Into::into)?;
                let response = service.call(request).await.map_err(Into::into)?;
                Ok(response.map(Body::new))
            })
        }))
    }

    pub(super) fn answer(&self, request: Request<Incoming>) -> Answering {
        (self.0)(request)
    }
}

/// By what requests are answered, all of one generation. A request takes it once, as it begins.
pub(super) struct Policy {
    pub(super) app: App,
    pub(super) limits: Limits,
    pub(super) timeouts: Timeouts,
    pub(super) health: Option<String>,
}

impl Policy {
    pub(super) fn new(app: App, config: &ServeConfig) -> Arc<Self> {
        let (limits, timeouts, health) =
            (config.limits.clone(), config.timeouts.clone(), config.health.clone());
        Arc::new(Self { app, limits, timeouts, health })
    }
}
