//! Unix sockets: a socket that listens, and the file by which it is found.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{UnixSocket, UnixStream};
use tokio::time::{Instant, sleep, timeout};

use super::{BACKLOG, Socket, fault};
use crate::serve::Mode;

/// How long another server is waited for that is about to listen in the same directory. It takes it a moment.
const TURN: Duration = Duration::from_secs(5);

/// How often its lock is tried: nothing tells when it is free.
const RETRY: Duration = Duration::from_millis(10);

/// How long a socket that is there may take to answer. A local one answers at once, or refuses.
const ANSWER: Duration = Duration::from_secs(1);

/// Listens at `path`. The socket of one who is gone is replaced; one that answers is not.
///
/// No two can win. `bind` makes the file, and fails if there is one: so of two that find nothing there one wins.
/// But between finding a socket that nobody listens on and removing it, another may have put its own there; and one
/// that is bound and does not listen yet looks as if nobody did. So all of it is done under a lock on the
/// directory, which needs no file of its own and ends with the process.
///
/// Nobody can connect before `listen`, so that the mode holds from the first connection on.
pub(super) async fn bind(path: &Path, mode: Option<Mode>) -> rekindle::Result<Socket> {
    SocketAddr::from_pathname(path).map_err(|cause| fault::unusable_path(path, cause))?;
    let turn = lock_directory(path).await?;
    let socket = bind_file(path).await?;
    let file = SocketFile::at(path).map_err(|cause| fault::unix(path, cause))?;
    let bound = listen(socket, path, mode, file).map_err(|cause| fault::unix(path, cause));
    drop(turn);
    bound
}

/// A lock on the directory of `path`, until it is dropped.
async fn lock_directory(path: &Path) -> rekindle::Result<File> {
    let directory = path.parent().unwrap_or(path);
    let file = File::open(directory).map_err(|cause| fault::directory(path, directory, cause))?;
    let until = Instant::now() + TURN;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if Instant::now() < until => sleep(RETRY).await,
            Err(fs::TryLockError::WouldBlock) => return Err(fault::locked(path, directory)),
            Err(fs::TryLockError::Error(cause)) => return Err(fault::directory(path, directory, cause)),
        }
    }
}

/// A socket whose file is at `path`, and which does not listen yet.
async fn bind_file(path: &Path) -> rekindle::Result<UnixSocket> {
    let failed = |cause| fault::unix(path, cause);
    let socket = UnixSocket::new_stream().map_err(failed)?;
    match socket.bind(path) {
        Err(cause) if cause.kind() == io::ErrorKind::AddrInUse => remove_stale(path, cause).await?,
        bound => return bound.map(|()| socket).map_err(failed),
    }
    socket.bind(path).map_err(failed)?;
    Ok(socket)
}

/// Removes the socket at `path`, if nobody listens on it.
async fn remove_stale(path: &Path, taken: io::Error) -> rekindle::Result<()> {
    let failed = |cause| fault::unix(path, cause);
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => return Err(fault::no_socket(path, taken)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(failed(cause)),
        Ok(_) => {}
    }
    match timeout(ANSWER, UnixStream::connect(path)).await {
        Ok(Err(cause)) if cause.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed)
        }
        // Without the right to connect one cannot say that nobody is there.
        Ok(Err(cause)) if cause.kind() == io::ErrorKind::PermissionDenied => Err(failed(cause)),
        _ => Err(failed(taken)),
    }
}

fn listen(socket: UnixSocket, path: &Path, mode: Option<Mode>, file: SocketFile) -> io::Result<Socket> {
    if let Some(Mode(mode)) = mode {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    let listener = socket.listen(BACKLOG)?.into_std()?;
    Socket::of_unix(listener, path.to_path_buf(), Some(file))
}

/// The file of a socket, which is removed with it.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode: somebody may have put something else in its place.
    identity: (u64, u64),
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<Self> {
        let identity = identity(&fs::symlink_metadata(path)?);
        Ok(Self { path: path.to_path_buf(), identity })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| identity(&found) == self.identity) {
            let _gone_already = fs::remove_file(&self.path);
        }
    }
}

fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}
