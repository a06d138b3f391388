//! TCP: from a host and a port to a socket that listens.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;

use super::{BACKLOG, Socket, fault, inherited};

/// How long a name server is waited for.
const LOOKUP: Duration = Duration::from_secs(5);

/// Listens at the first of the host's addresses that this machine has, unless an inherited socket does at one.
///
/// One that is taken is not passed over for the next: clients that try the addresses in the same order would
/// end up with somebody else.
pub(super) async fn bind(host_and_port: &str) -> rekindle::Result<Socket> {
    let addresses = resolve(host_and_port).await?;
    if let Some(inherited) = inherited::at_tcp(&addresses) {
        return inherited;
    }
    let mut not_here = None;
    for address in addresses {
        match listen(address) {
            Ok(listener) => return own(listener).map_err(|cause| fault::tcp(address, cause)),
            Err(cause) if is_not_here(&cause) => not_here = Some(fault::tcp(address, cause)),
            Err(cause) => return Err(fault::tcp(address, cause)),
        }
    }
    Err(not_here.unwrap_or_else(|| fault::unknown_host(host_and_port, io::ErrorKind::NotFound.into())))
}

async fn resolve(host_and_port: &str) -> rekindle::Result<Vec<SocketAddr>> {
    let found = match timeout(LOOKUP, lookup_host(host_and_port)).await {
        Ok(found) => found,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no name server answered in time")),
    };
    found.map(Iterator::collect).map_err(|cause| fault::unknown_host(host_and_port, cause))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart is not kept out by connections of the last run that linger in TIME_WAIT. On Windows it would
    // mean that others may listen here, too.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn own(listener: TcpListener) -> io::Result<Socket> {
    Socket::of_tcp(listener.into_std()?)
}

/// Whether this machine has no such address, or nothing of its kind, as a machine without IPv6.
fn is_not_here(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::AddrNotAvailable || fault::is_no_such_family(cause)
}

pub(super) async fn connect(bound: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect(SocketAddr::new(reached(bound.ip()), bound.port())).await
}

/// By which address oneself is reached.
fn reached(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}
