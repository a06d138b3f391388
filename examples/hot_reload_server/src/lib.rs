//! An HTTP server whose messages and limits change while it serves: no restart, no dropped request.
//!
//! | path | answers |
//! |---|---|
//! | `/` | the message |
//! | `/slow` | the message before and after holding the request for `slow_ms` |
//! | `/config` | the configuration in use, its generation, and how many requests are under way |

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use rekindle::{ChangeEvent, ConfigMerge, ConfigStream, HotReloadManager, Live, Workspace, WorkspaceExt};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

/// `config/server.toml`. What each value may be is in `config/server.schema.json`.
#[derive(Deserialize, Serialize, Clone, Debug, PartialEq)]
pub struct ServerConfig {
    /// Where to listen. Read once, as is the port.
    pub host: String,
    /// The port; 0 for any that is free.
    pub port: u16,
    /// How many requests may be under way at a time.
    pub max_connections: usize,
    /// Whether to log every answer.
    pub debug: bool,
    /// What `/` answers.
    pub message: String,
    /// How long `/slow` holds a request, in milliseconds.
    pub slow_ms: u64,
}

/// For `watch_config_layered(&["server", "site"])`: the later file has the last word, on everything.
impl ConfigMerge for ServerConfig {
    fn merge(self, other: Self) -> Self {
        other
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    manager: HotReloadManager,
    changes: ConfigStream<ServerConfig>,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Loads `config/server.toml` below `root`, keeps it live, and listens where it says.
    ///
    /// # Errors
    ///
    /// When the configuration is missing or not good, or the address is not to be had.
    pub async fn start(root: &Path) -> rekindle::Result<Self> {
        let workspace = Workspace::new(root);
        let manager = workspace.start_hot_reload().await?;
        let changes = workspace.watch_config_changes::<ServerConfig>("server").await?;
        let ServerConfig { host, port, .. } = changes.current();
        let bound = TcpListener::bind((host.as_str(), *port)).await;
        let listener = bound.map_err(|cause| format!("cannot listen on {host}:{port}: {cause}"))?;
        let address = listener.local_addr()?;
        Ok(Self { manager, changes, listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `end` resolves; then answers what is under way, and stops the hot reload.
    ///
    /// # Errors
    ///
    /// When the listener fails.
    pub async fn run(self, end: impl Future<Output = ()> + Send + 'static) -> rekindle::Result<()> {
        let Self { manager, changes, listener, address } = self;
        let app = App { live: changes.live(), manager: manager.clone(), under_way: Arc::default() };
        let report = tokio::spawn(report(address, changes, manager.subscribe()));
        axum::serve(listener, router(app)).with_graceful_shutdown(end).await?;
        // Ends the stream, and the report with it.
        manager.shutdown().await?;
        Ok(report.await?)
    }
}

/// What every request is given.
#[derive(Debug, Clone)]
struct App {
    live: Live<ServerConfig>,
    manager: HotReloadManager,
    under_way: Arc<AtomicUsize>,
}

/// `/config` stands outside of the limit, so that one can look at a server that is full.
fn router(app: App) -> Router {
    let limit = middleware::from_fn_with_state(app.clone(), limited);
    let limited = Router::new().route("/", get(message)).route("/slow", get(slow)).route_layer(limit);
    limited.route("/config", get(config)).with_state(app)
}

/// Answers with 503 while as many requests are under way as the configuration allows at this moment.
///
/// A limit that is lowered turns nobody out: those under way are finished, and new ones wait for room.
async fn limited(State(app): State<App>, request: Request, next: Next) -> Response {
    // One look: what is decided here is decided by one configuration.
    let config = app.live.load_full();
    let Some(_place) = Place::take(&app.under_way, config.max_connections) else {
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], "full\n").into_response();
    };
    let (began, path) = (Instant::now(), request.uri().path().to_owned());
    let response = next.run(request).await;
    if config.debug {
        println!("{path}: {} after {:?}", response.status(), began.elapsed());
    }
    response
}

/// A request's place among those under way, until it is dropped: also when the client goes away.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(taken: &Arc<AtomicUsize>, limit: usize) -> Option<Self> {
        let one_more = |taken| (taken < limit).then_some(taken + 1);
        let had_room = taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok();
        had_room.then(|| Self(Arc::clone(taken)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn message(State(app): State<App>) -> String {
    format!("{}\n", app.live.load().message)
}

/// Holds the request for as long as the configuration says, whatever it says meanwhile.
async fn slow(State(app): State<App>) -> String {
    let (began, before) = (Instant::now(), app.live.load().message.clone());
    while began.elapsed() < Duration::from_millis(app.live.load().slow_ms) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    format!("{before}\n{}\n", app.live.load().message)
}

/// Value and generation come from one snapshot, and so belong together.
async fn config(State(app): State<App>) -> Json<serde_json::Value> {
    let snapshot = app.manager.snapshot();
    let under_way = app.under_way.load(Ordering::Acquire);
    let config = snapshot.get("server");
    Json(serde_json::json!({ "generation": snapshot.generation(), "under_way": under_way, "config": config }))
}

/// Logs each change, each one that is refused, and what waits for a restart.
async fn report(
    address: SocketAddr,
    mut changes: ConfigStream<ServerConfig>,
    mut events: broadcast::Receiver<ChangeEvent>,
) {
    let begun_with = changes.current().clone();
    loop {
        tokio::select! {
            change = changes.next() => match change {
                Some(config) => {
                    println!("applied: {config:?}");
                    if (&config.host, config.port) != (&begun_with.host, begun_with.port) {
                        println!("host and port need a restart: still listening on {address}");
                    }
                }
                None => return,
            },
            event = events.recv() => match event {
                Ok(ChangeEvent::ValidationFailed { error, .. }) => {
                    println!("not applied, the last good one stays: {error}");
                }
                Ok(ChangeEvent::Recovered { .. }) => println!("good again"),
                _ => {}
            },
        }
    }
}
