//! [`FileBody`]: a large file, sent as it is read.

use std::fs::Metadata;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, ReadBuf};

/// How many bytes are read in one go.
const CHUNK: usize = 64 * 1024;

/// So many bytes of a file, from where it stands.
///
/// It fails when the file has changed meanwhile, before the last of them: whoever gets them knows then that they
/// are of two contents, or too few.
#[derive(Debug)]
pub(super) struct FileBody {
    file: tokio::fs::File,
    /// The same file, to be looked at.
    again: std::fs::File,
    before: Metadata,
    left: u64,
}

impl FileBody {
    pub(super) fn new(file: std::fs::File, len: u64) -> io::Result<Self> {
        let (again, before) = (file.try_clone()?, file.metadata()?);
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(CHUNK);
        Ok(Self { file, again, before, left: len })
    }

    fn check(&self) -> io::Result<()> {
        let now = self.again.metadata()?;
        let is_same = now.len() == self.before.len() && now.modified().ok() == self.before.modified().ok();
        if is_same { Ok(()) } else { Err(io::Error::other("the file has changed while it was sent")) }
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        // At most a chunk, and so within any pointer's range.
        let wanted = self.left.min(CHUNK as u64) as usize;
        let mut chunk = vec![0; wanted];
        let mut buffer = ReadBuf::new(&mut chunk);
        ready!(Pin::new(&mut self.file).poll_read(context, &mut buffer))?;
        let read = buffer.filled().len();
        if read == 0 {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        self.left -= read as u64;
        if self.left == 0 {
            self.check()?;
        }
        chunk.truncate(read);
        Poll::Ready(Ok(chunk.into()))
    }
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let chunk = ready!(self.poll_chunk(context));
        if chunk.is_err() {
            self.left = 0;
        }
        Poll::Ready(Some(chunk.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
