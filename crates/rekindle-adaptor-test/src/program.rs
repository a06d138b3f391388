//! [`Program`]: what is served.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rekindle::Live;
use rekindle_templates::{Assets, MiniJinja, Templates};
use rekindle_test::LIMIT;
use rekindle_web::LiveReload;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// A page in two chunks.
pub const SLOW: [&str; 2] = ["<!doctype html><head><title>Slow</title></head><body>one", "two</body>"];

/// The configuration `site`.
#[derive(Debug, Clone, serde::Deserialize, serde::Serialize)]
pub struct SiteConfig {
    /// What the page shows.
    pub title: String,
}

/// What a server serves.
#[derive(Debug, Clone)]
pub struct Program {
    /// The templates `page.html` and `broken.html`.
    pub templates: Templates<MiniJinja>,
    /// The asset `app.css`.
    pub assets: Assets,
    /// The configuration.
    pub site: Live<SiteConfig>,
    /// What is put around it all.
    pub live: LiveReload,
    /// Has a permit when the second half of `/slow` may be sent.
    pub gate: Arc<Semaphore>,
    pub(crate) root: PathBuf,
}

impl Program {
    /// Saves another title, and waits until it is in use.
    ///
    /// # Panics
    ///
    /// When it does not come into use.
    pub async fn rename(&self) {
        std::fs::write(self.root.join("config/site.toml"), "title = 'Two'").expect("it can be written");
        let changed = async {
            while self.site.load().title != "Two" {
                sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        timeout(LIMIT, changed).await.expect("it is seen");
    }

    /// Waits until the gate is opened.
    pub async fn wait_at_the_gate(&self) {
        self.gate.acquire().await.expect("it is never closed").forget();
    }
}

/// A page, compressed.
pub fn gzip() -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"<!doctype html><head></head><body>compressed</body>").expect("memory takes all");
    encoder.finish().expect("memory takes all").into()
}
