//! Watch: the file system in, [`Signal`]s out.
//!
//! Directories are armed, never files; each is armed first and listed second, so that nothing which
//! appears in between is missed. On Linux this speaks inotify; elsewhere, and where asked to, the same
//! walk runs at an interval. All paths are relative to the root.

mod file_watcher;
#[cfg(target_os = "linux")]
mod inotify;
mod inventory;
mod walk;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Result;
use crate::route::Interest;
use crate::settle::{Signal, What};
pub use file_watcher::FileWatcher;
pub(crate) use inventory::{Inventory, Look, Stamp};

/// What a round of watching found beside the signals.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) signals: Vec<Signal>,
    /// Notifications were lost: everything must be looked at anew.
    pub(crate) overflowed: bool,
    /// Directories that the operating system refused to watch, and why.
    pub(crate) refused: Vec<(PathBuf, std::io::Error)>,
}

impl Found {
    fn signal(&mut self, path: PathBuf, what: What) {
        self.signals.push(Signal { path, what });
    }
}

/// Watches one root.
#[derive(Debug)]
pub(crate) struct Watch {
    root: PathBuf,
    interest: Interest,
    #[cfg(target_os = "linux")]
    os: Option<inotify::Inotify>,
    /// How many directories the last walk went through.
    walked: usize,
}

/// How often to walk when the operating system tells nothing.
const POLL_BY_DEFAULT: Duration = Duration::from_millis(500);

impl Watch {
    /// Starts watching. With `poll`, asks the operating system for nothing.
    ///
    /// # Errors
    ///
    /// When the operating system offers no notification at all (its limit on instances is reached).
    pub(crate) fn new(root: &Path, interest: Interest, poll: bool) -> Result<Self> {
        let root = root.to_path_buf();
        #[cfg(target_os = "linux")]
        let os = if poll { None } else { Some(inotify::Inotify::new(&root)?) };
        #[cfg(not(target_os = "linux"))]
        let _ = poll;
        Ok(Self {
            root,
            interest,
            #[cfg(target_os = "linux")]
            os,
            walked: 0,
        })
    }

    /// The root that paths are relative to.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// What is wanted.
    pub(crate) fn interest(&self) -> &Interest {
        &self.interest
    }

    /// Wants something else from now on; [`Watch::scan`] makes it so.
    pub(crate) fn set_interest(&mut self, interest: Interest) {
        self.interest = interest;
    }

    /// How often to [`scan`](Self::scan) because nobody tells of changes; `None` where somebody does.
    pub(crate) fn poll_interval(&self) -> Option<Duration> {
        #[cfg(target_os = "linux")]
        if self.os.is_some() {
            return None;
        }
        Some(POLL_BY_DEFAULT)
    }

    /// How many directories are watched.
    pub(crate) fn directories(&self) -> usize {
        #[cfg(target_os = "linux")]
        if let Some(os) = &self.os {
            return os.len();
        }
        self.walked
    }

    /// Resolves when [`drain`](Self::drain) has something to read. Cancel safe.
    pub(crate) async fn changed(&self) {
        #[cfg(target_os = "linux")]
        if let Some(os) = &self.os {
            return os.readable().await;
        }
        std::future::pending::<()>().await;
    }

    /// Reads everything the operating system has told.
    pub(crate) fn drain(&mut self, inventory: &Inventory) -> Found {
        #[cfg(target_os = "linux")]
        if let Some(os) = &mut self.os {
            return os.drain(&self.interest, inventory);
        }
        let _ = inventory;
        Found::default()
    }

    /// Walks everything: arms what is not armed, and says what differs from what is known.
    pub(crate) fn scan(&mut self, inventory: &Inventory) -> Found {
        let mut found = Found::default();
        let listed = self.list(&mut found);
        let mut missing: Vec<&PathBuf> =
            inventory.paths().filter(|path| !listed.contains_key(*path)).collect();
        missing.sort();
        for path in missing {
            found.signal(path.clone(), What::Gone);
        }
        for (path, stamp) in &listed {
            if inventory.get(path).is_none_or(|known| !known.looks_like(stamp)) {
                found.signal(path.clone(), What::Seen);
            }
        }
        found
    }

    /// Walks everything and gives every wanted file: the beginning of an inventory.
    pub(crate) fn list(&mut self, found: &mut Found) -> std::collections::BTreeMap<PathBuf, Stamp> {
        let mut listed = std::collections::BTreeMap::new();
        #[cfg(target_os = "linux")]
        let mut os = self.os.as_mut();
        let mut walked = 0;
        let arm = |_directory: &Path| {
            walked += 1;
            #[cfg(target_os = "linux")]
            if let Some(os) = &mut os {
                return os.arm(_directory);
            }
            Ok(())
        };
        let file = |path, stamp| {
            listed.insert(path, stamp);
        };
        found.refused.extend(walk::walk(&self.root, Path::new(""), &self.interest, arm, file));
        self.walked = walked;
        listed
    }
}
