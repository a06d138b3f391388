//! The dashboard by itself: `cargo run -p rekindle-web --features cluster --example dashboard [DIR]`, on port `PORT`.
//!
//! Without a directory, and in one without configurations, it is that of a site made for it, with a little of everything. That
//! is one of a fleet; another is with the variable `FLEET`.

mod fleet;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::HOST;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rekindle::{HotReload, HotReloadBuilder, HotReloadManager, Patch};
use rekindle_web::dashboard::{About, Browser, Dashboard, Route};
use rekindle_web::{Body, BoxError};
use tokio::net::{TcpListener, TcpStream};

/// A dashboard, and who may ask it.
struct Server {
    dashboard: Dashboard,
    token: String,
    host: String,
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let temporary = tempfile::tempdir()?;
    let given = std::env::args_os().nth(1).map(PathBuf::from);
    let root = given.as_deref().unwrap_or(temporary.path());
    let is_made = !root.join("config").exists();
    let manager = if is_made { site(root).await? } else { builder(root).start().await? };
    let dashboard = Dashboard::new(manager.clone());
    let fleet = match is_made || std::env::var_os("FLEET").is_some() {
        true => Some(fleet::start(temporary.path()).await?),
        false => None,
    };
    let dashboard = match &fleet {
        Some(fleet) => dashboard.fleet(fleet.client.clone()),
        None => dashboard,
    };
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(7879);
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let host = listener.local_addr()?.to_string();
    println!("http://{host}\nThe dashboard of {} is at http://{host}/_rekindle/", manager.root().display());
    serve(listener, Server { dashboard, token: token()?, host }).await
}

/// Another for each run.
fn token() -> Result<String, BoxError> {
    let mut bits = [0; 12];
    getrandom::fill(&mut bits)?;
    Ok(bits.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Answers every request. A program of its own needs no such thing: the adaptors do it.
async fn serve(listener: TcpListener, server: Server) -> Result<(), BoxError> {
    let server = Arc::new(server);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(converse(stream, Arc::clone(&server)));
    }
}

async fn converse(stream: TcpStream, server: Arc<Server>) {
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(answer(&server, request).await) }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // Browsers close connections as they like.
    let _gone = connection.await;
}

/// Answers a request, if it may be asked.
async fn answer(server: &Server, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if !is_allowed(server, &parts) {
        let mut refusal = Response::new(Body::from("The host is another, or the token."));
        *refusal.status_mut() = StatusCode::FORBIDDEN;
        return refusal;
    }
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let about = About { token: &server.token, browsers: browsers(), ..About::default() };
    server.dashboard.answer(&parts, body, &about).await
}

fn is_allowed(server: &Server, parts: &Parts) -> bool {
    let has_host = parts.headers.get(HOST).is_some_and(|host| *host == *server.host);
    let has_token = parts.uri.query() == Some(&format!("token={}", server.token));
    has_host && (has_token || !Route::of(parts.uri.path()).is_some_and(|route| route.needs_token()))
}

/// Browsers that could be there.
fn browsers() -> Vec<Browser> {
    let browser = |agent: &str, transport: &str, pages: &[&str], minutes: u64| Browser {
        pages: pages.iter().map(|&page| page.to_owned()).collect(),
        transport: transport.to_owned(),
        agent: Some(agent.to_owned()),
        since: SystemTime::now() - Duration::from_secs(60 * minutes),
    };
    vec![
        browser(
            "Mozilla/5.0 (X11; Linux x86_64) Chrome/148.0 Safari/537.36",
            "WebSocket",
            &["/", "/orders?page=2"],
            14,
        ),
        browser(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
            "SSE",
            &["/orders/1204"],
            2,
        ),
    ]
}

fn builder(root: &Path) -> HotReloadBuilder {
    HotReload::builder(root)
        .secret("app", "/session/key")
        .secret("database", "/password")
        .restart("app", "/server/workers")
        .debounce(Duration::from_millis(50))
}

/// A site with a little of everything: layers, secrets, values that wait for a restart, something broken.
async fn site(root: &Path) -> Result<HotReloadManager, BoxError> {
    std::fs::create_dir(root.join("config"))?;
    write(root, "app.toml", APP)?;
    write(root, "app.local.toml", "[server]\nport = 8081\n")?;
    write(root, "database.yaml", DATABASE)?;
    write(
        root,
        "features.json",
        "{\"checkout\": \"new\", \"banner\": {\"text\": \"Hello\", \"until\": \"2027-01-01\"}, \"beta\": [\"ada\", \"grace\"]}\n",
    )?;
    let manager = builder(root).start().await?;
    edit(&manager, "app", "/server/timeout_s", 20).await?;
    for banner in ["Hello, you", "Sale", "Sale, until Sunday", "Back to normal"] {
        edit(&manager, "features", "/banner/text", banner).await?;
    }
    edit(&manager, "features", "/beta", serde_json::json!(["ada", "barbara", "grace"])).await?;
    for size in [12, 16, 24] {
        edit(&manager, "database", "/pool/size", size).await?;
        manager.reload_now().await?;
    }
    write(root, "app.toml", &APP.replace("workers = 4", "workers = 8"))?;
    manager.reload_now().await?;
    write(root, "database.yaml", &DATABASE.replace("size: 8", "size: [8"))?;
    manager.reload_now().await?;
    Ok(manager)
}

fn write(root: &Path, name: &str, content: &str) -> std::io::Result<()> {
    std::fs::write(root.join("config").join(name), content)
}

async fn edit(
    manager: &HotReloadManager,
    config: &str,
    pointer: &str,
    value: impl Into<serde_json::Value>,
) -> Result<(), BoxError> {
    let generation = manager.snapshot().generation();
    manager.update(config, generation, Patch::set(pointer, value.into())).await?;
    Ok(())
}

const APP: &str = "title = \"Orders\"
motd = \"\"

[server]
host = \"127.0.0.1\"
port = 8080
workers = 4
timeout_s = 30

[session]
key = \"correct horse battery staple\"
same_site = \"lax\"

[log]
level = \"info\"
targets = [\"stderr\", \"file\"]
";

const DATABASE: &str = "url: postgres://db.internal/orders
password: hunter2
pool:
  size: 8
  idle_s: 600
migrate: true
";
