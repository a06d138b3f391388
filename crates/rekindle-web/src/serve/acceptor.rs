//! The task of a listener: it accepts until the listener is to be closed, and then what still waits.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Origin};
use super::listener::{Listener, Terms};
use super::shared::Shared;
use super::slots::Slot;
use super::socket::{Peer, Socket, Stream};

/// How long to wait before the next try when the system has no more descriptors or memory.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// How long a client may take to show how it speaks. Then it has to speak as is wished for now.
const FIRST_BYTE: Duration = Duration::from_secs(5);

/// The type of the record that every connection over TLS begins with (RFC 8446, 5.1). No method of HTTP does.
const TLS_HANDSHAKE: u8 = 0x16;

/// Accepts on a socket for as long as its listener is wanted.
pub(super) async fn accept(listener: Arc<Listener>, socket: Socket, shared: Arc<Shared>) {
    tokio::select! {
        biased;
        () = listener.until_closing() => {}
        () = accept_for_ever(&listener, &socket, &shared) => {}
    }
    // Whoever is in the queue has been told by the system that it is connected: to close on it would be a reset.
    while let Some(accepted) = socket.accept_waiting() {
        match accepted {
            Ok((stream, peer)) => open(&listener, &shared, shared.connections.take(), stream, peer),
            Err(error) if super::socket::is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(address = %listener.bound, %error, "what waited to be accepted is lost");
                break;
            }
        }
    }
    drop(socket);
    shared.release(&listener);
    listener.closed();
}

async fn accept_for_ever(listener: &Arc<Listener>, socket: &Socket, shared: &Arc<Shared>) {
    loop {
        shared.connections.room(|| shared.connection_limit()).await;
        match socket.accept().await {
            Ok((stream, peer)) => open(listener, shared, shared.connections.take(), stream, peer),
            Err(error) => recover(listener, &error).await,
        }
    }
}

/// What is wrong with one connection is over with it; of what is wrong with the system there is soon an end.
async fn recover(listener: &Listener, error: &io::Error) {
    if super::socket::is_of_one_connection(error) {
        return;
    }
    tracing::warn!(address = %listener.bound, %error, "cannot accept a connection; trying again");
    sleep(EXHAUSTED).await;
}

fn open(listener: &Arc<Listener>, shared: &Arc<Shared>, slot: Slot, stream: Stream, peer: Peer) {
    let in_force = listener.terms.load_full();
    let (listener, shared) = (Arc::clone(listener), Arc::clone(shared));
    let connections = listener.connections.clone();
    connections.spawn(async move {
        let before = match in_force.before() {
            Some(before) => speaks(&stream, before).await.then(|| Arc::clone(before)),
            None => None,
        };
        let is_late = before.is_some();
        let terms = before.unwrap_or_else(|| Arc::clone(&in_force.terms));
        let origin = Origin { listener: Arc::clone(&terms.name), peer: Some(peer), tls: terms.tls.is_some() };
        let mut connection = Connection::new(listener, shared, origin);
        if is_late {
            connection.signals.farewell = CancellationToken::new();
            connection.signals.farewell.cancel();
        }
        let tls = terms.tls.as_ref().map(|tls| tls.acceptor.clone());
        connection.serve(stream, tls, Some(slot)).await;
    });
}

/// Whether a client speaks as these terms have it, with TLS or without: its first byte tells.
async fn speaks(stream: &Stream, terms: &Terms) -> bool {
    let first = timeout(FIRST_BYTE, stream.peek()).await;
    matches!(first, Ok(Ok(first)) if (first == TLS_HANDSHAKE) == terms.tls.is_some())
}
