//! What has to hold with every framework, with axum.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRef, FromRequestParts, Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use futures_util::stream;
use rekindle::Live;
use rekindle_adaptor_test::{Program, SLOW, SiteConfig, gzip};
use rekindle_axum::{Config, Page, RouterExt};

rekindle_adaptor_test::suite!(serve);

#[derive(Clone)]
struct App(Program);

impl FromRef<App> for Live<SiteConfig> {
    fn from_ref(app: &App) -> Self {
        app.0.site.clone()
    }
}

fn serve(program: &Program, listener: std::net::TcpListener) {
    let app = Router::new()
        .route("/", get(page))
        .route("/broken", get(broken))
        .route("/echo", post(|body: Bytes| async { ([(CONTENT_TYPE, "text/plain")], body) }))
        .route("/gzip/page", get(|| compressed("text/html")))
        .route("/gzip/data", get(|| compressed("text/plain")))
        .route("/slow", get(slow))
        .route("/torn", get(torn))
        .route("/twice", get(twice))
        .assets(&program.assets)
        .live_reload(&program.live)
        .with_state(App(program.clone()));
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
}

async fn page(site: Config<SiteConfig>, State(App(program)): State<App>) -> Page {
    Page(program.templates.render("page.html", &*site))
}

async fn broken(State(App(program)): State<App>) -> Page {
    Page(program.templates.render("broken.html", &()))
}

async fn compressed(mime: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, mime), (CONTENT_ENCODING, "gzip")], gzip())
}

async fn slow(State(App(program)): State<App>) -> Html<Body> {
    let chunks = stream::unfold((0, program), async |(index, program)| {
        let chunk = SLOW.get(index)?;
        if index > 0 {
            program.wait_at_the_gate().await;
        }
        Some((Ok::<_, Infallible>(*chunk), (index + 1, program)))
    });
    Html(Body::from_stream(chunks))
}

async fn torn() -> Html<Body> {
    Html(Body::from_stream(stream::iter([Ok(SLOW[0]), Err("torn")])))
}

async fn twice(State(app): State<App>, request: Request) -> String {
    let (mut parts, _) = request.into_parts();
    let Ok(first) = Config::<SiteConfig>::from_request_parts(&mut parts, &app).await;
    app.0.rename().await;
    let Ok(second) = Config::<SiteConfig>::from_request_parts(&mut parts, &app).await;
    format!("{} {}", first.title, second.title)
}
