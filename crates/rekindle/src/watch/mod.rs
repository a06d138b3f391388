//! Watch: the file system in, [`Signal`]s out.
//!
//! Directories are armed, never files; each is armed first and listed second, so that nothing which
//! appears in between is missed. `walk` lists one directory, `scan` goes through them and compares,
//! `translate` makes signals of what a [`Backend`] tells. On Linux that is inotify, one watch a
//! directory; on other systems it is the system's recursive watch; where neither can be had, the same
//! walk runs at an interval. All paths are relative to the root, but for what links lead to.

mod backend;
mod file_watcher;
#[cfg(target_os = "linux")]
mod inotify;
mod inventory;
mod links;
mod look;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(any(not(target_os = "linux"), test))]
mod native;
mod path_map;
mod scan;
#[cfg(test)]
mod tests;
mod translate;
mod walk;

use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::route::Interest;
use crate::settle::{Signal, What};
use backend::Backend;
pub use file_watcher::FileWatcher;
pub(crate) use file_watcher::PlaceWatch;
pub(crate) use inventory::{Inventory, Stamp};
use links::Links;
pub(crate) use look::{Examined, changes_yet};
pub(crate) use scan::Scan;

/// What a round of watching found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) signals: Vec<Signal>,
    /// Notifications were lost: everything must be compared with what is known.
    pub(crate) overflowed: bool,
}

/// What the system has something to say about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stirred {
    /// Files: [`Watch::drain`] reads it.
    Files,
    /// Something was mounted somewhere, or taken off: [`Watch::was_remounted`] says whether here.
    Mounts,
}

impl Found {
    fn signal(&mut self, path: PathBuf, what: What) {
        self.signals.push(Signal { path, what });
    }
}

/// What keeps a root from being watched as it should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble<'a> {
    /// It is not there.
    Missing,
    /// The system offers no notification.
    Unavailable(&'a io::Error),
    /// It does for some directories only, or they cannot be listed.
    Refused {
        /// One of them, relative to the root.
        first: &'a Path,
        cause: &'a io::Error,
        count: usize,
    },
}

/// Who tells of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The operating system. It may be held to have lost what exceeds this many notices at a time.
    System { limit: usize },
    /// Nobody: everything is compared with what is known at an interval.
    Poll,
}

/// Watches one root.
#[derive(Debug)]
pub(crate) struct Watch {
    root: PathBuf,
    interest: Interest,
    /// `None` where nobody tells of changes.
    backend: Option<Box<dyn Backend>>,
    /// Why nobody does, where somebody should.
    unavailable: Option<io::Error>,
    limit: usize,
    #[cfg(target_os = "linux")]
    mounts: Option<mounts::Mounts>,
    links: Links,
    /// Wanted directories that the system refused to watch, or to list. They are looked at at an interval.
    refused: BTreeMap<PathBuf, io::Error>,
    /// The root is not there.
    missing: bool,
    /// The last name that was moved away, until its new one is told: the two come one after the other.
    moved: Option<(u32, PathBuf)>,
    /// How many directories the last walk of everything went through, and those since.
    walked: usize,
}

/// How often to compare everything where nobody tells of changes.
const POLL_BY_DEFAULT: Duration = Duration::from_millis(500);

impl Watch {
    /// Begins to watch, on the runtime that is current. Where the system offers no notification at all,
    /// polls, and [says so](Self::trouble).
    pub(crate) fn new(root: &Path, interest: Interest, source: Source) -> Self {
        let root = root.to_path_buf();
        let mut watch = Self {
            #[cfg(target_os = "linux")]
            mounts: mounts::Mounts::new(&root).ok(),
            root,
            interest,
            backend: None,
            unavailable: None,
            limit: usize::MAX,
            links: Links::default(),
            refused: BTreeMap::new(),
            missing: false,
            moved: None,
            walked: 0,
        };
        if let Source::System { limit } = source {
            watch.limit = limit;
            match system(&watch.root, limit) {
                Ok(backend) => watch.backend = Some(backend),
                Err(error) => watch.unavailable = Some(error),
            }
        }
        watch
    }

    /// The root that paths are relative to.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// What is wanted.
    pub(crate) fn interest(&self) -> &Interest {
        &self.interest
    }

    /// Wants something else from now on; [`Watch::list`] makes it so.
    pub(crate) fn set_interest(&mut self, interest: Interest) {
        self.interest = interest;
    }

    /// How often to [`scan`](Self::scan) because nobody tells of changes; `None` where somebody does.
    pub(crate) fn poll_interval(&self) -> Option<Duration> {
        self.backend.is_none().then_some(POLL_BY_DEFAULT)
    }

    /// How many directories the system watches; where it watches none, how many are walked.
    pub(crate) fn directories(&self) -> usize {
        self.backend.as_ref().map_or(self.walked, |backend| backend.len())
    }

    /// How many wanted directories the system does not tell of, so that they are polled.
    pub(crate) fn polled(&self) -> usize {
        self.backend.as_ref().map_or(self.walked, |_| self.refused.len())
    }

    /// What keeps it from watching all that is wanted.
    pub(crate) fn trouble(&self) -> Option<Trouble<'_>> {
        if self.missing {
            return Some(Trouble::Missing);
        }
        let refused = self.refused.first_key_value();
        let refused =
            refused.map(|(first, cause)| Trouble::Refused { first, cause, count: self.refused.len() });
        refused.or(self.unavailable.as_ref().map(Trouble::Unavailable))
    }

    /// Asks once more for the notifications that the system refused.
    pub(crate) fn ask_again(&mut self) {
        if self.unavailable.is_some()
            && let Ok(backend) = system(&self.root, self.limit)
        {
            (self.backend, self.unavailable) = (Some(backend), None);
        }
    }

    /// Resolves when the system has something to say. Cancel safe.
    pub(crate) async fn changed(&self) -> Stirred {
        tokio::select! {
            () = self.told() => Stirred::Files,
            () = self.remounted() => Stirred::Mounts,
        }
    }

    async fn told(&self) {
        match &self.backend {
            Some(backend) => poll_fn(|context| backend.poll_ready(context)).await,
            None => pending().await,
        }
    }

    async fn remounted(&self) {
        #[cfg(target_os = "linux")]
        if let Some(mounts) = &self.mounts {
            return mounts.stir().await;
        }
        pending::<()>().await;
    }

    /// Reads everything the operating system has told.
    pub(crate) fn drain(&mut self, inventory: &Inventory) -> Found {
        let mut found = Found::default();
        let mut notices = Vec::new();
        if let Some(backend) = &mut self.backend {
            found.overflowed = backend.read(&mut notices);
        }
        for notice in notices {
            self.take(notice, inventory, &mut found);
        }
        found
    }

    /// Whether what is mounted where the root is has changed since the last time.
    pub(crate) fn was_remounted(&mut self) -> bool {
        #[cfg(target_os = "linux")]
        if let Some(mounts) = &mut self.mounts {
            return mounts.changed();
        }
        false
    }

    fn arm(&mut self, directory: &Path) -> io::Result<()> {
        self.backend.as_mut().map_or(Ok(()), |backend| backend.arm(directory))
    }

    fn is_armed(&self, directory: &Path) -> bool {
        self.backend.as_ref().is_some_and(|backend| backend.is_armed(directory))
    }

    /// Notes where a link leads, and arms what lies on its way.
    fn learn(&mut self, link: &Path) {
        // What is re-pointed between being read and being armed is read once more.
        for _ in 0..3 {
            let way = links::way(&self.root.join(link));
            let rearm = self.links.learn(link, way);
            if rearm.arm.iter().all(|directory| self.is_armed(directory)) && rearm.disarm.is_empty() {
                return;
            }
            for directory in &rearm.arm {
                // Refused or gone: the regular comparison finds what changes there.
                let _polled = self.arm(directory);
            }
            if let Some(backend) = &mut self.backend {
                rearm.disarm.iter().for_each(|directory| backend.disarm(directory));
            }
        }
    }
}

/// The operating system's notifications.
#[cfg(target_os = "linux")]
fn system(root: &Path, limit: usize) -> io::Result<Box<dyn Backend>> {
    Ok(Box::new(inotify::Inotify::new(root, limit)?))
}

#[cfg(not(target_os = "linux"))]
fn system(root: &Path, limit: usize) -> io::Result<Box<dyn Backend>> {
    Ok(Box::new(native::Native::new(root, limit)?))
}
