//! The site on axum.

use std::error::Error;
use std::future::ready;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use rekindle_axum::RouterExt;
use rekindle_browser_servers::{Site, address};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let site = Site::start().await?;
    let listener = tokio::net::TcpListener::bind(address()?).await?;
    println!("http://{}", listener.local_addr()?);
    let (assets, live) = (site.assets.clone(), site.live.clone());
    let app = Router::new()
        .assets(&assets)
        .fallback(move |request: Request| ready(site.page(request.uri().path()).map(Body::from)))
        .live_reload(&live);
    Ok(axum::serve(listener, app).await?)
}
