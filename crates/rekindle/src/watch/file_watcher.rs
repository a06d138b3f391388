//! [`FileWatcher`]: the watching without the configurations.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, oneshot};

use super::{Examined, Found, Inventory, Source, Stamp, Watch};
use crate::config::{LONGEST, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::event::ChangeEvent;
use crate::route::Interest;
use crate::settle::Settle;

/// How many events a slow receiver may be behind before it is told that it lags.
const RECEIVER_CAPACITY: usize = 1024;

/// How many changes are told of before the slowest receiver is waited for.
const PORTION: usize = RECEIVER_CAPACITY / 4;

/// How long it is waited for, before it is told that it lags.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often while something cannot be watched, or is missing.
const WHILE_IN_TROUBLE: Duration = Duration::from_secs(2);

/// Watches files and directories and tells of finished changes as [`ChangeEvent::FileChanged`].
///
/// Directories are watched with all below them. It works as the engine does: a finished write is told
/// within milliseconds, once; a half-written, truncated or briefly missing file is waited for, at most
/// for the debounce window; a touch tells nothing.
///
/// ```
/// use std::time::Duration;
/// use rekindle::{ChangeEvent, FileWatcher};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dir = tempfile::tempdir()?;
/// let watcher = FileWatcher::new(vec![dir.path().to_path_buf()], Duration::from_millis(500)).await?;
/// let mut events = watcher.subscribe();
/// std::fs::write(dir.path().join("a.txt"), "hello")?;
/// assert!(matches!(events.recv().await?, ChangeEvent::FileChanged { path, .. } if path.ends_with("a.txt")));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FileWatcher {
    events: broadcast::WeakSender<ChangeEvent>,
    /// Dropping it ends the thread.
    _stop: oneshot::Sender<()>,
}

impl FileWatcher {
    /// Starts to watch. When it returns, everything is armed: no later change is missed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when a path does not exist, [`ErrorKind::Watch`] when the watching thread
    /// cannot be started. What the operating system refuses to watch is polled.
    pub async fn new(watch_paths: Vec<PathBuf>, debounce_duration: Duration) -> Result<Self> {
        let sender = broadcast::Sender::new(RECEIVER_CAPACITY);
        let events = sender.downgrade();
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = oneshot::channel();
        let body = move || match start(&watch_paths, debounce_duration) {
            Ok((runtime, roots)) => {
                // Nobody waits any more if this fails, and the loop ends at once.
                let _caller_gone = ready.send(Ok(()));
                runtime.block_on(run(roots, &sender, stopped));
            }
            Err(error) => {
                let _caller_gone = ready.send(Err(error));
            }
        };
        std::thread::Builder::new().name("rekindle-watch".into()).spawn(body)?;
        started.await.map_err(|_| Error::new(ErrorKind::Watch, "the watching thread has died"))??;
        Ok(Self { events, _stop: stop })
    }

    /// A receiver of every change from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<ChangeEvent> {
        // If the thread is gone: a receiver that says so.
        self.events.upgrade().map_or_else(|| broadcast::channel(1).1, |sender| sender.subscribe())
    }
}

/// One watched directory, or the directory of one watched file.
struct Root {
    watch: Watch,
    inventory: Inventory,
    settle: Settle,
    /// How often to compare everything, where that is how changes are found.
    poll: Option<Duration>,
}

impl Root {
    fn new(path: &Path, window: Duration) -> Result<Self> {
        let path = std::path::absolute(path)?;
        let metadata = std::fs::metadata(&path)
            .map_err(|cause| Error::io("cannot watch", &path, Path::new(""), cause))?;
        let (root, pattern) = match (metadata.is_dir(), path.parent(), path.file_name()) {
            (false, Some(parent), Some(name)) => (parent, literal(&name.to_string_lossy())),
            _ => (path.as_path(), "**/*".to_owned()),
        };
        Self::of_files(root, &pattern, Source::System { limit: usize::MAX }, window)
    }

    /// The files of a directory that match a glob. The directory need not be there.
    fn of_files(root: &Path, pattern: &str, source: Source, window: Duration) -> Result<Self> {
        let interest = Interest::new(&[pattern], &[])?;
        let mut watch = Watch::new(root, interest, source);
        let mut inventory = Inventory::default();
        for (path, stamp) in watch.list() {
            inventory.insert(path, stamp);
        }
        for path in inventory.to_fingerprint(|path| watch.interest().by_pattern(path)) {
            if let Some(read) = inventory.get(&path).and_then(|known| known.fingerprint(root, &path)) {
                inventory.insert(path, read);
            }
        }
        let settle = Settle::new(Settings::default().settle, window.min(LONGEST));
        Ok(Self { watch, inventory, settle, poll: None })
    }

    /// Takes in what was found.
    fn observe(&mut self, found: Found) {
        let now = Instant::now();
        found.signals.into_iter().for_each(|signal| self.settle.observe(signal, now));
        if found.overflowed {
            let found = self.watch.scan_all(true, &self.inventory);
            self.observe(found);
        }
    }

    fn catch_up(&mut self) {
        let found = self.watch.drain(&self.inventory);
        self.observe(found);
    }

    /// How often to compare everything: soon, where the system does not tell of all that is wanted.
    fn interval(&self) -> Duration {
        let reconcile = Settings::default().reconcile;
        let default = if self.watch.trouble().is_some() { WHILE_IN_TROUBLE } else { reconcile };
        let polled = self.watch.poll_interval().map(|by_default| self.poll.unwrap_or(by_default));
        polled.unwrap_or(default)
    }

    /// Gives the changes that are due.
    fn due(&mut self) -> Vec<ChangeEvent> {
        let now = Instant::now();
        if self.settle.wake().is_none_or(|wake| wake > now) {
            return Vec::new();
        }
        let root = self.watch.root().to_path_buf();
        let due = self.settle.due(now);
        // A watched file is wanted by name; a config-shaped neighbour of it is not.
        let wanted = due.into_iter().filter(|due| self.watch.interest().by_pattern(&due.path));
        let mut events = Vec::new();
        for due in wanted.collect::<Vec<_>>() {
            let now = Stamp::read_at(&root.join(&due.path), &root, Settings::default().max_file_size);
            self.catch_up();
            if let Examined::Changed(change_type) = self.inventory.examine(&root, &due, now, &mut self.settle)
            {
                events.push(ChangeEvent::FileChanged { path: root.join(&due.path), change_type });
            }
        }
        events
    }
}

/// Watches a few places beside an engine's root, on the runtime that is current. They need not be there.
#[derive(Debug)]
pub(crate) struct PlaceWatch {
    events: broadcast::Receiver<ChangeEvent>,
    /// Dropping it ends them. Without a place there is none, and the events have ended.
    _tasks: tokio::task::JoinSet<()>,
}

impl PlaceWatch {
    /// Begins to watch directories: one file in each, or all that lie directly in it. When it returns,
    /// what is there is armed.
    pub(crate) fn new(
        places: &[(PathBuf, Option<String>)],
        source: Source,
        poll: Option<Duration>,
        window: Duration,
    ) -> Result<Self> {
        let sender = broadcast::Sender::new(RECEIVER_CAPACITY);
        let events = sender.subscribe();
        let mut tasks = tokio::task::JoinSet::new();
        for (directory, file) in places {
            let pattern = file.as_deref().map_or_else(|| "*".to_owned(), literal);
            let root = Root::of_files(directory, &pattern, source, window)?;
            tasks.spawn(serve(Root { poll, ..root }, sender.clone()));
        }
        Ok(Self { events, _tasks: tasks })
    }

    /// Waits for the next changes: those that are told together are one. Never resolves without a place.
    ///
    /// # Cancel safety
    ///
    /// No change is lost when it is dropped.
    pub(crate) async fn changed(&mut self) {
        if let Err(broadcast::error::RecvError::Closed) = self.events.recv().await {
            std::future::pending::<()>().await;
        }
        while self.events.try_recv().is_ok() {}
    }
}

/// A glob that matches one name and nothing else.
fn literal(name: &str) -> String {
    let escaped = |c: char| "*?[]{}\\".contains(c);
    name.chars().flat_map(|c| escaped(c).then_some('\\').into_iter().chain([c])).collect()
}

fn start(paths: &[PathBuf], window: Duration) -> Result<(tokio::runtime::Runtime, Vec<Root>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let context = runtime.enter();
    let roots = paths.iter().map(|path| Root::new(path, window)).collect::<Result<_>>()?;
    drop(context);
    Ok((runtime, roots))
}

async fn run(roots: Vec<Root>, events: &broadcast::Sender<ChangeEvent>, stopped: oneshot::Receiver<()>) {
    let mut tasks = tokio::task::JoinSet::new();
    for root in roots {
        tasks.spawn(serve(root, events.clone()));
    }
    // Sent or dropped, it means the same: nobody wants to know any more.
    let _dropped = stopped.await;
}

async fn serve(mut root: Root, events: broadcast::Sender<ChangeEvent>) {
    let mut scan = Instant::now() + root.interval();
    loop {
        let wake = root.settle.wake().map_or(scan, |wake| wake.min(scan));
        tokio::select! {
            // Whatever stirred: mounts are looked after by the regular comparison.
            _ = root.watch.changed() => {}
            () = tokio::time::sleep_until(wake.into()) => {}
        }
        root.catch_up();
        if scan <= Instant::now() {
            let found = root.watch.scan_all(false, &root.inventory);
            root.observe(found);
            scan = Instant::now() + root.interval();
        }
        tell(root.due(), &events).await;
    }
}

/// Tells of changes, in portions that a receiver that keeps reading can take.
async fn tell(changes: Vec<ChangeEvent>, events: &broadcast::Sender<ChangeEvent>) {
    let mut keeps_reading = true;
    for (count, event) in changes.into_iter().enumerate() {
        if count % PORTION == PORTION - 1 && keeps_reading {
            keeps_reading = tokio::time::timeout(PATIENCE, caught_up(events)).await.is_ok();
        }
        // Fails when nobody listens, which is their choice.
        let _nobody_listens = events.send(event);
    }
}

async fn caught_up(events: &broadcast::Sender<ChangeEvent>) {
    while events.len() > RECEIVER_CAPACITY / 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
