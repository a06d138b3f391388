//! One writer at a time, among the processes that share a root.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Held until it is dropped, or the process ends.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    /// To close the file is not enough: a process that is being started may have it, too, for a moment.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Waits for the lock.
pub(super) fn exclusive(path: &Path) -> io::Result<Lock> {
    let file = open(path)?;
    loop {
        match file.lock() {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map(|()| Lock(file)),
        }
    }
}

/// Takes the lock of a file that is there, unless somebody has it.
pub(super) fn try_existing(path: &Path) -> Option<Lock> {
    let file = File::open(path).ok()?;
    file.try_lock().ok().map(|()| Lock(file))
}

/// Opens a file that is there to be locked, and makes it where it is missing.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
