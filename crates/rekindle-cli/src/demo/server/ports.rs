//! Ports for the demo: two that are free, and one that is taken.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process;

use tokio::net::TcpStream;

/// Below those that systems give to clients, which would take them at any moment.
const LOWEST: u16 = 10_000;

/// Where a demo begins to look depends on its process: several may run at a time.
const APART: u16 = 10;
const PLACES: u16 = 2_000;

/// Three ports of this machine.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) first: u16,
    pub(super) second: u16,
    taken: TcpListener,
}

impl Ports {
    /// Finds them.
    ///
    /// # Errors
    ///
    /// When nothing is free.
    pub(super) fn find() -> io::Result<Self> {
        let place = u16::try_from(process::id() % u32::from(PLACES)).unwrap_or(0);
        let lowest = LOWEST + place * APART;
        let mut free =
            (lowest..=u16::MAX).filter_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
        // All three are held until each is known.
        let (Some(first), Some(second), Some(taken)) = (free.next(), free.next(), free.next()) else {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "there are no free ports on 127.0.0.1"));
        };
        Ok(Self { first: first.local_addr()?.port(), second: second.local_addr()?.port(), taken })
    }

    /// The one that is taken, for as long as this lives.
    pub(super) fn taken(&self) -> u16 {
        self.taken.local_addr().map_or(0, |address| address.port())
    }
}

/// Whether nobody listens there.
pub(super) async fn is_closed(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err()
}
