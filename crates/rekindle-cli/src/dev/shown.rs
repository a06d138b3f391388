//! [`Shown`]: what is answered with, and the engine that watches it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use rekindle::HotReloadManager;
use rekindle_web::Body;
use tower_service::Service;

use super::answer;
use super::args::DevArgs;
use super::proxy::Proxy;
use super::serve::Peer;
use crate::stop::Stop;

/// Left out of what is watched where that is not `templates/` and `static/`: what tools make.
const MADE: [&str; 4] = ["**/node_modules", "**/target", "**/__pycache__", "**/data/backups"];

/// An answer that is being made.
pub(super) type Answering<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

/// What is shown.
pub(super) struct Shown {
    manager: HotReloadManager,
    what: String,
    source: Source,
}

/// Where answers come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// Another server.
    Proxy(Proxy),
    /// Nothing yet.
    Nothing,
}

impl Shown {
    /// Begins to watch.
    ///
    /// # Errors
    ///
    /// What keeps the engine from starting.
    pub(super) async fn start(args: &DevArgs) -> Result<Self, Stop> {
        let manager = args.builder(&["**/*"], &MADE).start().await?;
        match &args.proxy {
            Some(upstream) => {
                let what = format!("{upstream}, and live reload for {}", manager.root().display());
                Ok(Self { manager, what, source: Source::Proxy(Proxy::new(upstream.clone())) })
            }
            None => {
                let what = manager.root().display().to_string();
                Ok(Self { manager, what, source: Source::Nothing })
            }
        }
    }

    /// In a few words.
    pub(super) fn what(&self) -> &str {
        &self.what
    }

    /// What answers a request.
    pub(super) fn service(&self) -> Source {
        self.source.clone()
    }

    /// Ends the engine.
    pub(super) async fn stop(self) -> Result<(), Stop> {
        Ok(self.manager.shutdown().await?)
    }
}

impl Source {
    async fn answer(self, request: Request<Incoming>) -> Response<Body> {
        match self {
            Self::Proxy(proxy) => {
                let peer = Peer::of(&request);
                proxy.answer(request, peer).await
            }
            Self::Nothing => answer::text(StatusCode::NOT_FOUND, "Nothing is here.\n"),
        }
    }
}

impl Service<Request<Incoming>> for Source {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let source = self.clone();
        Box::pin(async move { Ok(source.answer(request).await) })
    }
}
