//! Programs that serve the site and tell browsers of changes, each in a process of its own.

use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;

use axum::Router;
use axum::response::Html;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures_util::Stream;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use rekindle::{HotReload, HotReloadManager};
use rekindle_axum::RouterExt;
use rekindle_templates::{Assets, MiniJinja, Templates};
use rekindle_web::{Files, LiveReload};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

use crate::harness::Result;

/// What keeps the watching going.
type Guard = Box<dyn std::any::Any + Send>;

/// A server that is being started.
type Starting<'a> = Pin<Box<dyn Future<Output = Result<(Router, Guard)>> + 'a>>;

/// A server of a directory.
struct Server {
    name: &'static str,
    start: fn(&Path) -> Starting<'_>,
}

pub(super) const REKINDLE: &str = "rekindle";
pub(super) const LIVERELOAD: &str = "tower-livereload";
pub(super) const BY_HAND: &str = "by hand";

const ALL: [Server; 3] = [
    Server { name: REKINDLE, start: |root| Box::pin(rekindle(root)) },
    Server { name: LIVERELOAD, start: |root| Box::pin(livereload(root)) },
    Server { name: BY_HAND, start: |root| Box::pin(by_hand(root)) },
];

/// Serves in the background; gives the port.
pub(super) async fn serve(name: &str, root: &Path) -> Result<(u16, Guard)> {
    let server = ALL.iter().find(|server| server.name == name).ok_or("no such server")?;
    let (router, guard) = (server.start)(root).await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((port, guard))
}

async fn rekindle(root: &Path) -> Result<(Router, Guard)> {
    let manager = HotReload::builder(root).start().await?;
    let templates = Templates::<MiniJinja>::watch(&manager, "templates/**").await?;
    let assets = Assets::watch(&manager, "static/**").await?;
    let live =
        LiveReload::builder(&manager).templates(&templates).assets(&assets).in_release(true).start()?;
    let files = Files::new(assets);
    let page = templates.clone();
    let router = Router::new()
        .route("/", get(async move || Html(page.render("page.html", &()).unwrap_or_default())))
        .fallback(move |request: axum::extract::Request| {
            files.answer(request.method(), request.uri(), request.headers())
        });
    let guard: (HotReloadManager, _) = (manager, templates);
    Ok((router.live_reload(&live), Box::new(guard)))
}

/// As its documentation has it.
async fn livereload(root: &Path) -> Result<(Router, Guard)> {
    let layer = tower_livereload::LiveReloadLayer::new();
    let reloader = layer.reloader();
    let watcher = watch(root, move || reloader.reload())?;
    let router = Router::new().route("/", get(async || Html("<title>A page</title>"))).layer(layer);
    Ok((router, Box::new(watcher)))
}

/// notify, a broadcast, server-sent events.
async fn by_hand(root: &Path) -> Result<(Router, Guard)> {
    let sender = broadcast::Sender::new(16);
    let told = sender.clone();
    let watcher = watch(root, move || {
        // Nobody may be listening.
        let _ = told.send(());
    })?;
    let router = Router::new().route("/events", get(async move || Sse::new(events(sender.subscribe()))));
    Ok((router, Box::new(watcher)))
}

fn events(
    receiver: broadcast::Receiver<()>,
) -> impl Stream<Item = std::result::Result<Event, Infallible>> + Send {
    futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.ok()?;
        Some((Ok(Event::default().data("reload")), receiver))
    })
}

fn watch(root: &Path, change: impl Fn() + Send + 'static) -> Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            change();
        }
    })?;
    watcher.watch(&root.join("static"), RecursiveMode::Recursive)?;
    Ok(watcher)
}
