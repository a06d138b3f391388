//! An HTTP server that changes while it serves: its messages, its limits, its addresses and its certificates. No
//! restart, no dropped request.
//!
//! | path | answers |
//! |---|---|
//! | `/` | the message |
//! | `/slow` | the message before and after holding the request for `slow_ms` |
//! | `/config` | the configuration in use, its generation, how many requests were answered and how many are held |
//! | `/health` | whether a generation is fit to serve |

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use rekindle::service::Supervised;
use rekindle::{ChangeEvent, HotReloadManager, Live, Workspace, WorkspaceExt};
use rekindle_web::serve::{self, ServeConfig};
use serde::Deserialize;
use tokio::sync::broadcast;

/// `config/server.toml`. What each value may be is in `config/server.schema.json`.
#[derive(Deserialize, Clone, Debug)]
pub struct Site {
    /// What `/` answers.
    pub message: String,
    /// How long `/slow` holds a request, in milliseconds.
    pub slow_ms: u64,
    /// Whether to log every answer.
    pub debug: bool,
    /// Where to listen, and within which limits.
    pub http: ServeConfig,
}

impl AsRef<ServeConfig> for Site {
    fn as_ref(&self) -> &ServeConfig {
        &self.http
    }
}

/// A server that serves.
#[derive(Debug)]
pub struct Server {
    manager: HotReloadManager,
    serving: Supervised<serve::Server<Site>>,
}

impl Server {
    /// Loads `config/server.toml` below `root`, keeps it live, and serves as it says.
    ///
    /// # Errors
    ///
    /// When the configuration is missing or not good, or an address is not to be had.
    pub async fn start(root: &Path) -> rekindle::Result<Self> {
        let workspace = Workspace::new(root);
        let manager = workspace.start_hot_reload().await?;
        let live = workspace.watch_config_changes::<Site>("server").await?.live();
        // What outlives a change is made once, and every generation is given it.
        let app = App { live, manager: manager.clone(), counts: Arc::default() };
        let server = serve::Server::new(move |site: &Site| Ok(router(site, app.clone()))).at("/http");
        let serving = server.start(&manager, "server", "").await?;
        Ok(Self { manager, serving })
    }

    /// Where it listens, in words.
    pub fn addresses(&self) -> String {
        addresses(&self.serving)
    }

    /// Serves until `end` resolves; then answers what is under way, and stops the hot reload.
    ///
    /// # Errors
    ///
    /// When the runtime is shut down meanwhile.
    pub async fn run(self, end: impl Future<Output = ()>) -> rekindle::Result<()> {
        let Self { manager, serving } = self;
        tokio::select! {
            () = end => {}
            () = report(&serving, manager.subscribe()) => {}
        }
        serving.stop().await?;
        manager.shutdown().await
    }
}

fn addresses(serving: &Supervised<serve::Server<Site>>) -> String {
    let addresses: Vec<_> = serving.load().addresses().values().map(ToString::to_string).collect();
    addresses.join(", ")
}

/// What every request is given.
#[derive(Debug, Clone)]
struct App {
    live: Live<Site>,
    manager: HotReloadManager,
    counts: Arc<Counts>,
}

/// What is counted through all generations.
#[derive(Debug, Default)]
struct Counts {
    answered: AtomicU64,
    held: AtomicU64,
}

/// The routes of one generation.
fn router(site: &Site, app: App) -> Router {
    let (message, debug) = (format!("{}\n", site.message), site.debug);
    let counted = middleware::from_fn_with_state((app.clone(), debug), counted);
    Router::new()
        .route("/", get(async || message))
        .route("/slow", get(slow))
        .route("/config", get(config))
        .route("/health", get(async || "well\n"))
        .layer(counted)
        .with_state(app)
}

async fn counted(State((app, debug)): State<(App, bool)>, request: Request, next: Next) -> Response {
    let (began, path) = (Instant::now(), request.uri().path().to_owned());
    let response = next.run(request).await;
    app.counts.answered.fetch_add(1, Ordering::Relaxed);
    if debug {
        println!("{path}: {} after {:?}", response.status(), began.elapsed());
    }
    response
}

/// Holds the request for as long as the configuration says, whatever it says meanwhile.
async fn slow(State(app): State<App>) -> String {
    let (began, before) = (Instant::now(), app.live.load().message.clone());
    app.counts.held.fetch_add(1, Ordering::Relaxed);
    while began.elapsed() < Duration::from_millis(app.live.load().slow_ms) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    app.counts.held.fetch_sub(1, Ordering::Relaxed);
    format!("{before}\n{}\n", app.live.load().message)
}

/// Value and generation come from one snapshot, and so belong together.
async fn config(State(app): State<App>) -> Json<serde_json::Value> {
    let snapshot = app.manager.snapshot();
    let [answered, held] =
        [&app.counts.answered, &app.counts.held].map(|count| count.load(Ordering::Relaxed));
    let (generation, config) = (snapshot.generation(), snapshot.get("server"));
    Json(
        serde_json::json!({ "generation": generation, "answered": answered, "held": held, "config": config }),
    )
}

/// Logs each change, each one that is refused, and each generation that has ended.
async fn report(serving: &Supervised<serve::Server<Site>>, mut events: broadcast::Receiver<ChangeEvent>) {
    let mut retirements = serving.retirements();
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(ChangeEvent::ReloadCompleted { duration, .. }) => println!("applied in {duration:?}"),
                Ok(ChangeEvent::ValidationFailed { error, .. }) => {
                    println!("not applied, the last good one stays: {error}");
                }
                Ok(ChangeEvent::Recovered { .. }) => println!("good again"),
                Err(broadcast::error::RecvError::Closed) => return,
                _ => {}
            },
            Ok(retired) = retirements.recv() => {
                let generation = retired.generation;
                println!("generation {generation} has ended; listening on {}", addresses(serving));
            }
        }
    }
}
