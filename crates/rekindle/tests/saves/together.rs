//! Files saved together are one generation: no reader sees one without the other. Pain 8.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rekindle::{ChangeEvent, HotReloadManager};
use rekindle_test::{Running, Site};
use serde_json::Value;

/// How close two saves are together. Long: a loaded machine may hold the saver up between the two.
const QUIET: Duration = Duration::from_millis(500);

const ROUNDS: u64 = 10;

const APP: &str = "config/app.toml";
const DATABASE: &str = "config/database.toml";

fn content(n: u64) -> String {
    format!("revision = {n}\n")
}

fn revision(value: Option<&Value>) -> Option<u64> {
    value?.get("revision")?.as_u64()
}

#[tokio::test]
async fn two_files_renamed_into_place_together_are_one_generation() {
    one_generation_each(|site, n| {
        let app = site.write_elsewhere("app.toml", &content(n));
        let database = site.write_elsewhere("database.toml", &content(n));
        site.rename(&app, APP);
        site.rename(&database, DATABASE);
    })
    .await;
}

#[tokio::test]
async fn two_files_written_in_place_together_are_one_generation() {
    one_generation_each(|site, n| {
        site.write(APP, &content(n));
        site.write(DATABASE, &content(n));
    })
    .await;
}

async fn one_generation_each(save: impl Fn(&Site, u64)) {
    let site = Site::new().with(APP, &content(0)).with(DATABASE, &content(0));
    let mut running = Running::start_with(site, |builder| builder.settle(QUIET)).await;
    let watching = Watching::start(running.manager.clone());
    for n in 1..=ROUNDS {
        save(&running.site, n);
        let generations = both_reloaded(&mut running, n).await;
        assert_eq!(generations[0], generations[1], "save {n}: {:#?}", running.events.story());
    }
    assert_eq!(watching.end(), None, "a snapshot showed one without the other");
    running.quiet().await;
    let changes = running.events.story().iter().filter(|line| line.contains(" changed to ")).count();
    assert_eq!(changes as u64, 2 * ROUNDS, "{:#?}", running.events.story());
}

/// Waits for both and gives the generations they came with.
async fn both_reloaded(running: &mut Running, n: u64) -> Vec<u64> {
    let mut generations = Vec::new();
    while generations.len() < 2 {
        let what = format!("two configurations of revision {n}");
        let changed = |event: &ChangeEvent| matches!(event, ChangeEvent::ConfigChanged { .. });
        if let ChangeEvent::ConfigChanged { new_value, generation, .. } =
            running.events.until(&what, changed).await
        {
            assert_eq!(revision(Some(&new_value)), Some(n));
            generations.push(generation);
        }
    }
    generations
}

/// A thread that looks at snapshots as fast as it can.
struct Watching {
    stop: std::sync::Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Option<String>>,
}

impl Watching {
    fn start(manager: HotReloadManager) -> Self {
        let stop = std::sync::Arc::new(AtomicBool::new(false));
        let stopped = std::sync::Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut torn = None;
            while torn.is_none() && !stopped.load(Ordering::Relaxed) {
                torn = torn_apart(&manager);
                std::thread::yield_now();
            }
            torn
        });
        Self { stop, thread }
    }

    /// Ends it and gives the first snapshot that did not hold together.
    fn end(self) -> Option<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("looking does not panic")
    }
}

fn torn_apart(manager: &HotReloadManager) -> Option<String> {
    let snapshot = manager.snapshot();
    let (app, database) = (revision(snapshot.get("app")), revision(snapshot.get("database")));
    (app != database).then(|| format!("generation {}: {app:?} and {database:?}", snapshot.generation()))
}
