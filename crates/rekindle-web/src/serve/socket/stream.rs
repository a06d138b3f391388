//! [`Stream`]: a connection, TCP or Unix.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::Peer;

/// A connection, TCP or Unix.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Stream {
    /// What was accepted. Its small packets are sent at once.
    pub(super) fn of_tcp((stream, peer): (TcpStream, SocketAddr)) -> (Self, Peer) {
        // It fails only for a connection that has ended already, which is found out soon enough.
        let _ended = stream.set_nodelay(true);
        (Self::Tcp(stream), Peer::Tcp(peer))
    }

    #[cfg(unix)]
    pub(super) fn of_unix(stream: UnixStream) -> (Self, Peer) {
        let peer = stream.peer_cred().ok();
        let uid = peer.map(|peer| peer.uid());
        let pid = peer.and_then(|peer| peer.pid());
        (Self::Unix(stream), Peer::Unix { uid, pid })
    }
}

impl Stream {
    /// The first byte that comes, which stays there to be read.
    ///
    /// # Errors
    ///
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) when none comes, and the system's.
    pub(crate) async fn peek(&self) -> io::Result<u8> {
        let mut first = [0];
        let read = match self {
            Self::Tcp(stream) => stream.peek(&mut first).await?,
            #[cfg(unix)]
            Self::Unix(stream) => {
                let peek = || Ok(rustix::net::recv(stream, &mut first, rustix::net::RecvFlags::PEEK)?.0);
                stream.async_io(tokio::io::Interest::READABLE, peek).await?
            }
        };
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(first[0]) }
    }
}

/// The same for whichever it is.
macro_rules! either {
    ($stream:expr, $inner:ident => $what:expr) => {
        match $stream {
            Stream::Tcp($inner) => $what,
            #[cfg(unix)]
            Stream::Unix($inner) => $what,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self.get_mut(), inner => Pin::new(inner).poll_read(context, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(self.get_mut(), inner => Pin::new(inner).poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self.get_mut(), inner => Pin::new(inner).poll_write_vectored(context, pieces))
    }

    fn is_write_vectored(&self) -> bool {
        either!(self, inner => inner.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.get_mut(), inner => Pin::new(inner).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.get_mut(), inner => Pin::new(inner).poll_shutdown(context))
    }
}
