//! Systems with a recursive watch of their own (macOS, Windows), through `notify`.
//!
//! They say less than inotify: that something happened at a path, and rarely what. So every notice is
//! [`Happened::Unclear`], and the file system is asked. It runs on Linux in tests.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::backend::{Backend, Happened, Notice, Subject};

/// A recursive watch of the root, and plain watches of what links lead to.
#[derive(Debug)]
pub(super) struct Native {
    root: PathBuf,
    /// The root as the system spells it: it tells of real paths.
    real: PathBuf,
    watcher: RecommendedWatcher,
    /// Whether the root is watched at present: it may be missing for a while.
    watches_root: bool,
    armed: BTreeSet<PathBuf>,
    told: Arc<Mutex<Told>>,
}

/// What the system has told and nobody has read.
#[derive(Debug, Default)]
struct Told {
    paths: BTreeSet<PathBuf>,
    lost: bool,
    waker: Option<Waker>,
}

impl Told {
    fn take(&mut self, event: notify::Result<notify::Event>, limit: usize) {
        match event {
            Ok(event) if event.kind.is_access() => return,
            Ok(event) => {
                self.lost |= event.need_rescan();
                self.paths.extend(event.paths);
            }
            // Whatever it was, something may have been missed.
            Err(_) => self.lost = true,
        }
        if self.paths.len() > limit {
            self.paths.clear();
            self.lost = true;
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Native {
    /// Begins to watch.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub(super) fn new(root: &Path, limit: usize) -> io::Result<Self> {
        let told = Arc::<Mutex<Told>>::default();
        let teller = Arc::clone(&told);
        let tell = move |event| teller.lock().unwrap_or_else(PoisonError::into_inner).take(event, limit);
        let watcher = notify::recommended_watcher(tell).map_err(plain)?;
        let real = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        let (root, armed) = (root.to_path_buf(), BTreeSet::new());
        Ok(Self { root, real, watcher, watches_root: false, armed, told })
    }

    fn watch_root(&mut self) -> io::Result<()> {
        if !self.watches_root {
            self.real = self.root.canonicalize().unwrap_or_else(|_| self.root.clone());
            self.watcher.watch(&self.real, RecursiveMode::Recursive).map_err(plain)?;
            self.watches_root = true;
        }
        Ok(())
    }
}

impl Backend for Native {
    fn arm(&mut self, directory: &Path) -> io::Result<()> {
        if self.armed.contains(directory) || !self.root.join(directory).is_dir() {
            return Ok(());
        }
        if directory.is_absolute() && !directory.starts_with(&self.real) {
            self.watcher.watch(directory, RecursiveMode::NonRecursive).map_err(plain)?;
        } else {
            self.watch_root()?;
        }
        self.armed.insert(directory.to_path_buf());
        Ok(())
    }

    fn disarm(&mut self, directory: &Path) {
        let is_known = self.armed.remove(directory);
        if is_known && directory.is_absolute() && !directory.starts_with(&self.real) {
            // Fails when it is gone, and the watch with it.
            let _gone_already = self.watcher.unwatch(directory);
        }
        if is_known && directory.as_os_str().is_empty() {
            let _gone_already = self.watcher.unwatch(&self.real);
            self.watches_root = false;
        }
    }

    fn disarm_below(&mut self, directory: &Path) {
        let is_below =
            |path: &&PathBuf| path.starts_with(directory) && path.is_absolute() == directory.is_absolute();
        let below: Vec<PathBuf> = self.armed.iter().filter(is_below).cloned().collect();
        below.iter().for_each(|path| self.disarm(path));
    }

    fn is_armed(&self, directory: &Path) -> bool {
        self.armed.contains(directory)
    }

    fn len(&self) -> usize {
        self.armed.len()
    }

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.lost || !told.paths.is_empty() {
            return Poll::Ready(());
        }
        told.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn read(&mut self, notices: &mut Vec<Notice>) -> bool {
        let (paths, lost) = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            (std::mem::take(&mut told.paths), std::mem::take(&mut told.lost))
        };
        for path in paths {
            let notice = |path| Notice { path, of: Subject::File, what: Happened::Unclear };
            if let Ok(below) = path.strip_prefix(&self.real) {
                let is_root = below.as_os_str().is_empty();
                let what = if path.exists() { Happened::Attributes } else { Happened::Deleted };
                let own = Notice { path: PathBuf::new(), of: Subject::Itself, what };
                notices.push(if is_root { own } else { notice(below.to_path_buf()) });
            }
            // The same name again for the links that lead through it.
            notices.push(notice(path));
        }
        lost
    }
}

fn plain(error: notify::Error) -> io::Error {
    match error.kind {
        notify::ErrorKind::Io(error) => error,
        notify::ErrorKind::MaxFilesWatch => io::Error::new(io::ErrorKind::StorageFull, "too many watches"),
        kind => io::Error::other(format!("{kind:?}")),
    }
}
