//! One of the processes: a program with a configuration, which takes part until its input ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rekindle::{HotReload, Probation, RemoteLayer};
use rekindle_cluster::{Host, Member, Options};
use serde::Deserialize;
use tokio::io::AsyncReadExt;

use crate::stop::Stop;

const SCHEMA: &str = r#"{"properties": {"greeting": {"type": "string"}, "delay_ms": {"type": "integer"}}}"#;

/// What the program is configured with.
#[derive(Debug, Clone, Deserialize)]
struct App {
    #[allow(dead_code, reason = "it is there to be changed")]
    greeting: String,
    /// How long an answer takes.
    #[serde(default)]
    delay_ms: u64,
}

/// The store of the fleet, beside the directories of its instances.
pub(super) fn store(fleet: &Path) -> PathBuf {
    fleet.join("fleet.db")
}

pub(super) fn address(fleet: &Path) -> String {
    format!("sqlite:{}", store(fleet).display())
}

/// Takes part.
///
/// # Errors
///
/// What keeps it from that.
pub(crate) async fn run(root: &Path) -> Result<(), Stop> {
    std::fs::create_dir_all(root.join("config"))?;
    std::fs::write(root.join("config/app.toml"), "greeting = 'Hello'\n")?;
    std::fs::write(root.join("config/app.schema.json"), SCHEMA)?;
    let live = Arc::new(std::sync::OnceLock::<rekindle::Live<App>>::new());
    let health = Arc::clone(&live);
    let release = rekindle_cluster::restore(root).await?;
    let manager = HotReload::builder(root)
        .remote_layer(RemoteLayer::AboveFiles)
        .probation(Probation::of(Duration::from_millis(300)).every(Duration::from_millis(50)))
        .health_check("answers", move || match health.get().map(|live| live.load().delay_ms) {
            Some(delay) if delay > 500 => Err(format!("an answer takes {delay} ms").into()),
            _ => Ok(()),
        })
        .start()
        .await?;
    let _first = live.set(manager.watch::<App>("app").await?.live());
    let fleet = root.parent().unwrap_or(root);
    let store = rekindle_cluster::store::open(&address(fleet)).await?;
    let host = Arc::new(Host::new(manager.clone()));
    let id = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let options = Options { version: env!("CARGO_PKG_VERSION").to_owned(), ..Options::new(id) };
    let member = Member::join(store, host, release, options);
    // Nobody writes to it: whoever started it has ended.
    let _ended = tokio::io::stdin().read(&mut [0; 1]).await;
    member.leave().await;
    Ok(manager.shutdown().await?)
}
