//! [`Upgraded`]: what is known of a connection that hyper has handed on.

use std::io::{self, ErrorKind};
use std::task::Context;

use super::goodbye::Goodbye;
use super::{Protocol, Signals, Wait};

/// A connection that speaks something else than HTTP by now, and is nobody's but the program's.
pub(super) struct Upgraded {
    cut_reader: Wait,
    cut_writer: Wait,
    /// Only a WebSocket's frames are known.
    pub(super) goodbye: Option<Goodbye>,
}

impl Upgraded {
    pub(super) fn new(protocol: &Protocol, signals: &Signals) -> Self {
        let goodbye = match protocol {
            Protocol::WebSocket(farewell) => Some(Goodbye::new(farewell)),
            Protocol::Other => None,
        };
        Self { cut_reader: Wait::new(&signals.cut), cut_writer: Wait::new(&signals.cut), goodbye }
    }

    /// Fails once the connection is cut; until then the reader is woken when it is.
    pub(super) fn reads(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        uncut(&mut self.cut_reader, context)
    }

    /// The same for the writer.
    pub(super) fn writes(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        uncut(&mut self.cut_writer, context)
    }
}

fn uncut(cut: &mut Wait, context: &mut Context<'_>) -> io::Result<()> {
    if !cut.is_over(context) {
        return Ok(());
    }
    Err(io::Error::new(ErrorKind::ConnectionAborted, "the listener of this connection has gone away"))
}
