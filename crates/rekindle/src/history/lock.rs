//! One writer at a time, among the processes that share a root.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Held until it is dropped, or the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Waits for the lock.
pub(super) fn exclusive(path: &Path) -> io::Result<Lock> {
    let file = open(path)?;
    loop {
        match file.lock() {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map(|()| Lock { _file: file }),
        }
    }
}

/// Opens a file that is there to be locked, and makes it where it is missing.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
