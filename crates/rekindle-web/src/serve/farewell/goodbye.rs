//! [`Goodbye`]: a Close frame at the right place in what a program writes on a WebSocket.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::AsyncWrite;

use super::frames::Frames;
use super::{Farewell, Wait};

/// The last frame: Close, twelve bytes, 1001, the reason. A server's frames are not masked.
const CLOSE: &[u8] = b"\x88\x0c\x03\xe9going away";

/// How much of what a program writes after Close is dropped in silence, in bytes. One that has not read by then is
/// told by an error: its writes cost nothing, and it may go on for as long as there is no other.
const DROPPED: usize = 1024 * 1024;

/// Says goodbye for a program, if it is told to: between two frames, and unless the program has said it itself.
///
/// Whichever way the program uses its connection, it comes by here: mostly it waits in a read.
/// One that neither reads nor writes is told when it does.
pub(super) struct Goodbye {
    farewell: Farewell,
    told: Wait,
    frames: Frames,
    said: Said,
    dropped: usize,
    /// Who waits to write, if that is not who reads: a goodbye out of a read takes its place in the queue.
    writer: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    /// So many bytes of [`CLOSE`].
    Partly(usize),
    Unflushed,
    All,
}

impl Goodbye {
    pub(super) fn new(farewell: &Farewell) -> Self {
        Self {
            farewell: farewell.clone(),
            told: Wait::new(&farewell.told),
            frames: Frames::new(),
            said: Said::Nothing,
            dropped: 0,
            writer: None,
        }
    }

    /// Says it out of a read, as far as that goes now. The reader is woken when it is time to, or goes on.
    pub(super) fn read<IO: AsyncWrite + Unpin>(&mut self, io: &mut IO, context: &mut Context<'_>) {
        if self.said == Said::All || !self.told.is_over(context) {
            return;
        }
        // If it cannot be written, what is read next tells why.
        let _broken_or_pending = self.poll_say(io, context);
        if self.said != Said::Nothing {
            self.wake_writer(context);
        }
    }

    /// Writes what the program writes, or drops it: after Close there is nothing more to say.
    pub(super) fn poll_write<IO: AsyncWrite + Unpin>(
        &mut self,
        io: &mut IO,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.poll_write_followed(io, context, bytes);
        self.remember_writer(&written, context);
        written
    }

    pub(super) fn poll_write_vectored<IO: AsyncWrite + Unpin>(
        &mut self,
        io: &mut IO,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.said != Said::Nothing || self.is_due() {
            let first = slices.iter().find(|slice| !slice.is_empty());
            return self.poll_write(io, context, first.map_or(&[], |slice| slice));
        }
        let written = Pin::new(io).poll_write_vectored(context, slices);
        self.remember_writer(&written, context);
        let written = ready!(written)?;
        self.follow(slices, written);
        Poll::Ready(Ok(written))
    }

    /// What has to be out before a flush or the end.
    pub(super) fn poll_finish<IO: AsyncWrite + Unpin>(
        &mut self,
        io: &mut IO,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let said = self.poll_say(io, context);
        self.remember_writer(&said, context);
        said
    }

    fn poll_write_followed<IO: AsyncWrite + Unpin>(
        &mut self,
        io: &mut IO,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_say(io, context))?;
        if self.said == Said::All {
            return Poll::Ready(self.drop_written(bytes.len()));
        }
        let upto = if self.is_due() { self.frames.until_between(bytes) } else { bytes.len() };
        let bytes = &bytes[..upto];
        let written = ready!(Pin::new(io).poll_write(context, bytes))?;
        self.frames.follow(&bytes[..written.min(upto)]);
        Poll::Ready(Ok(written))
    }

    fn drop_written(&mut self, written: usize) -> io::Result<usize> {
        if self.dropped >= DROPPED {
            return Err(io::Error::new(ErrorKind::BrokenPipe, "the WebSocket has been closed, with 1001"));
        }
        self.dropped += written;
        Ok(written)
    }

    fn follow(&mut self, slices: &[IoSlice<'_>], mut written: usize) {
        for slice in slices {
            let taken = written.min(slice.len());
            self.frames.follow(&slice[..taken]);
            written -= taken;
        }
    }

    /// Whether it is to be said at the next place between two frames.
    fn is_due(&self) -> bool {
        self.said == Said::Nothing && !self.frames.is_closed() && self.farewell.is_ours()
    }

    /// Says it, if this is the time and the place. Ready: nothing is under way.
    fn poll_say<IO: AsyncWrite + Unpin>(
        &mut self,
        io: &mut IO,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_due() && self.frames.is_between() {
            self.said = Said::Partly(0);
        }
        let said = self.poll_out(io, context);
        if matches!(said, Poll::Ready(Err(_))) {
            self.said = Said::All;
        }
        said
    }

    fn poll_out<IO: AsyncWrite + Unpin>(
        &mut self,
        io: &mut IO,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Said::Partly(said) = self.said {
            let written = ready!(Pin::new(&mut *io).poll_write(context, &CLOSE[said..]))?;
            self.said = match said + written {
                _ if written == 0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                said if said >= CLOSE.len() => Said::Unflushed,
                said => Said::Partly(said),
            };
        }
        if self.said == Said::Unflushed {
            ready!(Pin::new(io).poll_flush(context))?;
            self.said = Said::All;
        }
        Poll::Ready(Ok(()))
    }

    fn remember_writer<T>(&mut self, result: &Poll<T>, context: &Context<'_>) {
        self.writer = result.is_pending().then(|| context.waker().clone());
    }

    /// A connection wakes one task when it can be written to, the last that tried. Who tried before tries again.
    fn wake_writer(&mut self, context: &Context<'_>) {
        if let Some(writer) = self.writer.take().filter(|writer| !writer.will_wake(context.waker())) {
            writer.wake();
        }
    }
}
