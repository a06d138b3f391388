//! The site on axum.

use std::error::Error;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use rekindle_axum::RouterExt;
use rekindle_browser_servers::{Site, address};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let site = Site::start().await?;
    let listener = tokio::net::TcpListener::bind(address()?).await?;
    println!("http://{}", listener.local_addr()?);
    let (files, live) = (site.files.clone(), site.live.clone());
    let app = Router::new()
        .route(
            "/static/{*file}",
            get(move |request: Request| async move {
                files.answer(request.method(), request.uri(), request.headers()).await.map(Body::new)
            }),
        )
        .fallback(move |request: Request| std::future::ready(page(&site, request.uri().path())))
        .live_reload(&live);
    Ok(axum::serve(listener, app).await?)
}

fn page(site: &Site, path: &str) -> Response {
    site.page(path).map_or_else(
        |error| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response.extensions_mut().insert(error);
            response
        },
        Into::into,
    )
}
