//! Bodies that are rewritten as they are read.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;

use super::decide::Plan;
use super::splice::Splicer;
use super::{headers, recode};
use crate::{Body, BoxError};

/// The body with whatever the splicer puts into it.
pub(super) fn rewritten(body: Body, plan: &Plan, splicer: Splicer) -> Body {
    match plan.coding {
        None => Body::new(Spliced { body, splicer, pieces: VecDeque::new(), end: None }),
        Some(coding) => Body::new(recode::Recoded::new(body, coding, splicer)),
    }
}

/// How a body ended, which is told after the last of its bytes.
pub(super) enum End {
    Plain,
    Trailers(HeaderMap),
    Failed(BoxError),
}

impl End {
    /// The frame that tells it, which leaves nothing more to tell.
    pub(super) fn tell(&mut self) -> Option<Result<Frame<Bytes>, BoxError>> {
        match std::mem::replace(self, Self::Plain) {
            Self::Plain => None,
            Self::Trailers(mut trailers) => {
                headers::remove_digests(&mut trailers);
                Some(Ok(Frame::trailers(trailers)))
            }
            Self::Failed(error) => Some(Err(error)),
        }
    }
}

/// A body without a content coding: its chunks, cut but not copied.
struct Spliced {
    body: Body,
    splicer: Splicer,
    pieces: VecDeque<Bytes>,
    end: Option<End>,
}

impl Spliced {
    /// Takes a frame of the inner body, or its end.
    fn take(&mut self, frame: Option<Result<Frame<Bytes>, BoxError>>) {
        let end = match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(chunk))) => return self.splicer.push(chunk, &mut self.pieces),
            Some(Ok(Err(other))) => other.into_trailers().map_or(End::Plain, End::Trailers),
            Some(Err(error)) => End::Failed(error),
            None => End::Plain,
        };
        self.splicer.finish(&mut self.pieces);
        self.end = Some(end);
    }
}

impl http_body::Body for Spliced {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            if let Some(end) = &mut self.end {
                return Poll::Ready(end.tell());
            }
            let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
            if self.splicer.is_done() && matches!(&frame, Some(Ok(frame)) if frame.is_data()) {
                return Poll::Ready(frame);
            }
            self.take(frame);
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && matches!(self.end, Some(End::Plain))
    }
}
