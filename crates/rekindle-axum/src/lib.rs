//! rekindle for axum: live reload with its dashboard, templates, static files and configurations, a call each.
//!
//! ```
//! use axum::{Router, extract::State, routing::get};
//! use rekindle::{HotReload, Live};
//! use rekindle_axum::{Config, Page, RouterExt};
//! use rekindle_templates::{Assets, MiniJinja, Templates};
//! use rekindle_web::LiveReload;
//!
//! #[derive(serde::Deserialize, serde::Serialize, Clone)]
//! struct Site {
//!     title: String,
//! }
//!
//! #[derive(Clone, axum::extract::FromRef)]
//! struct App {
//!     site: Live<Site>,
//!     templates: Templates<MiniJinja>,
//! }
//!
//! async fn index(site: Config<Site>, State(templates): State<Templates<MiniJinja>>) -> Page {
//!     Page(templates.render("index.html", &*site))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let root = tempfile::tempdir()?;
//! # std::fs::create_dir(root.path().join("config"))?;
//! # std::fs::write(root.path().join("config/site.toml"), "title = 'Hello'")?;
//! let manager = HotReload::builder(root.path()).start().await?;
//! let templates = Templates::<MiniJinja>::watch(&manager, "templates/**").await?;
//! let assets = Assets::watch(&manager, "static/**").await?;
//! let site: Live<Site> = manager.watch("site").await?.live();
//! let live = LiveReload::builder(&manager).templates(&templates).assets(&assets).in_release(true).start()?;
//!
//! let app: Router = Router::new()
//!     .route("/", get(index))
//!     .assets(&assets)
//!     .with_state(App { site, templates })
//!     .live_reload(&live);
//! # Ok(())
//! # }
//! ```

mod config;
mod page;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::any;
use rekindle_templates::Assets;
use rekindle_web::{Files, LiveReload};

pub use config::Config;
pub use page::Page;

mod sealed {
    pub trait Sealed {}
    impl<S> Sealed for axum::Router<S> {}
}

/// What rekindle adds to a router.
pub trait RouterExt: sealed::Sealed {
    /// Adds live reload to all that the router has by now, and its endpoints: the dashboard is at `/_rekindle/`.
    ///
    /// What is added to the router later has no part in it, as with [`Router::layer`].
    #[must_use]
    fn live_reload(self, live: &LiveReload) -> Self;

    /// Serves static files, as [`Files`] does, at all addresses below their [prefix](Assets::prefix).
    ///
    /// # Panics
    ///
    /// When the router has another route there, as with [`Router::route`].
    #[must_use]
    fn assets(self, assets: &Assets) -> Self;
}

impl<S: Clone + Send + Sync + 'static> RouterExt for Router<S> {
    fn live_reload(self, live: &LiveReload) -> Self {
        self.layer(live.layer())
    }

    fn assets(self, assets: &Assets) -> Self {
        let prefix = assets.prefix().replace('{', "{{").replace('}', "}}");
        let files = Files::new(assets.clone());
        let answer = move |request: Request| {
            let answer = files.answer(request.method(), request.uri(), request.headers());
            async { answer.await.map(Body::new) }
        };
        self.route(&format!("{prefix}/{{*file}}"), any(answer))
    }
}
