//! rekindle for warp: live reload with its dashboard, templates, static files and configurations, a call each.
//!
//! ```no_run
//! use rekindle::{HotReload, Live};
//! use rekindle_templates::{Assets, MiniJinja, Templates};
//! use rekindle_warp::{Config, Page, assets, config, live_reload, serve};
//! use rekindle_web::LiveReload;
//! use warp::Filter;
//!
//! #[derive(serde::Deserialize, serde::Serialize, Clone)]
//! struct Site {
//!     title: String,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let manager = HotReload::builder(".").start().await?;
//! let templates = Templates::<MiniJinja>::watch(&manager, "templates/**").await?;
//! let files = Assets::watch(&manager, "static/**").await?;
//! let site: Live<Site> = manager.watch("site").await?.live();
//! let live = LiveReload::builder(&manager).templates(&templates).assets(&files).start()?;
//!
//! let index = warp::path::end()
//!     .and(config(&site))
//!     .map(move |site: Config<Site>| Page(templates.render("index.html", &*site)));
//! let app = live_reload(index.or(assets(&files)), &live);
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! serve(listener, app, std::future::pending()).await;
//! # Ok(())
//! # }
//! ```

mod assets;
mod config;
mod page;
mod serve;

use std::convert::Infallible;

use http::{Request, Response};
use hyper::body::Incoming;
use rekindle_web::{Body, LiveReload};
use tower_layer::Layer;
use tower_service::Service;
use warp::{Filter, Reply};

pub use assets::assets;
pub use config::{Config, config};
pub use page::Page;
pub use serve::serve;

/// Makes a filter a service with live reload around it, and its endpoints: the dashboard is at `/_rekindle/`.
///
/// warp's own server takes filters alone: [`serve`] is one that takes such a service.
pub fn live_reload<F>(
    filter: F,
    live: &LiveReload,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ use<F>
where
    F: Filter + Clone + Send + Sync + 'static,
    F::Extract: Reply,
{
    live.layer().layer(warp::service(filter))
}
