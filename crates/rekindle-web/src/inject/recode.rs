//! [`Recoded`]: a body out of its content coding, past the splicer, and back into the coding.
//!
//! Both ways go chunk by chunk, with a few KiB between them whatever a compressed byte stands for. When the handler pauses,
//! what it said so far is flushed through: a page that streams goes on streaming.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_compression::Level;
use async_compression::tokio::{bufread, write};
use bytes::Bytes;
use http_body::{Body as _, Frame};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use super::body::End;
use super::decide::Coding;
use super::splice::Splicer;
use crate::{Body, BoxError};

/// What is decoded at once, in bytes.
const STEP: usize = 16 << 10;

/// After how many decoded bytes the coding is flushed, and others get their turn, even if the handler does not pause.
const FLUSH_AFTER: usize = 256 << 10;

/// A body whose coding is taken off and put on again.
pub(super) struct Recoded {
    decoder: Box<dyn Decode>,
    encoder: Box<dyn Encode>,
    splicer: Splicer,
    pieces: VecDeque<Bytes>,
    unflushed: usize,
    step: Box<[u8]>,
    end: Option<End>,
}

impl Recoded {
    pub(super) fn new(body: Body, coding: Coding, splicer: Splicer) -> Self {
        Self {
            decoder: decoder(coding, Source::new(body)),
            encoder: encoder(coding),
            splicer,
            pieces: VecDeque::new(),
            unflushed: 0,
            step: vec![0; STEP].into(),
            end: None,
        }
    }

    /// Decodes, splices and encodes one step; `Pending` when the handler pauses.
    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut buffer = ReadBuf::new(&mut self.step);
        match ready!(Pin::new(&mut *self.decoder).poll_read(context, &mut buffer)) {
            // No coding has an empty form, but servers leave empty bodies as they are.
            Err(_) if self.decoder.source().is_nothing() => {
                self.end = Some(self.decoder.source().end());
                return Poll::Ready(Ok(()));
            }
            read => read?,
        }
        let decoded = buffer.filled();
        if decoded.is_empty() {
            ready!(self.decoder.source().poll_rest(context))?;
            self.splicer.finish(&mut self.pieces);
            self.end = Some(self.decoder.source().end());
        } else {
            self.unflushed += decoded.len();
            let chunk = Bytes::copy_from_slice(decoded);
            self.splicer.push(chunk, &mut self.pieces);
        }
        Poll::Ready(self.encode(context))
    }

    fn encode(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while let Some(piece) = self.pieces.pop_front() {
            let mut rest = &piece[..];
            while !rest.is_empty() {
                let count = now(Pin::new(&mut *self.encoder).poll_write(context, rest))?;
                rest = &rest[count..];
            }
        }
        match self.end {
            None => Ok(()),
            Some(_) => now(Pin::new(&mut *self.encoder).poll_shutdown(context)),
        }
    }

    fn flush(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.unflushed > 0 {
            self.unflushed = 0;
            now(Pin::new(&mut *self.encoder).poll_flush(context))?;
        }
        Ok(())
    }

    /// Works until there is something to send, the handler pauses, or all is through.
    fn poll_encoded(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.end.is_none() && self.encoder.encoded().len() < STEP {
            let step = self.poll_step(context)?;
            if step.is_pending() {
                self.flush(context)?;
                break;
            }
            if self.unflushed >= FLUSH_AFTER {
                self.flush(context)?;
                // Whoever waits is called again even if the coding made nothing of all this yet.
                context.waker().wake_by_ref();
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl http_body::Body for Recoded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Err(error) = ready!(self.poll_encoded(context)) {
            self.end = Some(End::Failed(original(error)));
        }
        let encoded = std::mem::take(self.encoder.encoded());
        if !encoded.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(encoded.into()))));
        }
        match &mut self.end {
            Some(end) => Poll::Ready(end.tell()),
            None => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        false
    }
}

/// The encoder writes to memory: it is never pending.
fn now<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// The error of the inner body, if it was one.
fn original(error: io::Error) -> BoxError {
    match error.downcast::<Inner>() {
        Ok(inner) => inner.0,
        Err(error) => error.into(),
    }
}

/// An error of the inner body on its way through the decoder.
#[derive(Debug)]
struct Inner(BoxError);

impl std::fmt::Display for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Inner {}

trait Decode: AsyncRead + Send + Unpin {
    fn source(&mut self) -> &mut Source;
}

trait Encode: AsyncWrite + Send + Unpin {
    /// What was encoded and not taken yet.
    fn encoded(&mut self) -> &mut Vec<u8>;
}

macro_rules! codec {
    ($decoder:ident, $encoder:ident) => {
        impl Decode for bufread::$decoder<Source> {
            fn source(&mut self) -> &mut Source {
                self.get_mut()
            }
        }

        impl Encode for write::$encoder<Vec<u8>> {
            fn encoded(&mut self) -> &mut Vec<u8> {
                self.get_mut()
            }
        }
    };
}

codec!(GzipDecoder, GzipEncoder);
codec!(BrotliDecoder, BrotliEncoder);
codec!(ZstdDecoder, ZstdEncoder);

fn decoder(coding: Coding, source: Source) -> Box<dyn Decode> {
    match coding {
        // Several members in a row are one content: RFC 1952, 2.2; RFC 8878, 3.
        Coding::Gzip => {
            let mut decoder = bufread::GzipDecoder::new(source);
            decoder.multiple_members(true);
            Box::new(decoder)
        }
        Coding::Zstd => {
            let mut decoder = bufread::ZstdDecoder::new(source);
            decoder.multiple_members(true);
            Box::new(decoder)
        }
        Coding::Brotli => Box::new(bufread::BrotliDecoder::new(source)),
    }
}

fn encoder(coding: Coding) -> Box<dyn Encode> {
    match coding {
        Coding::Gzip => Box::new(write::GzipEncoder::with_quality(Vec::new(), Level::Fastest)),
        Coding::Zstd => Box::new(write::ZstdEncoder::with_quality(Vec::new(), Level::Fastest)),
        Coding::Brotli => Box::new(write::BrotliEncoder::with_quality(Vec::new(), Level::Fastest)),
    }
}

/// The bytes of a body; what ends it is kept.
pub(super) struct Source {
    body: Body,
    chunk: Bytes,
    begun: bool,
    end: Option<End>,
}

impl Source {
    pub(super) fn new(body: Body) -> Self {
        Self { body, chunk: Bytes::new(), begun: false, end: None }
    }

    /// Reads to the end of the body, for its trailers: a decoder stops where the coding ends.
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.end.is_none() {
            self.chunk.clear();
            ready!(Pin::new(&mut *self).poll_fill_buf(context))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Whether it ended without a byte.
    fn is_nothing(&self) -> bool {
        !self.begun && self.end.is_some()
    }

    fn end(&mut self) -> End {
        self.end.replace(End::Plain).unwrap_or(End::Plain)
    }
}

impl AsyncRead for Source {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let source = self.get_mut();
        let chunk = ready!(Pin::new(&mut *source).poll_fill_buf(context))?;
        let count = chunk.len().min(buffer.remaining());
        buffer.put_slice(&chunk[..count]);
        Pin::new(source).consume(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncBufRead for Source {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let source = self.get_mut();
        while source.chunk.is_empty() && source.end.is_none() {
            match ready!(Pin::new(&mut source.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(chunk) => {
                        source.begun |= !chunk.is_empty();
                        source.chunk = chunk;
                    }
                    Err(other) => source.end = other.into_trailers().ok().map(End::Trailers),
                },
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(Inner(error)))),
                None => source.end = Some(End::Plain),
            }
        }
        Poll::Ready(Ok(&source.chunk))
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        bytes::Buf::advance(&mut self.chunk, count);
    }
}
