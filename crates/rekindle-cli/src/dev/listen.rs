//! The port: what is asked for in, a listener and what to say of it out.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use tokio::net::TcpListener;

use crate::stop::Stop;

/// The port that is tried first.
pub(super) const PORT: u16 = 7878;

/// How many ports after it are tried before the system is asked for any.
const TRIES: u16 = 20;

/// Listens on the port that is asked for, or else on the first free one from [`PORT`] on.
///
/// # Errors
///
/// When the port that is asked for is taken or out of reach, or the address is none of this machine's.
pub(super) async fn listen(host: IpAddr, port: Option<u16>) -> Result<TcpListener, Stop> {
    let Some(exact) = port else { return first_free(host).await };
    TcpListener::bind((host, exact)).await.map_err(|error| refused(&error, host, exact))
}

async fn first_free(host: IpAddr) -> Result<TcpListener, Stop> {
    for port in PORT..PORT + TRIES {
        match TcpListener::bind((host, port)).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            bound => return bound.map_err(|error| refused(&error, host, port)),
        }
    }
    TcpListener::bind((host, 0)).await.map_err(|error| refused(&error, host, 0))
}

fn refused(error: &io::Error, host: IpAddr, port: u16) -> Stop {
    let address = SocketAddr::new(host, port);
    match error.kind() {
        io::ErrorKind::AddrInUse => Stop::Usage(format!(
            "port {port} is taken by another program; without --port the next free one is used"
        )),
        io::ErrorKind::PermissionDenied => Stop::Usage(format!(
            "{address}: the system allows no one to listen there; take a port from 1024 on"
        )),
        io::ErrorKind::AddrNotAvailable => {
            Stop::Usage(format!("{host} is no address of this machine; --host 0.0.0.0 is all of them"))
        }
        _ => Stop::Io(io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))),
    }
}

/// The address of a browser on this machine.
pub(super) fn local_url(bound: SocketAddr) -> String {
    let host = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}/", SocketAddr::new(host, bound.port()))
}

/// The address of a browser elsewhere, by a name that is allowed.
pub(super) fn url(name: &str, port: u16) -> String {
    match name.parse::<Ipv6Addr>() {
        Ok(ip) => format!("http://[{ip}]:{port}/"),
        Err(_) => format!("http://{name}:{port}/"),
    }
}

/// The address by which others on the network most likely reach this machine. No packet is sent for it.
pub(super) fn likely_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address of documentation (RFC 5737): which of ours would be used to reach it?
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_one_that_a_browser_can_open() {
        let of = |text: &str| local_url(text.parse().unwrap());
        assert_eq!(of("0.0.0.0:7878"), "http://127.0.0.1:7878/");
        assert_eq!(of("[::]:7878"), "http://[::1]:7878/");
        assert_eq!(of("192.168.1.5:80"), "http://192.168.1.5:80/");
        assert_eq!(url("laptop.local", 7878), "http://laptop.local:7878/");
        assert_eq!(url("fe80::1", 7878), "http://[fe80::1]:7878/");
    }

    #[tokio::test]
    async fn an_exact_port_that_is_taken_is_a_usage_error() {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let taken = listen(host, Some(0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let stop = listen(host, Some(port)).await.unwrap_err();
        assert!(matches!(&stop, Stop::Usage(why) if why.contains("is taken by another program")), "{stop:?}");
    }
}
