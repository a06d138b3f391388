//! [`FarewellBody`]: a stream of events that ends when its listener goes away.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http_body::{Body, Frame, SizeHint};

use super::events::Events;
use super::{Farewell, Wait};

/// A body of the type `text/event-stream` that ends once its program is [told](Farewell), between two events.
///
/// The body is dropped then, as when the client had gone. The client sees a stream that has ended, whole, and
/// connects again.
pub(crate) struct FarewellBody<B> {
    /// None once it has ended.
    body: Option<B>,
    farewell: Farewell,
    told: Wait,
    events: Events,
}

impl FarewellBody<()> {
    /// Whether an answer with these headers can be ended early: it is a stream of events, not compressed, of
    /// no length that was promised.
    pub(crate) fn is_for(headers: &HeaderMap) -> bool {
        let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = media_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/event-stream")
            && !headers.contains_key(CONTENT_LENGTH)
            && headers.get(CONTENT_ENCODING).is_none_or(|value| value == "identity")
    }
}

impl<B> FarewellBody<B> {
    /// Wraps the body of the answer to the request with this [`Farewell`].
    pub(crate) fn new(body: B, farewell: &Farewell) -> Self {
        let told = Wait::new(&farewell.told);
        Self { body: Some(body), farewell: farewell.clone(), told, events: Events::default() }
    }
}

impl<B: Body<Data = Bytes> + Unpin> FarewellBody<B> {
    /// Whether it is to end at the next place between two events. Whoever waits for the body is woken then.
    fn is_due(&mut self, context: &mut Context<'_>) -> bool {
        self.told.is_over(context) && self.farewell.is_ours() && !self.has_length()
    }

    /// Whether there is an end in sight, and a client that was told of it.
    fn has_length(&self) -> bool {
        self.body.as_ref().is_none_or(|body| body.size_hint().exact().is_some())
    }

    /// What is sent of these events: all, or if the body is to end, what is whole.
    fn take(&mut self, mut events: Bytes, is_due: bool) -> Bytes {
        let mut followed = self.events;
        if let Some(whole) = followed.follow(&events).filter(|_| is_due) {
            events.truncate(whole);
            self.body = None;
        }
        self.events = followed;
        events
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for FarewellBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let is_due = this.is_due(context);
        if is_due && this.events.is_whole() {
            this.body = None;
        }
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context)?);
        let frame = frame.map(|frame| match frame.into_data() {
            Ok(events) => Frame::data(this.take(events, is_due)),
            Err(trailers) => trailers,
        });
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let Some(body) = &self.body else { return SizeHint::with_exact(0) };
        // It may be less than was meant to come.
        body.size_hint().exact().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl<B> std::fmt::Debug for FarewellBody<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FarewellBody").field("events", &self.events).finish_non_exhaustive()
    }
}
