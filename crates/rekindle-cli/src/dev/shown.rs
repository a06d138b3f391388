//! [`Shown`]: what is answered with, and the engine that watches it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use hyper::body::Incoming;
use rekindle::HotReloadManager;
use rekindle_templates::{Assets, MiniJinja, Templates};
use rekindle_web::{Body, LiveReload, LiveReloadBuilder, LiveReloadService};
use tower_layer::Layer;
use tower_service::Service;

use super::args::DevArgs;
use super::disk::Disk;
use super::files::Files;
use super::meaning;
use super::proxy::Proxy;
use super::serve::Peer;
use super::site::{Plain, Site};
use crate::stop::Stop;

/// Left out of what is watched where that is not `templates/` and `static/`: what tools make.
const LEFT_OUT: [&str; 4] = ["**/node_modules", "**/target", "**/__pycache__", "data/backups"];

/// An answer that is being made.
pub(super) type Answering<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

/// What is shown, and what tells browsers of it.
pub(super) struct Shown {
    pub(super) manager: HotReloadManager,
    pub(super) templates: Option<Templates<MiniJinja>>,
    live: LiveReload,
    what: String,
    source: Origin,
}

/// Where answers come from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// Another server.
    Proxy(Box<Proxy>),
    /// Templates, configurations and static files.
    Site(Site),
    /// Files.
    Plain(Plain),
}

impl Shown {
    /// Begins to watch.
    ///
    /// # Errors
    ///
    /// What keeps the engine from starting.
    pub(super) async fn start(args: &DevArgs) -> Result<Self, Stop> {
        match &args.proxy {
            Some(upstream) => Self::proxy(args, Proxy::new(upstream.clone()), upstream.to_string()).await,
            None if args.dir.join("templates").is_dir() => Self::site(args).await,
            None => Self::plain(args).await,
        }
    }

    async fn proxy(args: &DevArgs, proxy: Proxy, upstream: String) -> Result<Self, Stop> {
        let manager = args.builder(&["**/*"], &LEFT_OUT).start().await?;
        let behind = proxy.clone();
        let files = Files::new(&manager, Box::new(move |name, is_gone| behind.effect(name, is_gone)));
        let live = live(args, &manager).source(files).start()?;
        let (back, told) = (proxy.clone(), live.clone());
        tokio::spawn(async move {
            loop {
                back.is_back().await;
                told.reload();
            }
        });
        let what = format!("{upstream}, and each save in {}", manager.root().display());
        Ok(Self { manager, templates: None, live, what, source: Origin::Proxy(Box::new(proxy)) })
    }

    async fn site(args: &DevArgs) -> Result<Self, Stop> {
        let manager = args.builder(&["templates/**/*", "static/**/*"], &[]).start().await?;
        let assets = Assets::watch(&manager, "static/**").await?;
        let addresses = assets.clone();
        let templates = Templates::<MiniJinja>::builder()
            .configure(|engine| engine.add_function("asset", move |name: String| asset(addresses.url(&name))))
            .watch(&manager, "templates/**")
            .await?;
        let live = live(args, &manager).templates(&templates).assets(&assets).start()?;
        let what = format!("templates/, static/ and config/ of {}", manager.root().display());
        let files = rekindle_web::Files::new(assets);
        let site = Site { manager: manager.clone(), templates: templates.clone(), files, live: live.clone() };
        Ok(Self { manager, templates: Some(templates), live, what, source: Origin::Site(site) })
    }

    async fn plain(args: &DevArgs) -> Result<Self, Stop> {
        let manager = args.builder(&["**/*"], &LEFT_OUT).start().await?;
        let disk = Disk::new(manager.root());
        let files = Files::new(&manager, Box::new(|name, is_gone| meaning::of("", name, is_gone)));
        let live = live(args, &manager).source(files).start()?;
        let what = format!("the files of {}", manager.root().display());
        Ok(Self { manager, templates: None, live, what, source: Origin::Plain(Plain(disk)) })
    }

    /// In a few words.
    pub(super) fn what(&self) -> &str {
        &self.what
    }

    /// What answers a request.
    pub(super) fn service(&self) -> LiveReloadService<Origin> {
        self.live.layer().layer(self.source.clone())
    }

    /// What browsers do when a file is saved, for people.
    pub(super) fn words(&self, file: &str) -> &'static str {
        match &self.source {
            Origin::Proxy(proxy) => meaning::words(&proxy.updates(file)),
            _ => meaning::words(&meaning::of("", file, false)),
        }
    }

    /// Ends the engine.
    pub(super) async fn stop(self) -> Result<(), Stop> {
        let Self { manager, templates, live, source, .. } = self;
        drop((templates, live, source));
        Ok(manager.shutdown().await?)
    }
}

/// The address of a static file in a page, where nothing of it has to be escaped but what would end an attribute.
fn asset(address: String) -> minijinja::Value {
    let is_plain = !address.contains(['<', '>', '"', '\'', '&']);
    if is_plain { minijinja::Value::from_safe_string(address) } else { minijinja::Value::from(address) }
}

fn live(args: &DevArgs, manager: &HotReloadManager) -> LiveReloadBuilder {
    // This program is for development, however it was built.
    let builder = LiveReload::builder(manager).in_release(true);
    let names = args.allow_host.iter().cloned().chain([args.host.to_string()]);
    names.fold(builder, LiveReloadBuilder::allow_host)
}

impl Service<Request<Incoming>> for Origin {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let origin = self.clone();
        Box::pin(async move {
            Ok(match origin {
                Self::Proxy(proxy) => {
                    let peer = Peer::of(&request);
                    proxy.answer(request, peer).await
                }
                Self::Site(site) => site.answer(&request).await,
                Self::Plain(plain) => plain.answer(&request),
            })
        })
    }
}
