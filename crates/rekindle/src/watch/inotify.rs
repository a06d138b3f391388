//! Linux: one inotify watch per wanted directory.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{CStr, OsStr};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use tokio::io::Interest as Readiness;
use tokio::io::unix::AsyncFd;

use super::{Found, Inventory, walk};
use crate::error::{Error, ErrorKind, Result};
use crate::route::{Interest, is_config_file};
use crate::settle::{Signal, What};

/// Room for a few hundred events at a time.
const BUFFER: usize = 64 * 1024;

/// The inotify instance of one root.
#[derive(Debug)]
pub(super) struct Inotify {
    root: PathBuf,
    fd: AsyncFd<OwnedFd>,
    /// Armed directories by path, relative to the root.
    watches: BTreeMap<PathBuf, i32>,
    /// The directories of a watch: several when links lead to one.
    directories: HashMap<i32, Vec<PathBuf>>,
    /// The last name that was moved away, until its new one is told: the two come one after the other.
    moved: Option<(u32, PathBuf)>,
}

/// One event, copied out of the kernel's buffer.
struct Event {
    flags: ReadFlags,
    cookie: u32,
    /// Relative to the root.
    path: PathBuf,
    /// Whether the event is about the watched directory itself.
    own: bool,
}

impl Inotify {
    /// An instance without watches.
    pub(super) fn new(root: &Path) -> Result<Self> {
        let failed = |cause: io::Error| {
            let help = "raise `fs.inotify.max_user_instances`: sudo sysctl fs.inotify.max_user_instances=512";
            Error::new(ErrorKind::Watch, format!("cannot use inotify: {cause}")).help(help).because(cause)
        };
        let fd = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)
            .map_err(|error| failed(error.into()))?;
        #[allow(
            deprecated,
            reason = "deprecated for types that lie about their descriptor; an OwnedFd cannot"
        )]
        let fd = AsyncFd::with_interest(fd, Readiness::READABLE).map_err(failed)?;
        let (watches, directories) = (BTreeMap::new(), HashMap::new());
        Ok(Self { root: root.to_path_buf(), fd, watches, directories, moved: None })
    }

    /// How many directories are armed.
    pub(super) fn len(&self) -> usize {
        self.watches.len()
    }

    /// Resolves when there are events. Cancel safe.
    pub(super) async fn readable(&self) {
        match self.fd.readable().await {
            // Cleared before the read, which goes on to the end: what comes later wakes again.
            Ok(mut guard) => guard.clear_ready(),
            // Only when the runtime is going away, and this task with it.
            Err(_) => std::future::pending().await,
        }
    }

    /// Watches a directory, if it is not watched under this path already.
    pub(super) fn arm(&mut self, directory: &Path) -> io::Result<()> {
        let mask = WatchFlags::CLOSE_WRITE
            | WatchFlags::MODIFY
            | WatchFlags::ATTRIB
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR
            | WatchFlags::EXCL_UNLINK;
        let path = self.root.join(directory);
        let watch = match inotify::add_watch(&self.fd, &path, mask) {
            Ok(watch) => watch,
            // Gone in the meantime: its parent tells, and its parent's walk goes on.
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if self.watches.get(directory) == Some(&watch) {
            return Ok(());
        }
        // The directory was replaced by another of the same name since it was armed.
        self.disarm_one(directory);
        self.watches.insert(directory.to_path_buf(), watch);
        self.directories.entry(watch).or_default().push(directory.to_path_buf());
        Ok(())
    }

    fn disarm_one(&mut self, directory: &Path) {
        let Some(watch) = self.watches.remove(directory) else { return };
        let Some(paths) = self.directories.get_mut(&watch) else { return };
        paths.retain(|path| path != directory);
        if paths.is_empty() {
            self.directories.remove(&watch);
            // Fails when the directory is gone, and the watch with it.
            let _gone_already = inotify::remove_watch(&self.fd, watch);
        }
    }

    /// Stops watching a directory that moved or went away, and all below it.
    fn disarm_below(&mut self, directory: &Path) {
        let below: Vec<PathBuf> = self
            .watches
            .range(directory.to_path_buf()..)
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(directory))
            .cloned()
            .collect();
        below.iter().for_each(|path| self.disarm_one(path));
    }

    /// Reads all events there are.
    pub(super) fn drain(&mut self, interest: &Interest, inventory: &Inventory) -> Found {
        let mut found = Found::default();
        for event in self.read(&mut found) {
            self.take(event, interest, inventory, &mut found);
        }
        found
    }

    fn read(&mut self, found: &mut Found) -> Vec<Event> {
        let mut events = Vec::new();
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = inotify::Reader::new(&self.fd, &mut buffer);
        loop {
            match reader.next() {
                Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => found.overflowed = true,
                Ok(event) => {
                    let name = event.file_name().map(CStr::to_bytes).map(OsStr::from_bytes);
                    for directory in self.directories.get(&event.wd()).into_iter().flatten() {
                        let path = name.map_or_else(|| directory.clone(), |name| directory.join(name));
                        let own = name.is_none();
                        events.push(Event { flags: event.events(), cookie: event.cookie(), path, own });
                    }
                }
                Err(rustix::io::Errno::INTR) => {}
                // WOULDBLOCK: that was all. Anything else ends this round; the slow scan finds the rest.
                Err(_) => return events,
            }
        }
    }

    fn take(&mut self, event: Event, interest: &Interest, inventory: &Inventory, found: &mut Found) {
        if event.own {
            self.take_own(&event, inventory, found);
        } else if event.flags.contains(ReadFlags::ISDIR) {
            self.take_directory(event, interest, inventory, found);
        } else {
            self.take_file(event, interest, inventory, found);
        }
    }

    /// About an armed directory itself. Its parent tells as well, except for the root.
    fn take_own(&mut self, event: &Event, inventory: &Inventory, found: &mut Found) {
        if event.flags.intersects(
            ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT | ReadFlags::IGNORED,
        ) {
            let still_there =
                event.flags.contains(ReadFlags::IGNORED) && self.root.join(&event.path).is_dir();
            if !still_there {
                self.gone(&event.path, inventory, found);
            }
        }
    }

    fn gone(&mut self, directory: &Path, inventory: &Inventory, found: &mut Found) {
        self.disarm_below(directory);
        inventory.below(directory).for_each(|path| found.signal(path.clone(), What::Gone));
    }

    fn take_directory(
        &mut self,
        event: Event,
        interest: &Interest,
        inventory: &Inventory,
        found: &mut Found,
    ) {
        let Event { flags, path, .. } = event;
        if flags.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM) {
            self.gone(&path, inventory, found);
        } else if interest.directory(&path) {
            self.enter(&path, interest, found);
        }
        // Where a file was, or a configuration should be, somebody will miss it.
        if interest.file(&path) && (inventory.get(&path).is_some() || is_config_file(&path)) {
            found.signal(path, What::Finished);
        }
    }

    /// Arms a directory that appeared, or whose permissions changed, and lists it: in this order.
    fn enter(&mut self, directory: &Path, interest: &Interest, found: &mut Found) {
        let root = self.root.clone();
        let file = |path, _| found.signals.push(Signal { path, what: What::Seen });
        let refused = walk::walk(&root, directory, interest, |path| self.arm(path), file);
        found.refused.extend(refused);
    }

    fn take_file(&mut self, event: Event, interest: &Interest, inventory: &Inventory, found: &mut Found) {
        let Event { flags, cookie, path, .. } = event;
        let came = ReadFlags::MOVED_TO | ReadFlags::CREATE;
        if flags.intersects(came | ReadFlags::DELETE | ReadFlags::MOVED_FROM)
            && self.watches.contains_key(&path)
        {
            // A link to a directory went away or leads elsewhere now: what was found through it is gone
            // until it is found again.
            self.gone(&path, inventory, found);
        }
        if flags.intersects(came) {
            self.follow_link(&path, interest, inventory, found);
        }
        if flags.contains(ReadFlags::MOVED_FROM) {
            self.moved = Some((cookie, path.clone()));
        }
        if !interest.file(&path) {
            return;
        }
        let what = if flags.contains(ReadFlags::MOVED_TO) {
            let from =
                self.moved.take().filter(|(moved, from)| *moved == cookie && inventory.get(from).is_some());
            from.map_or(What::Finished, |(_, from)| What::RenamedFrom(from))
        } else if flags.contains(ReadFlags::CLOSE_WRITE) {
            What::Finished
        } else if flags.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM) {
            What::Gone
        } else if flags.contains(ReadFlags::CREATE) {
            created(&self.root.join(&path))
        } else if flags.contains(ReadFlags::MODIFY) {
            What::Writing
        } else {
            // Attributes: perhaps it can be read now. Says nothing of whether it is open for writing.
            What::Seen
        };
        found.signal(path, what);
    }

    /// A link that is swapped changes what the links beside it lead to, and no event names those:
    /// this is how Kubernetes updates mounted configurations, through a link named `..data`.
    fn follow_link(&mut self, path: &Path, interest: &Interest, inventory: &Inventory, found: &mut Found) {
        let is_link =
            |path: &Path| self.root.join(path).symlink_metadata().is_ok_and(|data| data.is_symlink());
        if !is_link(path) {
            return;
        }
        let directory = path.parent().unwrap_or(Path::new(""));
        let beside: Vec<PathBuf> =
            inventory.below(directory).filter(|other| is_link(other)).cloned().collect();
        for other in beside {
            found.signal(other, What::Finished);
        }
        if self.root.join(path).is_dir() && interest.directory(path) {
            self.enter(path, interest, found);
        }
    }
}

/// A name that appeared: a link is finished, a new file is not. One with something in it is either a
/// file that was linked here and unlinked there, or its writer's `MODIFY` comes right after this.
fn created(path: &Path) -> What {
    match path.symlink_metadata() {
        Ok(data) if data.is_file() && data.nlink() == 1 && data.len() > 0 => What::Seen,
        Ok(data) if data.is_file() && data.nlink() == 1 => What::Writing,
        Ok(_) => What::Finished,
        Err(_) => What::Gone,
    }
}
