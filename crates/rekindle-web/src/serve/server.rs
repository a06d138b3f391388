//! [`Server`]: how a server is built from its configuration.

use std::fmt;
use std::future::{Future, ready};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use rekindle::service::{Service, Supervised, Supervisor};
use rekindle::{Error, ErrorKind, HotReloadManager, Result};
use serde::de::DeserializeOwned;

use super::acceptor;
use super::config::{Listen, ServeConfig};
use super::listener::{Claim, Listener, Terms};
use super::policy::{App, Policy};
use super::secured::Secured;
use super::serving::Serving;
use super::shared::Shared;
use super::socket::Socket;
use super::tls::Freshness;
use crate::BoxError;

/// Makes the program's service from a configuration.
type Build<T> = Box<dyn Fn(&T) -> Building + Send + Sync>;
type Building = Pin<Box<dyn Future<Output = Result<App>> + Send>>;

/// A server that is changed while it serves, for any tower service: see the [module](super) for all of it.
///
/// It is a [`Service`]: [`start`](Self::start) has it supervised, and gives a handle of the generation that serves.
/// A [`Supervisor`] of your own may say more: a name, an order, [how long an old one may
/// drain](Supervisor::drain_within).
pub struct Server<T> {
    build: Build<T>,
    root: PathBuf,
    at: String,
}

/// What one generation of a server hands to the next: the sockets that are held, and what is counted.
#[derive(Clone)]
pub struct Handover(pub(super) Arc<Shared>);

impl fmt::Debug for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handover").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Server<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("root", &self.root).field("at", &self.at).finish_non_exhaustive()
    }
}

impl<T> Server<T>
where
    T: AsRef<ServeConfig> + DeserializeOwned + Clone + Send + Sync + 'static,
{
    /// A server whose service is made from the configuration, now and at each change: its routes, and all else
    /// that they are made from. An error refuses the change.
    ///
    /// What is to outlive a change, such as a cache, belongs outside of the function: it is given an `Arc` of it.
    pub fn new<F, S, B>(build: F) -> Self
    where
        F: Fn(&T) -> Result<S> + Send + Sync + 'static,
        S: tower_service::Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::building(move |config| ready(build(config)))
    }

    /// The same, for a service that takes a while to be made.
    pub fn building<F, Fut, S, B>(build: F) -> Self
    where
        F: Fn(&T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S>> + Send + 'static,
        S: tower_service::Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let build = move |config: &T| -> Building {
            let building = build(config);
            Box::pin(async move { building.await.map(App::new) })
        };
        Self { build: Box::new(build), root: PathBuf::new(), at: String::new() }
    }

    /// Where in the configuration's value the [`ServeConfig`] stands, as a JSON pointer, for errors that point at
    /// it. Default: it is the value.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.at = pointer.into();
        self
    }

    /// What relative paths are relative to. Default: the root of the engine with [`start`](Self::start), and the
    /// working directory with a [`Supervisor`] of your own.
    #[must_use]
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = root.into();
        self
    }

    /// Serves as the part at a JSON pointer in a configuration says (the empty pointer: all of it), and goes on
    /// doing so whatever that comes to be.
    ///
    /// # Errors
    ///
    /// Those of [`Supervisor::start`], of the function that makes the service, and: an address that cannot be
    /// had, a certificate or key that cannot be used, a service that says that it is not well.
    pub async fn start(
        mut self,
        manager: &HotReloadManager,
        config_name: &str,
        pointer: &str,
    ) -> Result<Supervised<Self>> {
        if self.root.as_os_str().is_empty() {
            self.root = manager.root().to_owned();
        }
        Supervisor::new(self).named("server").start(manager, config_name, pointer).await
    }

    /// The listeners of a generation, each with its claim: held ones, and new ones that are on trial.
    async fn listeners(&self, config: &ServeConfig, parts: &Parts) -> Result<Vec<(Claim, Arc<Terms>)>> {
        let mut listeners = Vec::with_capacity(config.listen.len());
        for (name, listen) in &config.listen {
            let located = |error: Error| {
                let pointer = format!("{}/listen/{name}{}", self.at, error.pointer().unwrap_or(""));
                error.about(pointer)
            };
            listeners.push(self.listener(name, listen, parts).await.map_err(located)?);
        }
        Ok(listeners)
    }

    async fn listener(&self, name: &str, listen: &Listen, parts: &Parts) -> Result<(Claim, Arc<Terms>)> {
        let tls = match &listen.tls {
            Some(tls) => {
                Some(Secured::of(tls, &self.root, &parts.shared, parts.freshness).await.map_err(in_tls)?)
            }
            None => None,
        };
        let terms = Arc::new(Terms { name: name.into(), tls, mode: listen.mode });
        let claim = parts.claim(listen, &terms).await?;
        Ok((claim, terms))
    }
}

fn in_tls(error: Error) -> Error {
    let pointer = format!("/tls{}", error.pointer().unwrap_or(""));
    error.about(pointer)
}

/// What a generation is put together from.
struct Parts {
    shared: Arc<Shared>,
    policy: Arc<Policy>,
    freshness: Freshness,
}

impl Parts {
    /// The listener of an address: never bound again while it is held.
    async fn claim(&self, listen: &Listen, terms: &Arc<Terms>) -> Result<Claim> {
        let _one_at_a_time = self.shared.binding.lock().await;
        if let Some(claim) = self.shared.claim(&listen.address).await {
            claim.listener().try_out(&self.policy, terms);
            return Ok(claim);
        }
        let socket = Socket::bind(&listen.address, listen.mode).await?;
        let (address, bound) = (listen.address.clone(), socket.bound().clone());
        let listener = Listener::new(address, bound, Arc::clone(terms), Arc::clone(&self.policy));
        let claim = self.shared.hold(&listener);
        let taken = || Error::new(ErrorKind::Busy, "it is being bound at this moment");
        let claim = claim.ok_or_else(taken)?;
        tokio::spawn(acceptor::accept(listener, socket, Arc::clone(&self.shared)));
        Ok(claim)
    }
}

/// What cannot be meant.
fn check(config: &ServeConfig) -> Result<()> {
    if config.listen.is_empty() {
        let error = Error::new(ErrorKind::Check, "a server listens somewhere").about("/listen");
        return Err(error.help("give at least one, as in: listen.local = \"127.0.0.1:8080\""));
    }
    let mut seen = std::collections::BTreeMap::new();
    for (name, listen) in &config.listen {
        if let Some(other) = seen.insert(&listen.address, name) {
            let message = format!("`{other}` listens on {} already", listen.address);
            return Err(Error::new(ErrorKind::Check, message).about(format!("/listen/{name}")));
        }
    }
    match config.health.as_deref().map(|path| (path, path.parse::<http::uri::PathAndQuery>())) {
        Some((path, parsed)) if parsed.is_err() || !path.starts_with('/') => {
            let error = Error::new(ErrorKind::Check, format!("`{path}` is no path of an address"));
            Err(error.about("/health").help("it begins with `/`, as in \"/health\""))
        }
        _ => Ok(()),
    }
}

impl<T> Service for Server<T>
where
    T: AsRef<ServeConfig> + DeserializeOwned + Clone + Send + Sync + 'static,
{
    type Config = T;
    type State = Handover;
    type Running = Serving;

    async fn build(&self, config: &T, state: Option<Handover>) -> Result<Serving> {
        let app = (self.build)(config).await?;
        let freshness = if state.is_some() { Freshness::Required } else { Freshness::WarnOnly };
        let shared = state.map_or_else(Shared::new, |handover| Ok(handover.0))?;
        let config = config.as_ref();
        let located = |error: Error| {
            let pointer = format!("{}{}", self.at, error.pointer().unwrap_or(""));
            error.about(pointer)
        };
        check(config).map_err(located)?;
        let parts = Parts { shared, policy: Policy::new(app, config), freshness };
        let listeners = self.listeners(config, &parts).await?;
        let Parts { shared, policy, .. } = parts;
        Ok(Serving::new(shared, policy, listeners, self.at.clone()))
    }
}
