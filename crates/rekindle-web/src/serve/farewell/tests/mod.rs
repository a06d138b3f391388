//! Goodbyes to random bytes, and to real clients.

mod properties;
mod server;
mod sockets;
mod streams;
mod wakers;

use tokio_util::sync::CancellationToken;

use super::*;

fn signals() -> Signals {
    Signals { farewell: CancellationToken::new(), cut: CancellationToken::new() }
}
