//! From a tree of files to the paths that a program is told of.

use std::any::Any;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use notify::{RecursiveMode, Watcher};
use notify_debouncer_full as full;
use notify_debouncer_mini as mini;
use rekindle::{ChangeEvent, HotReload};
use tokio::sync::broadcast::error::RecvError;

use super::runtime;
use crate::harness::Result;
use crate::harness::tree::EXCLUDED;

/// What keeps the watching going.
pub(crate) type Guard = Box<dyn Any>;

/// One way to watch a tree.
pub(crate) struct TreeWatcher {
    pub(crate) name: &'static str,
    /// Returns when it is ready. The tree is `tree` below the root.
    pub(crate) start: fn(&Path, &Arc<Reports>) -> Result<Guard>,
}

pub(crate) const REKINDLE: &str = "rekindle";
pub(crate) const NOTIFY: &str = "notify, recursive";

/// All of them.
pub(crate) const ALL: [TreeWatcher; 6] = [
    TreeWatcher { name: REKINDLE, start: rekindle },
    TreeWatcher { name: NOTIFY, start: recursive },
    TreeWatcher { name: "debouncer-mini, 50 ms", start: |root, to| debounced_mini(root, to, 50) },
    TreeWatcher { name: "debouncer-full, 50 ms", start: |root, to| debounced_full(root, to, 50) },
    TreeWatcher { name: "debouncer-mini, 500 ms", start: |root, to| debounced_mini(root, to, 500) },
    TreeWatcher { name: "debouncer-full, 500 ms", start: |root, to| debounced_full(root, to, 500) },
];

/// The one of this name.
pub(crate) fn find(name: &str) -> Result<&'static TreeWatcher> {
    ALL.iter().find(|watcher| watcher.name == name).ok_or_else(|| format!("no watcher {name:?}").into())
}

/// What the program has been told.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    paths: Mutex<(HashSet<PathBuf>, Option<Instant>)>,
    lost: AtomicU64,
}

impl Reports {
    /// A file was named.
    fn file(&self, path: PathBuf) {
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        paths.0.insert(path);
        paths.1 = Some(Instant::now());
    }

    /// Something was lost, and the program was told so.
    fn lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    fn notify(&self, event: notify::Event) {
        if event.need_rescan() {
            self.lost();
        }
        event.paths.into_iter().for_each(|path| self.file(path));
    }

    /// How often the program was told of a loss.
    pub(crate) fn losses(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// When the last report came.
    pub(crate) fn last(&self) -> Option<Instant> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// The files named so far, which are forgotten.
    pub(crate) fn take(&self) -> HashSet<PathBuf> {
        std::mem::take(&mut self.paths.lock().unwrap_or_else(PoisonError::into_inner).0)
    }
}

/// Told through `subscribe`, by a thread that does nothing but take the events.
fn rekindle(root: &Path, reports: &Arc<Reports>) -> Result<Guard> {
    let runtime = runtime()?;
    let builder = HotReload::builder(root).watch(["tree/**/*"]).exclude([format!("**/{EXCLUDED}")]);
    let manager = runtime.block_on(builder.start())?;
    let (mut events, reports) = (manager.subscribe(), Arc::clone(reports));
    std::thread::Builder::new().name("subscriber".into()).spawn(move || {
        loop {
            match events.blocking_recv() {
                Ok(ChangeEvent::FileChanged { path, .. }) => reports.file(path),
                Ok(ChangeEvent::Lagged { .. }) | Err(RecvError::Lagged(_)) => reports.lost(),
                Ok(_) => {}
                Err(RecvError::Closed) => break,
            }
        }
    })?;
    Ok(Box::new((manager, runtime)))
}

fn recursive(root: &Path, reports: &Arc<Reports>) -> Result<Guard> {
    let reports = Arc::clone(reports);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        event.map_or_else(|_| reports.lost(), |event| reports.notify(event));
    })?;
    watcher.watch(&root.join("tree"), RecursiveMode::Recursive)?;
    Ok(Box::new(watcher))
}

fn debounced_mini(root: &Path, reports: &Arc<Reports>, window: u64) -> Result<Guard> {
    let reports = Arc::clone(reports);
    let window = Duration::from_millis(window);
    let mut debouncer = mini::new_debouncer(window, move |events: mini::DebounceEventResult| match events {
        Ok(events) => events.into_iter().for_each(|event| reports.file(event.path)),
        Err(_) => reports.lost(),
    })?;
    debouncer.watcher().watch(&root.join("tree"), RecursiveMode::Recursive)?;
    Ok(Box::new(debouncer))
}

fn debounced_full(root: &Path, reports: &Arc<Reports>, window: u64) -> Result<Guard> {
    let reports = Arc::clone(reports);
    let window = Duration::from_millis(window);
    let mut debouncer =
        full::new_debouncer(window, None, move |events: full::DebounceEventResult| match events {
            Ok(events) => events.into_iter().for_each(|event| reports.notify(event.event)),
            Err(errors) => errors.iter().for_each(|_| reports.lost()),
        })?;
    debouncer.watch(root.join("tree"), RecursiveMode::Recursive)?;
    Ok(Box::new(debouncer))
}
