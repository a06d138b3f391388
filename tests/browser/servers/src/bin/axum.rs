//! The site on axum.

use std::error::Error;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use rekindle_axum::RouterExt;
use rekindle_browser_servers::{Route, Site, address};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let site = Site::start().await?;
    let listener = tokio::net::TcpListener::bind(address()?).await?;
    println!("http://{}", listener.local_addr()?);
    let pages = Route::ALL.into_iter().fold(Router::new(), |router, (path, route)| {
        let site = site.clone();
        let answer = move || std::future::ready(page(&site, route));
        router.route(path, get(answer.clone()).post(answer))
    });
    let files = site.files.clone();
    let app = pages.route(
        "/static/{*file}",
        get(move |request: Request| async move {
            files.answer(request.method(), request.uri(), request.headers()).await.map(Body::new)
        }),
    );
    Ok(axum::serve(listener, app.live_reload(&site.live)).await?)
}

fn page(site: &Site, route: Route) -> Response {
    site.page(route).map_or_else(
        |error| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response.extensions_mut().insert(error);
            response
        },
        Into::into,
    )
}
