//! The dashboard by itself, on a site made for it: `cargo run -p rekindle-web --example dashboard`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rekindle::{HotReload, HotReloadManager, Patch};
use rekindle_web::dashboard::{About, Browser, Dashboard, Route};
use rekindle_web::{Body, BoxError};
use tokio::net::TcpListener;

const TOKEN: &str = "an-example-token";

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let directory = tempfile::tempdir()?;
    let manager = site(directory.path()).await?;
    let address: SocketAddr = std::env::args().nth(1).as_deref().unwrap_or("127.0.0.1:7879").parse()?;
    let listener = TcpListener::bind(address).await?;
    println!("http://{}/_rekindle/ shows {}", listener.local_addr()?, directory.path().display());
    serve(listener, Dashboard::new(manager)).await
}

/// Answers every request. A program of its own needs no such thing: the adaptors do it.
async fn serve(listener: TcpListener, dashboard: Dashboard) -> Result<(), BoxError> {
    let dashboard = Arc::new(dashboard);
    loop {
        let (stream, _) = listener.accept().await?;
        let dashboard = Arc::clone(&dashboard);
        let service = service_fn(move |request| {
            let dashboard = Arc::clone(&dashboard);
            async move { Ok::<_, Infallible>(answer(&dashboard, request).await) }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

/// Answers a request, if it has the token where one is needed. An address is listened to that is this
/// machine's alone; what else a server has to look at is left out here.
async fn answer(dashboard: &Dashboard, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let has_token = parts.uri.query() == Some(&format!("token={TOKEN}"));
    if Route::of(parts.uri.path()).is_some_and(|route| route.needs_token()) && !has_token {
        let mut refusal = Response::new(Body::from("The token is missing."));
        *refusal.status_mut() = http::StatusCode::FORBIDDEN;
        return refusal;
    }
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let about = About { token: TOKEN, browsers: browsers(), ..About::default() };
    dashboard.answer(&parts, body, &about).await
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
    let manager = HotReload::builder(root)
        .secret("app", "/session/key")
        .secret("database", "/password")
        .restart("app", "/server/workers")
        .debounce(Duration::from_millis(50))
        .start()
        .await?;
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
