//! A small site with axum: pages from templates, a form, a stylesheet, an image, and a configuration.
//!
//! ```text
//! cargo run -p axum_site [DIR]
//! ```
//!
//! Open it in a browser and save a file of `DIR`, which is `examples/site` unless it is stated: the page says what to
//! try. What is wrong with a file is shown over the page until it is mended, and `/_rekindle/` is the dashboard.

use std::collections::HashMap;
use std::error::Error;

use axum::extract::{FromRef, Query, State};
use axum::http::Uri;
use axum::{Router, routing::get};
use minijinja::Value;
use rekindle::{HotReload, Live};
use rekindle_axum::{Config, Page, RouterExt};
use rekindle_templates::{Assets, MiniJinja, Templates};
use rekindle_web::LiveReload;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;

/// What `config/site.toml` says. Beside it is the schema that it has to keep to.
#[derive(Clone, Deserialize, Serialize)]
struct Site {
    title: String,
    tagline: String,
    hue: u16,
    links: Vec<Link>,
}

#[derive(Clone, Deserialize, Serialize)]
struct Link {
    name: String,
    address: String,
}

/// What handlers can ask for.
#[derive(Clone, FromRef)]
struct App {
    site: Live<Site>,
    templates: Templates<MiniJinja>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1);
    let directory = directory.as_deref().unwrap_or(concat!(env!("CARGO_MANIFEST_DIR"), "/../site"));
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;

    let manager = HotReload::builder(directory).start().await?;
    let site = manager.watch("site").await?.live();
    let assets = Assets::watch(&manager, "static/**").await?;
    let address_of = assets.clone();
    let templates = Templates::<MiniJinja>::builder()
        .configure(|engine| {
            engine.add_function("asset", move |name: &str| Value::from_safe_string(address_of.url(name)));
        })
        .watch(&manager, "templates/**")
        .await?;
    // It is for those who write the site: a release build would refuse it.
    let live = LiveReload::builder(&manager).templates(&templates).assets(&assets).start()?;

    let app = Router::new()
        .route("/", get(page))
        .route("/how", get(page))
        .route("/hello", get(page))
        .assets(&assets)
        .with_state(App { site, templates })
        .live_reload(&live);

    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

/// `/how` is the template `how.html`, `/` is `index.html`.
async fn page(
    site: Config<Site>,
    State(templates): State<Templates<MiniJinja>>,
    address: Uri,
    Query(query): Query<HashMap<String, String>>,
) -> Page {
    let name = match address.path() {
        "/" => "index",
        path => path.trim_matches('/'),
    };
    let request = json!({ "path": address.path(), "query": query });
    Page(templates.render(&format!("{name}.html"), &json!({ "site": *site, "request": request })))
}
