//! [`FarewellIo`]: the bytes of a connection.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::connection::Open;
use super::upgraded::Upgraded;
use super::{Signals, Switched};

/// The bytes of a connection, above TLS: of HTTP or of what it switched to, whoever has it then.
///
/// While it is HTTP it only asks, at each call, whether that has changed. Then it looks after the connection:
/// once [`farewell`](Signals::farewell) is told, a WebSocket is closed, and once [`cut`](Signals::cut) is, reads and
/// writes fail with [`ConnectionAborted`](io::ErrorKind::ConnectionAborted). A client that does not answer a Close
/// frame, and a program that does not hang up, have until then.
pub(crate) struct FarewellIo<IO> {
    io: IO,
    signals: Signals,
    switched: Arc<Switched>,
    upgraded: Option<Box<Upgraded>>,
    _open: Open,
}

impl<IO> FarewellIo<IO> {
    /// Looks after a connection, which counts as open until this is dropped.
    pub(crate) fn new(io: IO, signals: Signals, switched: Arc<Switched>, open: Open) -> Self {
        Self { io, signals, switched, upgraded: None, _open: open }
    }

    /// The connection, and what there is to look after once it is no longer HTTP.
    fn parts(&mut self) -> (&mut IO, Option<&mut Upgraded>) {
        if self.upgraded.is_none() {
            let upgraded = self.switched.get().map(|protocol| Upgraded::new(protocol, &self.signals));
            self.upgraded = upgraded.map(Box::new);
        }
        (&mut self.io, self.upgraded.as_deref_mut())
    }
}

impl<IO> std::fmt::Debug for FarewellIo<IO> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FarewellIo").field("switched", &self.switched).finish_non_exhaustive()
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for FarewellIo<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (io, upgraded) = self.get_mut().parts();
        if let Some(upgraded) = upgraded {
            upgraded.reads(context)?;
            if let Some(goodbye) = &mut upgraded.goodbye {
                goodbye.read(io, context);
            }
        }
        Pin::new(io).poll_read(context, buffer)
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for FarewellIo<IO> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let (io, upgraded) = self.get_mut().parts();
        let Some(upgraded) = upgraded else { return Pin::new(io).poll_write(context, bytes) };
        upgraded.writes(context)?;
        match &mut upgraded.goodbye {
            Some(goodbye) => goodbye.poll_write(io, context, bytes),
            None => Pin::new(io).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let (io, upgraded) = self.get_mut().parts();
        let Some(upgraded) = upgraded else { return Pin::new(io).poll_write_vectored(context, slices) };
        upgraded.writes(context)?;
        match &mut upgraded.goodbye {
            Some(goodbye) => goodbye.poll_write_vectored(io, context, slices),
            None => Pin::new(io).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let io = ready!(self.get_mut().poll_finished(context))?;
        Pin::new(io).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let io = ready!(self.get_mut().poll_finished(context))?;
        Pin::new(io).poll_shutdown(context)
    }
}

impl<IO: AsyncWrite + Unpin> FarewellIo<IO> {
    /// The connection, when no goodbye is under way.
    fn poll_finished(&mut self, context: &mut Context<'_>) -> Poll<io::Result<&mut IO>> {
        let (io, upgraded) = self.parts();
        if let Some(upgraded) = upgraded {
            upgraded.writes(context)?;
            if let Some(goodbye) = &mut upgraded.goodbye {
                ready!(goodbye.poll_finish(io, context))?;
            }
        }
        Poll::Ready(Ok(io))
    }
}
