//! A site of templates and static files with live reload: `cargo run -p rekindle-axum --example site -- DIR`.
//!
//! `DIR` has `templates/`, `static/` and, where it wants to, `config/`. The port is that of the variable `PORT`, or 3000.

use axum::extract::{Path, State};
use axum::http::Request;
use axum::response::{Html, IntoResponse, Response};
use axum::{Router, routing::get};
use rekindle::HotReload;
use rekindle_axum::RouterExt;
use rekindle_templates::{Assets, MiniJinja, Templates};
use rekindle_web::{Files, LiveReload, Problem};

#[derive(Clone)]
struct Site {
    templates: Templates<MiniJinja>,
    files: Files,
    live: LiveReload,
}

impl Site {
    fn render(&self, name: &str) -> Response {
        match self.templates.render(name, &()) {
            Ok(page) => Html(page).into_response(),
            Err(error) => self.live.error_page(&Problem::from(error.problem())).into_response(),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let port: u16 = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;

    let manager = HotReload::builder(root).start().await?;
    let templates = Templates::<MiniJinja>::watch(&manager, "templates/**").await?;
    let assets = Assets::watch(&manager, "static/**").await?;
    let live = LiveReload::builder(&manager).templates(&templates).assets(&assets).start()?;

    let app = Router::new()
        .route("/", get(|State(site): State<Site>| async move { site.render("page.html") }))
        .route(
            "/{name}",
            get(|State(site): State<Site>, Path(name): Path<String>| async move {
                site.render(&format!("{name}.html"))
            }),
        )
        .route(
            "/static/{*name}",
            get(|State(site): State<Site>, request: Request<axum::body::Body>| async move {
                site.files.answer(request.method(), request.uri(), request.headers()).await
            }),
        )
        .with_state(Site { templates, files: Files::new(assets), live: live.clone() })
        .live_reload(&live);

    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
