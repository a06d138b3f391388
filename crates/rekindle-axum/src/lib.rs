//! rekindle for axum: live reload and dashboard in one call, and configurations as an extractor.
//!
//! ```
//! use axum::{Router, response::Html, routing::get};
//! use rekindle::{HotReload, Live};
//! use rekindle_axum::{Config, RouterExt};
//! use rekindle_web::LiveReload;
//!
//! #[derive(serde::Deserialize, Clone)]
//! struct Site {
//!     title: String,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let root = tempfile::tempdir()?;
//! # std::fs::create_dir(root.path().join("config"))?;
//! # std::fs::write(root.path().join("config/site.toml"), "title = 'Hello'")?;
//! let manager = HotReload::builder(root.path()).start().await?;
//! let site: Live<Site> = manager.watch("site").await?.live();
//! let live = LiveReload::builder(&manager).in_release(true).start()?;
//!
//! let app: Router = Router::new()
//!     .route("/", get(|site: Config<Site>| async move { Html(format!("<h1>{}</h1>", site.title)) }))
//!     .with_state(site)
//!     .live_reload(&live);
//! # Ok(())
//! # }
//! ```

mod config;

use axum::Router;
use rekindle_web::LiveReload;

pub use config::Config;

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
}

impl<S: Clone + Send + Sync + 'static> RouterExt for Router<S> {
    fn live_reload(self, live: &LiveReload) -> Self {
        self.layer(live.layer())
    }
}
