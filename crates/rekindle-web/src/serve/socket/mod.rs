//! Sockets that listen.

mod address;
mod bound;
mod fault;
mod inherited;
mod stream;
mod tcp;
#[cfg(unix)]
mod unix;

#[cfg(test)]
pub(super) mod tests;

use std::io;
use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;

pub use address::Address;
pub use bound::{Bound, Peer};
pub(crate) use fault::is_of_one_connection;
pub(crate) use stream::Stream;

use super::Mode;

/// How many connections may wait to be accepted. Systems cut it down to their own limit.
const BACKLOG: u32 = 4096;

/// A socket that listens: TCP or Unix.
///
/// Its drop closes it, and removes the file of a Unix socket if that is still its own.
#[derive(Debug)]
pub(crate) struct Socket {
    // Before the listener: who finds the file meanwhile must find it in use, and leave it.
    #[cfg(unix)]
    _file: Option<unix::SocketFile>,
    listener: Listener,
    bound: Bound,
}

/// A listener twice: for tokio, which waits, and for a look at the queue that does not. Tokio alone cannot
/// say that the queue is empty: it knows what its driver knew when that last ran.
#[derive(Debug)]
enum Listener {
    Tcp(tokio::net::TcpListener, std::net::TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener, std::os::unix::net::UnixListener),
}

impl Socket {
    /// Listens at `address`, and nobody else does: the port is never shared (`SO_REUSEPORT`). `mode` is that of
    /// a Unix socket's file, and is set before anybody can connect.
    ///
    /// A socket that the process was started with and that listens there is used as it is, so that one
    /// configuration serves with socket activation and without. It is had once: after it was closed, one of our own is
    /// bound there.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from listening there, with what to do about it.
    pub(crate) async fn bind(address: &Address, mode: Option<Mode>) -> rekindle::Result<Self> {
        match address {
            Address::Tcp(host_and_port) => tcp::bind(host_and_port).await,
            Address::Unix(path) => Self::bind_unix(path, mode).await,
            Address::Inherited(which) => inherited::claim(which),
        }
    }

    #[cfg(unix)]
    async fn bind_unix(path: &Path, mode: Option<Mode>) -> rekindle::Result<Self> {
        match inherited::at_unix(path) {
            Some(inherited) => inherited,
            None => unix::bind(path, mode).await,
        }
    }

    #[cfg(not(unix))]
    async fn bind_unix(path: &Path, _mode: Option<Mode>) -> rekindle::Result<Self> {
        Err(fault::no_unix_sockets(path))
    }

    /// A listener for TCP that somebody made.
    fn of_tcp(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let bound = Bound::Tcp(listener.local_addr()?);
        let queue = listener.try_clone()?;
        let listener = Listener::Tcp(tokio::net::TcpListener::from_std(listener)?, queue);
        Ok(Self {
            #[cfg(unix)]
            _file: None,
            listener,
            bound,
        })
    }

    /// A listener for a Unix socket that somebody made, and the file to remove in the end.
    #[cfg(unix)]
    fn of_unix(
        listener: std::os::unix::net::UnixListener,
        path: PathBuf,
        file: Option<unix::SocketFile>,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let queue = listener.try_clone()?;
        let listener = Listener::Unix(tokio::net::UnixListener::from_std(listener)?, queue);
        Ok(Self { _file: file, listener, bound: Bound::Unix(path) })
    }

    /// Waits for the next connection. Loses none when it is dropped.
    ///
    /// # Errors
    ///
    /// Those of one connection ([`is_of_one_connection`]), after which one goes on, and those of the process or the
    /// system (no descriptors or memory left), which last for a while and would be returned again at once.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match &self.listener {
            Listener::Tcp(listener, _) => listener.accept().await.map(Stream::of_tcp),
            #[cfg(unix)]
            Listener::Unix(listener, _) => listener.accept().await.map(|(stream, _)| Stream::of_unix(stream)),
        }
    }

    /// What waits in the queue at this moment; `None` when it is empty. Never waits.
    ///
    /// It is called on a tokio runtime, as all of this is.
    pub(crate) fn accept_waiting(&self) -> Option<io::Result<(Stream, Peer)>> {
        let accepted = match &self.listener {
            Listener::Tcp(_, queue) => accept_tcp(queue),
            #[cfg(unix)]
            Listener::Unix(_, queue) => accept_unix(queue),
        };
        match accepted {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            accepted => Some(accepted),
        }
    }

    /// Where it really listens: port 0 resolved.
    pub(crate) fn bound(&self) -> &Bound {
        &self.bound
    }

    /// A connection to who listens at `bound`, for a probe of oneself: 0.0.0.0 and `[::]` are asked on loopback.
    ///
    /// # Errors
    ///
    /// The system's.
    pub(crate) async fn connect(bound: &Bound) -> io::Result<Stream> {
        match bound {
            Bound::Tcp(address) => tcp::connect(*address).await.map(Stream::Tcp),
            #[cfg(unix)]
            Bound::Unix(path) => tokio::net::UnixStream::connect(path).await.map(Stream::Unix),
            #[cfg(not(unix))]
            Bound::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

fn accept_tcp(queue: &std::net::TcpListener) -> io::Result<(Stream, Peer)> {
    let (stream, peer) = queue.accept()?;
    stream.set_nonblocking(true)?;
    Ok(Stream::of_tcp((tokio::net::TcpStream::from_std(stream)?, peer)))
}

#[cfg(unix)]
fn accept_unix(queue: &std::os::unix::net::UnixListener) -> io::Result<(Stream, Peer)> {
    let (stream, _) = queue.accept()?;
    stream.set_nonblocking(true)?;
    Ok(Stream::of_unix(tokio::net::UnixStream::from_std(stream)?))
}
