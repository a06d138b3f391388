//! A small site with warp: pages from templates, a form, a stylesheet, an image, and a configuration.
//!
//! ```text
//! cargo run -p warp_site [DIR]
//! ```
//!
//! Open it in a browser and save a file of `DIR`, which is `examples/site` unless it is stated: the page says what to
//! try. What is wrong with a file is shown over the page until it is mended, and `/_rekindle/` is the dashboard.

use std::collections::HashMap;
use std::error::Error;

use minijinja::Value;
use rekindle::{HotReload, HotReloadManager, Live};
use rekindle_templates::{Assets, MiniJinja, Templates};
use rekindle_warp::{Config, Page, assets, config, live_reload, serve};
use rekindle_web::LiveReload;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;
use warp::Filter;
use warp::path::FullPath;

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

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1);
    let directory = directory.as_deref().unwrap_or(concat!(env!("CARGO_MANIFEST_DIR"), "/../site"));
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;

    let manager = HotReload::builder(directory).start().await?;
    let site: Live<Site> = manager.watch("site").await?.live();
    let files = Assets::watch(&manager, "static/**").await?;
    let address_of = files.clone();
    let templates = Templates::<MiniJinja>::builder()
        .configure(|engine| {
            engine.add_function("asset", move |name: &str| Value::from_safe_string(address_of.url(name)));
        })
        .watch(&manager, "templates/**")
        .await?;
    // It is for those who write the site: a release build would refuse it.
    let live = LiveReload::builder(&manager).templates(&templates).assets(&files).start()?;

    let paths = warp::path::end().or(warp::path!("how")).unify().or(warp::path!("hello")).unify();
    let pages = paths.and(warp::get()).and(warp::path::full()).and(warp::query()).and(config(&site)).map(
        move |address: FullPath, query: HashMap<String, String>, site: Config<Site>| {
            page(&templates, &site, address.as_str(), &query)
        },
    );
    let app = live_reload(pages.or(assets(&files)), &live);

    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    serve(listener, app, ended(manager)).await;
    Ok(())
}

/// At Ctrl-C the answers that are under way are finished; those that last as long as live reload does end with it.
async fn ended(manager: HotReloadManager) {
    if tokio::signal::ctrl_c().await.is_ok() {
        let _otherwise_with_the_process = manager.shutdown().await;
    }
}

/// `/how` is the template `how.html`, `/` is `index.html`.
fn page(templates: &Templates<MiniJinja>, site: &Site, path: &str, query: &HashMap<String, String>) -> Page {
    let name = match path {
        "/" => "index",
        path => path.trim_matches('/'),
    };
    let request = json!({ "path": path, "query": query });
    Page(templates.render(&format!("{name}.html"), &json!({ "site": site, "request": request })))
}
