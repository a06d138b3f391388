//! How what is open for long is told that its listener goes away.
//!
//! A request of the usual kind ends by itself. A WebSocket and a stream of events do not, and the program behind
//! them may be written for any framework. But each byte of a connection passes through [`FarewellIo`], and each
//! event through [`FarewellBody`]: there they are ended properly, without the program's help.
//!
//! | open | end |
//! |---|---|
//! | WebSocket over HTTP/1.1 | a Close frame, 1001, between two frames |
//! | event stream, HTTP/1.1 or HTTP/2 | the end of the body, between two events; the browser connects again |
//! | WebSocket over HTTP/2, other protocols | by the program, which is [told](Farewell::told) |
//!
//! A WebSocket over HTTP/2 (extended CONNECT, RFC 8441) is a stream of a connection that it shares with others: its
//! bytes are not seen here.

mod body;
mod events;
mod frames;
mod goodbye;
mod io;
#[cfg(test)]
mod tests;
mod upgraded;

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Context;

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

pub(crate) use body::FarewellBody;
pub(crate) use io::FarewellIo;

/// What a connection is told. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    /// Say goodbye.
    pub(crate) farewell: CancellationToken,
    /// End now.
    pub(crate) cut: CancellationToken,
}

/// Tells a program that what it serves is to end soon, because its listener goes away: an extension of each request.
///
/// Nobody has to ask it. A WebSocket over HTTP/1.1 is closed with 1001 (going away) and a stream of events is ended
/// between two of them, whatever the program. It is for those who want to say goodbye in their own words, and
/// for WebSockets over HTTP/2 and other long requests, which are cut at the deadline otherwise.
///
/// ```
/// use rekindle_web::serve::Farewell;
///
/// async fn speak(farewell: Farewell) {
///     tokio::select! {
///         () = farewell.told() => { /* send "we are back in a moment", and close */ }
///         () = converse() => {}
///     }
/// }
/// # async fn converse() {}
/// ```
#[derive(Clone, Debug)]
pub struct Farewell {
    told: CancellationToken,
    /// Whether the program says goodbye itself. Clones share it.
    own_words: Arc<AtomicBool>,
}

impl Farewell {
    /// One for each request: who waits for it speaks for that request alone.
    pub(crate) fn new(signals: &Signals) -> Self {
        Self { told: signals.farewell.clone(), own_words: Arc::default() }
    }

    /// Waits until it is time to say goodbye.
    ///
    /// Who waits says goodbye himself, from the first wait on and even if that is given up: no Close frame is sent
    /// for him, and no stream of events ended. What is open at the deadline is cut.
    ///
    /// # Cancel safety
    ///
    /// It can be dropped and called again at any time; once told, it returns at once.
    pub async fn told(&self) {
        self.own_words.store(true, Ordering::Relaxed);
        self.told.cancelled().await;
    }

    /// Whether it is time to say goodbye. Asking changes nothing in how it is said.
    pub fn is_told(&self) -> bool {
        self.told.is_cancelled()
    }

    /// Whether it is time to say goodbye for the program.
    fn is_ours(&self) -> bool {
        self.is_told() && !self.own_words.load(Ordering::Relaxed)
    }
}

/// What an HTTP/1.1 connection has switched to, told by who answered 101, before hyper writes that head.
#[derive(Debug, Default)]
pub(crate) struct Switched(OnceLock<Protocol>);

#[derive(Debug)]
enum Protocol {
    /// The request that asked for it, whose program may want to say goodbye itself.
    WebSocket(Farewell),
    Other,
}

impl Switched {
    /// To WebSocket, by the request with this [`Farewell`]. What is said first counts.
    pub(crate) fn to_websocket(&self, farewell: &Farewell) {
        let _said_before = self.0.set(Protocol::WebSocket(farewell.clone()));
    }

    /// To something else, of which only the end is known: 101 with another `Upgrade`, or a tunnel (CONNECT).
    pub(crate) fn to_other(&self) {
        let _said_before = self.0.set(Protocol::Other);
    }

    fn get(&self) -> Option<&Protocol> {
        self.0.get()
    }
}

/// A wait for a token. It wakes one task, the last that asked: readers and writers have one each.
struct Wait(Pin<Box<WaitForCancellationFutureOwned>>);

impl Wait {
    fn new(token: &CancellationToken) -> Self {
        Self(Box::pin(token.clone().cancelled_owned()))
    }

    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        self.0.as_mut().poll(context).is_ready()
    }
}
