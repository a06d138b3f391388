//! The program that watches: an engine, a reader for every stream, and a reader of the events. It keeps
//! nothing that grows, so that what grows is the engine's.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rekindle::{ChangeEvent, ChangeType, ConfigStream};
use rekindle_test::{LIMIT, Running, Site, child};
use serde_json::Value;
use tokio::sync::mpsc;

/// How many configurations and assets there are.
pub(crate) const CONFIGS: u32 = 10;
pub(crate) const ASSETS: u32 = 50;

/// What the line begins with that says where the site is.
pub(crate) const ROOT: &str = "the site is at ";

/// What the answer begins with that says that nothing is lost, and how many directories there are.
pub(crate) const QUIET: &str = "quiet, directories: ";

/// As by default.
const WINDOW: Duration = Duration::from_millis(500);

/// How long nothing may happen. Nothing depends on it.
const HOURS: Duration = Duration::from_secs(24 * 60 * 60);

/// The file of a configuration.
pub(crate) fn config(number: u32) -> PathBuf {
    format!("config/c{number}.toml").into()
}

/// An asset.
pub(crate) fn asset(number: u32) -> PathBuf {
    format!("static/{number}.css").into()
}

#[test]
#[ignore = "is looked at from without, started by the soak"]
fn body() {
    if child::is_this_one() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be built").block_on(async {
            let watcher = Watcher::start().await;
            watcher.watch().await;
        });
    }
}

struct Watcher {
    running: Running,
    /// The last value of each stream, in the order of the configurations.
    values: Vec<Arc<Mutex<Value>>>,
    /// The assets there are, as far as was told.
    files: BTreeSet<PathBuf>,
}

impl Watcher {
    async fn start() -> Self {
        let (site, configs) = (Site::new(), 0..CONFIGS);
        configs
            .clone()
            .for_each(|number| std::fs::write(site.root().join(config(number)), "value = 0\n").expect("new"));
        (0..ASSETS).for_each(|number| std::fs::write(site.root().join(asset(number)), "0").expect("new"));
        let files = assets(site.root());
        let running = Running::start_with(site, |builder| builder.debounce(WINDOW)).await;
        let mut values = Vec::new();
        for number in configs {
            let stream = running.manager.watch::<Value>(&format!("c{number}")).await.expect("it is good");
            let value = Arc::new(Mutex::new(stream.current().clone()));
            tokio::spawn(read(stream, Arc::clone(&value)));
            values.push(value);
        }
        println!("{ROOT}{}", running.site.root().display());
        Self { running, values, files }
    }

    /// Reads events until it is told to end.
    async fn watch(mut self) {
        let mut questions = lines();
        loop {
            tokio::select! {
                line = questions.recv() => match line.as_deref() {
                    Some("quiet?") => self.quiet().await,
                    _ => return,
                },
                _ = self.running.events.next_within(HOURS) => self.note(),
            }
        }
    }

    /// Takes in the events that were read, and keeps none.
    fn note(&mut self) {
        for event in self.running.events.seen() {
            let ChangeEvent::FileChanged { path, change_type } = event else { continue };
            match change_type {
                ChangeType::Deleted => drop(self.files.remove(path)),
                ChangeType::Renamed { from } => {
                    self.files.remove(from);
                    self.files.insert(path.clone());
                }
                _ => drop(self.files.insert(path.clone())),
            }
        }
        let assets = self.running.site.path("static");
        self.files.retain(|path| path.starts_with(&assets));
        self.running.events.clear();
    }

    /// Answers when nothing is lost; when something is, says what and ends.
    async fn quiet(&mut self) {
        self.running.windows_end().await;
        self.note();
        while let Some(lost) = self.lost() {
            // What fell due last may still be judged.
            assert!(self.running.events.next_within(LIMIT).await, "{lost}");
            self.note();
        }
        println!("{QUIET}{}", directories(self.running.site.root()));
    }

    /// What is not as it is on disk.
    fn lost(&self) -> Option<String> {
        let root = self.running.site.root();
        let there = assets(root);
        if self.files != there {
            let differing: Vec<_> = self.files.symmetric_difference(&there).collect();
            return Some(format!("told of or there, not both: {differing:?}"));
        }
        let status = self.running.manager.status();
        if status.is_degraded() {
            return Some(format!("{status:#?}"));
        }
        (0..CONFIGS).zip(&self.values).find_map(|(number, value)| {
            let text = std::fs::read_to_string(root.join(config(number))).expect("it is there");
            let disk = toml::from_str::<Value>(&text).expect("it is good");
            let value = value.lock().expect("nobody panics with it");
            (*value != disk).then(|| format!("c{number}: {value} is not {}", disk["value"]))
        })
    }
}

async fn read(mut stream: ConfigStream<Value>, last: Arc<Mutex<Value>>) {
    while let Some(value) = stream.next().await {
        *last.lock().expect("nobody panics with it") = value;
    }
}

/// What is asked, line by line.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let all = std::io::stdin().lock().lines().map_while(Result::ok);
        all.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop);
    });
    lines
}

/// The assets there are.
fn assets(root: &Path) -> BTreeSet<PathBuf> {
    entries(&root.join("static")).into_iter().filter(|path| path.is_file()).collect()
}

/// How many directories are to be watched: the root, and all those in which something can match.
fn directories(root: &Path) -> usize {
    let below = ["config", "static", "templates"].map(|directory| entries(&root.join(directory)));
    1 + below.iter().flatten().filter(|path| path.is_dir()).count()
}

/// A directory and all that is below it.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut all = vec![directory.to_path_buf()];
    for entry in std::fs::read_dir(directory).expect("it is there").flatten() {
        if entry.path().is_dir() { all.extend(entries(&entry.path())) } else { all.push(entry.path()) }
    }
    all
}
