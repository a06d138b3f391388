//! The site on warp.

use std::error::Error;
use std::future::pending;

use rekindle_browser_servers::{Site, address};
use rekindle_warp::{assets, live_reload, serve};
use warp::Filter;
use warp::path::FullPath;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let site = Site::start().await?;
    let listener = tokio::net::TcpListener::bind(address()?).await?;
    println!("http://{}", listener.local_addr()?);
    let (files, live) = (assets(&site.assets), site.live.clone());
    let pages = warp::path::full().map(move |path: FullPath| site.page(path.as_str()));
    serve(listener, live_reload(files.or(pages), &live), pending()).await;
    Ok(())
}
