//! From a saved file to a value that can be read: the same file, the same type, one way each.
//!
//! By hand means: watch the directory, read and parse when the file is told of, store in an `ArcSwap`. A
//! debouncer on notify 8 tells of the reading, too; so there the file is read only if its stamp is another,
//! or the loop would feed itself.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use dynamic_config::{Builder, Dynamic};
use hotswap_config::core::HotswapConfig;
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};
use notify::{RecursiveMode, Watcher};
use notify_debouncer_full as full;
use notify_debouncer_mini as mini;
use rekindle::{HotReload, HotReloadManager, Live};

use super::{inotify, runtime};
use crate::harness::Result;
use crate::harness::app::{App, FILE, Project};

/// Reads the newest number. It owns what keeps the watching going.
pub(crate) type Load = Box<dyn Fn() -> u64>;

/// One way to reload.
pub(crate) struct Reloader {
    pub(crate) name: &'static str,
    /// How long it gathers events, at the most: that long after a change it is not at rest.
    pub(crate) window: Duration,
    pub(crate) start: fn(&Project) -> Result<Load>,
}

/// The least that any reloader of files does.
pub(crate) const FLOOR: &str = "raw inotify, read, parse";
pub(crate) const REKINDLE: &str = "rekindle";
pub(crate) const PROMPT: &str = "rekindle, settle(0)";
pub(crate) const NOTIFY: &str = "notify, by hand";
pub(crate) const FULL_50: &str = "debouncer-full, 50 ms";

const MS_50: Duration = Duration::from_millis(50);
const MS_500: Duration = Duration::from_millis(500);

/// All of them.
pub(crate) const ALL: [Reloader; 10] = [
    Reloader { name: FLOOR, window: Duration::ZERO, start: floor },
    Reloader { name: PROMPT, window: MS_50, start: |project| rekindle(project, Some(Duration::ZERO)) },
    Reloader { name: REKINDLE, window: MS_50, start: |project| rekindle(project, None) },
    Reloader { name: NOTIFY, window: Duration::ZERO, start: by_hand },
    Reloader {
        name: "debouncer-mini, 50 ms",
        window: MS_50,
        start: |project| debounced_mini(project, MS_50),
    },
    Reloader { name: FULL_50, window: MS_50, start: |project| debounced_full(project, MS_50) },
    Reloader {
        name: "debouncer-mini, 500 ms",
        window: MS_500,
        start: |project| debounced_mini(project, MS_500),
    },
    Reloader {
        name: "debouncer-full, 500 ms",
        window: MS_500,
        start: |project| debounced_full(project, MS_500),
    },
    Reloader { name: "dynamic-config, 50 ms", window: Duration::from_millis(100), start: dynamic_watching },
    Reloader { name: "hotswap-config, 500 ms", window: MS_500, start: hotswap },
];

/// The one of this name.
pub(crate) fn find(name: &str) -> Result<&'static Reloader> {
    ALL.iter().find(|reloader| reloader.name == name).ok_or_else(|| format!("no reloader {name:?}").into())
}

fn rekindle(project: &Project, settle: Option<Duration>) -> Result<Load> {
    let runtime = runtime()?;
    let (_, live) = runtime.block_on(live(project, settle))?;
    Ok(Box::new(move || {
        let _alive = &runtime;
        live.load().number
    }))
}

/// rekindle on a project; with `settle` where it is not to be the default.
pub(crate) async fn live(
    project: &Project,
    settle: Option<Duration>,
) -> rekindle::Result<(HotReloadManager, Live<App>)> {
    let builder = HotReload::builder(project.root());
    let builder = match settle {
        Some(quiet) => builder.settle(quiet),
        None => builder,
    };
    let manager = builder.start().await?;
    let live = manager.watch::<App>("app").await?.live();
    Ok((manager, live))
}

/// dynamic-config with its default engine on a project; not watching yet.
pub(crate) fn dynamic(project: &Project) -> Result<Dynamic<App>> {
    dynamic_config::set_log_level(dynamic_config::LogLevel::Off);
    let file = project.file().to_string_lossy().into_owned();
    let config = Dynamic::new(Builder::new("app").whole_document().file(file));
    config.init()?;
    Ok(config)
}

/// What the loops by hand store into.
#[derive(Clone)]
struct Store {
    file: PathBuf,
    value: Arc<ArcSwap<App>>,
}

impl Store {
    fn new(project: &Project) -> Self {
        Self { file: project.file(), value: Arc::default() }
    }

    /// Takes what the file holds, unless it is half of something.
    fn take(&self) {
        if let Some(app) = App::read(&self.file) {
            self.value.store(Arc::new(app));
        }
    }

    /// A way to read it that keeps `guard`.
    fn load(self, guard: impl Send + 'static) -> Load {
        Box::new(move || {
            let _alive = &guard;
            self.value.load().number
        })
    }
}

/// A blocking thread on an inotify descriptor.
fn floor(project: &Project) -> Result<Load> {
    let store = Store::new(project);
    let stored = store.clone();
    inotify::on_finished_write(&project.root().join("config"), FILE, move || stored.take())?;
    Ok(store.load(()))
}

/// What the notify family watches: the directory, or the whole tree where there is one.
fn watched(project: &Project) -> (PathBuf, RecursiveMode) {
    if project.has_tree() {
        (project.root().into(), RecursiveMode::Recursive)
    } else {
        (project.root().join("config"), RecursiveMode::NonRecursive)
    }
}

/// No debouncing: at once when the file has been closed or renamed into place.
fn by_hand(project: &Project) -> Result<Load> {
    let store = Store::new(project);
    let stored = store.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        let finished = matches!(
            event.kind,
            EventKind::Access(AccessKind::Close(AccessMode::Write))
                | EventKind::Modify(ModifyKind::Name(RenameMode::To))
        );
        if finished && event.paths.contains(&stored.file) {
            stored.take();
        }
    })?;
    let (path, mode) = watched(project);
    watcher.watch(&path, mode)?;
    Ok(store.load(watcher))
}

/// Reads a file when its stamp is another than the last time.
struct Stamped {
    store: Store,
    last: Option<(u64, i64, i64)>,
}

impl Stamped {
    fn new(store: &Store) -> Self {
        Self { store: store.clone(), last: None }
    }

    fn told<'a>(&mut self, mut paths: impl Iterator<Item = &'a Path>) {
        if !paths.any(|path| path == self.store.file) {
            return;
        }
        let stamp =
            fs::metadata(&self.store.file).ok().map(|meta| (meta.ino(), meta.mtime(), meta.mtime_nsec()));
        if stamp != self.last {
            self.last = stamp;
            self.store.take();
        }
    }
}

fn debounced_mini(project: &Project, window: Duration) -> Result<Load> {
    let store = Store::new(project);
    let mut stamped = Stamped::new(&store);
    let mut debouncer = mini::new_debouncer(window, move |events: mini::DebounceEventResult| {
        let Ok(events) = events else { return };
        stamped.told(events.iter().map(|event| event.path.as_path()));
    })?;
    let (path, mode) = watched(project);
    debouncer.watcher().watch(&path, mode)?;
    Ok(store.load(debouncer))
}

fn debounced_full(project: &Project, window: Duration) -> Result<Load> {
    let store = Store::new(project);
    let mut stamped = Stamped::new(&store);
    let mut debouncer = full::new_debouncer(window, None, move |events: full::DebounceEventResult| {
        let Ok(events) = events else { return };
        stamped.told(events.iter().flat_map(|event| event.paths.iter().map(PathBuf::as_path)));
    })?;
    let (path, mode) = watched(project);
    debouncer.watch(&path, mode)?;
    Ok(store.load(debouncer))
}

/// A quiet window of 50 ms, and by itself a grace of 25 ms after it.
fn dynamic_watching(project: &Project) -> Result<Load> {
    let config = dynamic(project)?;
    let watch = config.watch(MS_50)?;
    Ok(Box::new(move || {
        let _alive = &watch;
        config.current().map_or(0, |app| app.number)
    }))
}

/// Its debounce of 500 ms by default: at once if there was no event for as long, else after the rest of it.
fn hotswap(project: &Project) -> Result<Load> {
    let runtime = runtime()?;
    let builder = HotswapConfig::builder().with_file(project.file()).with_file_watch(true);
    let config = runtime.block_on(builder.build::<App>())?;
    Ok(Box::new(move || {
        let _alive = &runtime;
        config.get().number
    }))
}
