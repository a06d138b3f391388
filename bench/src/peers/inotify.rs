//! Linux's own notification, with nothing around it: the floor.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};

use crate::harness::Result;

/// Calls `act` on a thread of its own whenever a file of this name has been closed or renamed into place.
pub(crate) fn on_finished_write(
    directory: &Path,
    name: &'static str,
    mut act: impl FnMut() + Send + 'static,
) -> Result<()> {
    let fd = init(CreateFlags::CLOEXEC)?;
    add_watch(&fd, directory, WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO)?;
    std::thread::Builder::new().name("floor".into()).spawn(move || {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(fd, &mut buffer);
        while let Ok(event) = reader.next() {
            // Its directory is gone: the end.
            if event.events().contains(ReadFlags::IGNORED) {
                break;
            }
            if event.file_name().is_some_and(|file| file.to_bytes() == name.as_bytes()) {
                act();
            }
        }
    })?;
    Ok(())
}

/// Watches that nobody reads.
pub(crate) struct Watches(OwnedFd);

impl Watches {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(init(CreateFlags::CLOEXEC)?))
    }

    pub(crate) fn arm(&self, directory: &Path) -> Result<()> {
        let mask = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::CREATE | WatchFlags::DELETE;
        add_watch(&self.0, directory, mask)?;
        Ok(())
    }
}
