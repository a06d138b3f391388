//! The site that the browser tests look at, the same in every framework: templates, static files, and pages that
//! come compressed, under a policy, or without a head.
//!
//! A server is `src/bin/FRAMEWORK.rs`. It takes the directory of the site, listens on 127.0.0.1 at the port in the variable
//! `PORT` or at any, and prints its address on its first line.

mod page;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::Response;
use rekindle::HotReload;
use rekindle_templates::{Assets, MiniJinja, RebuildNeeded, Templates};
use rekindle_web::LiveReload;

use page::Page;

/// What a server serves.
#[derive(Debug, Clone)]
pub struct Site {
    templates: Templates<MiniJinja>,
    /// What is below `/static/`.
    pub assets: Assets,
    /// What is put around it all.
    pub live: LiveReload,
}

impl Site {
    /// Watches the directory that the program was given.
    ///
    /// # Errors
    ///
    /// That there is none, or that it cannot be watched.
    pub async fn start() -> Result<Self, Box<dyn Error>> {
        let directory = std::env::args().nth(1).ok_or("the directory of the site is missing")?;
        let manager = HotReload::builder(directory).start().await?;
        let assets = Assets::watch(&manager, "static/**").await?;
        let addresses = assets.clone();
        let asset = move |name: String| minijinja::Value::from_safe_string(addresses.url(&name));
        let templates = Templates::<MiniJinja>::builder()
            .configure(|engine| engine.add_function("asset", asset))
            .watch(&manager, "templates/**")
            .await?;
        let compiled = RebuildNeeded::watch(&manager, "compiled/**").await?;
        let live = LiveReload::builder(&manager)
            .templates(&templates)
            .compiled_templates(&compiled)
            .assets(&assets)
            .start()?;
        Ok(Self { templates, assets, live })
    }

    /// The page at a path: `/` is `page.html`, and so are `/csp` and `/trusted` under a policy, `/gzip`, `/br` and `/zstd`
    /// compressed; `/plain-html` has no head; any other `/name` is `name.html`.
    pub fn page(&self, path: &str) -> Response<Bytes> {
        Page::render(&self.templates, path).map_or_else(|error| rekindle_web::page(Err(error)), Into::into)
    }
}

/// Where to listen.
///
/// # Errors
///
/// A port that is none.
pub fn address() -> Result<SocketAddr, Box<dyn Error>> {
    let port = std::env::var("PORT").map_or(Ok(0), |port| port.parse())?;
    Ok((Ipv4Addr::LOCALHOST, port).into())
}
