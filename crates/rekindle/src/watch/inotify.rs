//! Linux: one inotify watch per armed directory.

use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, ready};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use tokio::io::Interest as Readiness;
use tokio::io::unix::AsyncFd;

use super::backend::{Backend, Happened, Notice, Subject};
use super::path_map::PathMap;

/// Room for a few hundred events at a time.
const BUFFER: usize = 64 * 1024;

/// The inotify instance of one root.
#[derive(Debug)]
pub(super) struct Inotify {
    root: PathBuf,
    fd: AsyncFd<OwnedFd>,
    /// The watch of each armed directory, as it was named.
    watches: PathMap<i32>,
    /// The directories of a watch: several when links lead to one.
    directories: HashMap<i32, Vec<PathBuf>>,
    /// How many events one [`read`](Backend::read) may give until the rest counts as lost.
    limit: usize,
}

impl Inotify {
    /// An instance without watches.
    ///
    /// # Errors
    ///
    /// When the limit on instances or on file descriptors is reached.
    pub(super) fn new(root: &Path, limit: usize) -> io::Result<Self> {
        let fd = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        #[allow(
            deprecated,
            reason = "deprecated for types that lie about their descriptor; an OwnedFd cannot"
        )]
        let fd = AsyncFd::with_interest(fd, Readiness::READABLE)?;
        let (watches, directories) = (PathMap::default(), HashMap::new());
        Ok(Self { root: root.to_path_buf(), fd, watches, directories, limit })
    }
}

const MASK: WatchFlags = WatchFlags::CLOSE_WRITE
    .union(WatchFlags::MODIFY)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR)
    .union(WatchFlags::EXCL_UNLINK);

impl Backend for Inotify {
    fn arm(&mut self, directory: &Path) -> io::Result<()> {
        let watch = match inotify::add_watch(&self.fd, self.root.join(directory), MASK) {
            Ok(watch) => watch,
            // Gone in the meantime: its parent tells, and its parent's walk goes on.
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if self.watches.get(directory) == Some(&watch) {
            return Ok(());
        }
        // The directory was replaced by another of the same name since it was armed.
        self.disarm(directory);
        self.watches.insert(directory.to_path_buf(), watch);
        self.directories.entry(watch).or_default().push(directory.to_path_buf());
        Ok(())
    }

    fn disarm(&mut self, directory: &Path) {
        let Some(watch) = self.watches.remove(directory) else { return };
        let Some(paths) = self.directories.get_mut(&watch) else { return };
        paths.retain(|path| path != directory);
        if paths.is_empty() {
            self.directories.remove(&watch);
            // Fails when the directory is gone, and the watch with it.
            let _gone_already = inotify::remove_watch(&self.fd, watch);
        }
    }

    fn disarm_below(&mut self, directory: &Path) {
        let all = self.watches.below(directory).map(|(path, _)| path);
        // All is below the empty path, but not what is named absolutely.
        let below = all.filter(|path| path.is_absolute() == directory.is_absolute());
        let below: Vec<PathBuf> = below.map(Path::to_path_buf).collect();
        below.iter().for_each(|path| self.disarm(path));
    }

    fn is_armed(&self, directory: &Path) -> bool {
        self.watches.contains(directory)
    }

    fn len(&self) -> usize {
        self.directories.len()
    }

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        match ready!(self.fd.poll_read_ready(context)) {
            // Cleared before the read, which goes on to the end: what comes later wakes again.
            Ok(mut guard) => guard.clear_ready(),
            // Only when the runtime is going away, and this task with it.
            Err(_) => return Poll::Pending,
        }
        Poll::Ready(())
    }

    fn read(&mut self, notices: &mut Vec<Notice>) -> bool {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = inotify::Reader::new(&self.fd, &mut buffer);
        let (mut lost, mut count) = (false, 0);
        loop {
            match reader.next() {
                Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => lost = true,
                Ok(_) if count >= self.limit => lost = true,
                Ok(event) => {
                    count += 1;
                    let name = event.file_name().map(CStr::to_bytes).map(OsStr::from_bytes);
                    let directories = self.directories.get(&event.wd()).into_iter().flatten();
                    notices.extend(directories.filter_map(|directory| translate(&event, directory, name)));
                }
                Err(rustix::io::Errno::INTR) => {}
                // WOULDBLOCK: that was all. Anything else ends this round; the slow scan finds the rest.
                Err(_) => return lost,
            }
        }
    }
}

fn translate(event: &inotify::Event<'_>, directory: &Path, name: Option<&OsStr>) -> Option<Notice> {
    let (flags, cookie) = (event.events(), event.cookie());
    let of = match name {
        None => Subject::Itself,
        Some(_) if flags.contains(ReadFlags::ISDIR) => Subject::Directory,
        Some(_) => Subject::File,
    };
    let own = ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT | ReadFlags::IGNORED;
    let kinds = [
        (own | ReadFlags::DELETE, Happened::Deleted),
        (ReadFlags::MOVED_FROM, Happened::MovedFrom(cookie)),
        (ReadFlags::MOVED_TO, Happened::MovedTo(cookie)),
        (ReadFlags::CLOSE_WRITE, Happened::Closed),
        (ReadFlags::CREATE, Happened::Created),
        (ReadFlags::MODIFY, Happened::Modified),
        (ReadFlags::ATTRIB, Happened::Attributes),
    ];
    let (_, what) = kinds.into_iter().find(|(mask, _)| flags.intersects(*mask))?;
    let path = name.map_or_else(|| directory.to_path_buf(), |name| directory.join(name));
    Some(Notice { path, of, what })
}
