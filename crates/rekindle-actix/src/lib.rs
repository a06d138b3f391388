//! rekindle for actix-web: live reload with its dashboard, templates, static files and configurations, a call each.
//!
//! ```
//! use actix_web::{App, HttpServer, web};
//! use rekindle::{HotReload, Live};
//! use rekindle_actix::{Config, Page, assets, live_reload};
//! use rekindle_templates::{Assets, MiniJinja, Templates};
//! use rekindle_web::LiveReload;
//!
//! #[derive(serde::Deserialize, serde::Serialize, Clone)]
//! struct Site {
//!     title: String,
//! }
//!
//! async fn index(site: Config<Site>, templates: web::Data<Templates<MiniJinja>>) -> Page {
//!     Page(templates.render("index.html", &*site))
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let root = tempfile::tempdir()?;
//! # std::fs::create_dir(root.path().join("config"))?;
//! # std::fs::write(root.path().join("config/site.toml"), "title = 'Hello'")?;
//! let manager = HotReload::builder(root.path()).start().await?;
//! let templates = Templates::<MiniJinja>::watch(&manager, "templates/**").await?;
//! let files = Assets::watch(&manager, "static/**").await?;
//! let site: Live<Site> = manager.watch("site").await?.live();
//! let live = LiveReload::builder(&manager).templates(&templates).assets(&files).in_release(true).start()?;
//!
//! let server = HttpServer::new(move || {
//!     App::new()
//!         .app_data(site.clone())
//!         .app_data(web::Data::new(templates.clone()))
//!         .route("/", web::get().to(index))
//!         .service(assets(&files))
//!         .wrap(live_reload(&live))
//! });
//! # let _never_bound = server;
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `serve` an `App` is a tower service, for a server that is changed while it serves: see `serve`.
//!
//! `actix-web` is used without its default features, so that `http2` is not among them unless your program asks for it.

mod assets;
mod body;
mod config;
mod convert;
mod middleware;
mod page;
#[cfg(feature = "serve")]
pub mod serve;
mod socket;

pub use assets::assets;
pub use config::Config;
pub use middleware::live_reload;
pub use page::Page;
