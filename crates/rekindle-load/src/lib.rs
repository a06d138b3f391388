//! A client that believes nothing: what becomes of requests while a server changes.
//!
//! It does what the protocols ask of a client, and no more. It never asks again for what failed, looks before it writes
//! whether its connection has been closed, and goes elsewhere when it is told to. So each failure that it counts is one
//! that a user would have seen.
//!
//! `load` drives the clients, `client` is one of them, `http1` and `http2` are what it speaks, `wire` the connection
//! below, `report` what came of it. `watch` holds WebSockets and event streams open.

mod client;
mod http1;
mod http2;
mod load;
mod report;
mod watch;
mod wire;

use std::net::SocketAddr;

pub use client::Answer;
pub use load::{Judge, Load, Running};
pub use report::{Failure, Phase, Report};
pub use watch::{Ended, Story, Watch};

/// Where a server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Target {
    /// The address.
    pub address: SocketAddr,
    /// Whether over TLS. Any certificate is accepted.
    pub tls: bool,
    /// What is spoken.
    pub protocol: Protocol,
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.1, kept alive.
    Http1,
    /// HTTP/2, agreed upon by TLS or known beforehand.
    Http2,
}
