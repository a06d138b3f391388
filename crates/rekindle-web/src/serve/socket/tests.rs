#[cfg(unix)]
mod inherited;
mod tcp;
#[cfg(unix)]
mod unix;

use std::error::Error;
use std::time::Duration;

use rekindle::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::RwLock;
use tokio::time::timeout;

use super::{Peer, Socket, Stream};

const LIMIT: Duration = Duration::from_secs(25);

/// Held for writing while a process is started: until that has become another program it has a copy of each socket of
/// this one, and what is closed here is open for a moment more. Who closes a socket and looks for its end holds this
/// for reading.
pub(in crate::serve) static STARTING: RwLock<()> = RwLock::const_new(());

async fn bind(address: &str) -> rekindle::Result<Socket> {
    Socket::bind(&address.parse().unwrap(), None).await
}

/// What it says to the one who tries to listen there, because of what the system says.
async fn refusal(address: &str) -> (ErrorKind, String) {
    let error = bind(address).await.unwrap_err();
    assert!(error.source().is_some_and(<dyn Error>::is::<std::io::Error>));
    said(&error)
}

fn said(error: &rekindle::Error) -> (ErrorKind, String) {
    assert_eq!(error.pointer(), Some("/address"));
    (error.kind(), error.to_string())
}

async fn accept(socket: &Socket) -> (Stream, Peer) {
    timeout(LIMIT, socket.accept()).await.expect("a connection in time").unwrap()
}

/// That what one end says arrives at the other, both ways.
async fn talk(mut one: Stream, mut other: Stream) {
    for _ in 0..2 {
        one.write_all(b"hello").await.unwrap();
        let mut heard = [0; 5];
        timeout(LIMIT, other.read_exact(&mut heard)).await.expect("an answer in time").unwrap();
        assert_eq!(&heard, b"hello");
        std::mem::swap(&mut one, &mut other);
    }
}
