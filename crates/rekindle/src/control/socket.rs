//! The socket as a file: whose it is, what is in its place, and how it is reached by a name that is too long.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::commit::atomic;
use crate::error::{Error, ErrorKind, Location, Result};
use crate::history;

/// The longest path that every system takes for a socket, in bytes.
const LONGEST: usize = 100;

/// A socket that is this process's, until it is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) listener: UnixListener,
    path: PathBuf,
    /// The lock on the name: it ends with the process, however that ends.
    lock: File,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // While the lock is held nobody else can have put a socket there.
        let _gone_already = std::fs::remove_file(&self.path);
        // To close it is not enough: a process that is being started may have it, too, for a moment.
        let _ends_anyway = self.lock.unlock();
    }
}

impl Claim {
    /// Opens the socket at `path`. What a dead process left there is replaced.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when another process listens there, [`ErrorKind::NotAFile`] when something
    /// else than a socket is there, and what the system says.
    pub(super) fn take(path: &Path, root: &Path) -> Result<Self> {
        let failed = |doing: &'static str| move |cause| Error::io(doing, path, root, cause);
        make_directory(path, root).map_err(failed("cannot make the directory of the control socket"))?;
        let lock = open_lock(path).map_err(failed("cannot make the lock of the control socket"))?;
        if lock.try_lock().is_err() || connect(path).is_ok() {
            return Err(taken(path, root));
        }
        remove_stale(path, root)?;
        let listener = bind(path).map_err(failed("cannot open the control socket"))?;
        let claim = Self { listener, path: path.to_path_buf(), lock };
        std::fs::set_permissions(path, Permissions::from_mode(0o600))
            .and_then(|()| claim.listener.set_nonblocking(true))
            .map_err(failed("cannot set up the control socket"))?;
        Ok(claim)
    }
}

fn taken(path: &Path, root: &Path) -> Error {
    let message = "another process listens at this control socket";
    Error::new(ErrorKind::Conflict, message)
        .help("it is opened here once that one ends; `control_socket_at` gives each process one of its own")
        .at(Location::file(path, root))
}

/// Makes the directory that the socket is in, for nobody but the owner. One that is there stays as it is.
fn make_directory(path: &Path, root: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) if directory.is_dir() => Ok(()),
        Some(directory) if path == super::control_socket_path(root) => {
            debug_assert!(directory.starts_with(root), "the default place is below the root");
            history::make_home(root)
        }
        Some(directory) => atomic::make_private_directory(directory),
        None => Err(io::ErrorKind::InvalidInput.into()),
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    let mut name = OsString::from(path.file_name().unwrap_or_default());
    name.push(".lock");
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false).mode(0o600);
    options.open(path.with_file_name(name))
}

/// Removes the socket of a process that has ended.
fn remove_stale(path: &Path, root: &Path) -> Result<()> {
    let found = match path.symlink_metadata() {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !found.file_type().is_socket() {
        let message = "something else is where the control socket is to be";
        return Err(Error::new(ErrorKind::NotAFile, message).at(Location::file(path, root)));
    }
    Ok(std::fs::remove_file(path)?)
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    let (_directory, name) = within_reach(path)?;
    UnixListener::bind(name)
}

/// Connects to the socket at a path, however long that is.
pub(super) fn connect(path: &Path) -> io::Result<UnixStream> {
    let (_directory, name) = within_reach(path)?;
    UnixStream::connect(name)
}

/// A name for a socket that the system takes. A path that is too long is gone to by way of its directory,
/// which has to stay open meanwhile.
fn within_reach(path: &Path) -> io::Result<(Option<File>, PathBuf)> {
    if path.as_os_str().len() <= LONGEST {
        return Ok((None, path.to_path_buf()));
    }
    let too_long = || {
        let message = "the path is too long for a socket; `control_socket_at` gives it a shorter one";
        io::Error::new(io::ErrorKind::InvalidFilename, message)
    };
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { return Err(too_long()) };
    let directory = File::open(directory)?;
    let reached = PathBuf::from(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&directory)));
    if name.len() > LONGEST / 2 || !reached.is_dir() {
        return Err(too_long());
    }
    Ok((Some(directory), reached.join(name)))
}
