//! What the operating system says of changes, whatever the system.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};

/// A source of notices.
///
/// Directories are named by their path below the root, or by an absolute path where they lie outside
/// of what is walked (what a link leads to). A path in a notice begins as its directory was named.
pub(super) trait Backend: Debug + Send + Sync {
    /// Tells of the entries of a directory from now on, if it does not already. One that is gone is no
    /// error: who walks there finds out.
    fn arm(&mut self, directory: &Path) -> io::Result<()>;

    /// Tells of a directory no more.
    fn disarm(&mut self, directory: &Path);

    /// Tells of a directory and all below it no more: it moved, or went away.
    fn disarm_below(&mut self, directory: &Path);

    /// Whether a directory is armed by this name.
    fn is_armed(&self, directory: &Path) -> bool;

    /// How many directories the system watches.
    fn len(&self) -> usize;

    /// Ready when [`read`](Self::read) has something to give. For one waiter at a time.
    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()>;

    /// Gives everything that was told. `true` when some of it was lost.
    fn read(&mut self, notices: &mut Vec<Notice>) -> bool;
}

/// Something that happened to the entry of an armed directory, or to that directory itself.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    pub(super) path: PathBuf,
    pub(super) of: Subject,
    pub(super) what: Happened,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// An entry that is no directory; a link to one is none either.
    File,
    /// An entry that is a directory.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only inotify says of what kind it is"))]
    Directory,
    /// The armed directory itself.
    Itself,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only inotify says what happened"))]
pub(super) enum Happened {
    /// Its writer closed it.
    Closed,
    /// It was written to, and is not closed yet.
    Modified,
    Created,
    Deleted,
    /// Moved away; the same number comes with [`MovedTo`](Self::MovedTo), if it stays in view.
    MovedFrom(u32),
    MovedTo(u32),
    /// Its mode, its owner or its times.
    Attributes,
    /// The system does not say: it may be there or not, be new or old, and be written to or not.
    #[cfg_attr(target_os = "linux", allow(dead_code, reason = "inotify always says"))]
    Unclear,
}

impl Happened {
    /// Whether the name may stand for another file than it did, or for none.
    pub(super) fn may_replace(self) -> bool {
        !matches!(self, Self::Closed | Self::Modified | Self::Attributes)
    }
}
