//! What keeps a socket from listening, and what to do about it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use rekindle::{Error, ErrorKind};

use super::inherited;

/// Whether an error of `accept` is that of one connection, which ended before it was accepted or was kept out
/// by a firewall. The next one may be well.
pub(crate) fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, Interrupted, NetworkDown,
        NetworkUnreachable, PermissionDenied,
    };
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionRefused
            | ConnectionReset
            | HostUnreachable
            | Interrupted
            | NetworkDown
            | NetworkUnreachable
            | PermissionDenied
    ) || is_protocol_error(error)
}

#[cfg(unix)]
fn is_protocol_error(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::PROTO.raw_os_error())
}

#[cfg(not(unix))]
fn is_protocol_error(_error: &io::Error) -> bool {
    false
}

/// Whether the machine knows nothing of this kind of address, as one without IPv6.
#[cfg(unix)]
pub(super) fn is_no_such_family(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

#[cfg(not(unix))]
pub(super) fn is_no_such_family(_error: &io::Error) -> bool {
    false
}

fn fault(kind: ErrorKind, message: String, help: &str) -> Error {
    Error::new(kind, message).about("/address").help(help)
}

/// What the system says of a TCP address.
pub(super) fn tcp(address: SocketAddr, cause: io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::AddrInUse => taken(&address.to_string(), &find_tcp(address), cause),
        io::ErrorKind::PermissionDenied => not_permitted(address, cause),
        _ if cause.kind() == io::ErrorKind::AddrNotAvailable || is_no_such_family(&cause) => {
            let message = format!("{} is no address of this machine", address.ip());
            let help = "0.0.0.0 and [::] are all that it has, `ip address` lists them";
            fault(ErrorKind::Io, message, help).because(cause)
        }
        _ => other(&address.to_string(), cause),
    }
}

fn taken(place: &str, find: &str, cause: io::Error) -> Error {
    let message = format!("somebody else listens on {place} already");
    fault(ErrorKind::Conflict, message, &format!("{find} says who")).because(cause)
}

fn find_tcp(address: SocketAddr) -> String {
    let port = address.port();
    let find = if cfg!(windows) { "`netstat -ano`".into() } else { format!("`ss -ltnp 'sport = :{port}'`") };
    match inherited::on_port_of(address) {
        Some(ours) => format!("whoever started this process may hold it: it came with {ours}; {find}"),
        None => find,
    }
}

fn not_permitted(address: SocketAddr, cause: io::Error) -> Error {
    let message = format!("this process may not listen on {address}");
    let help = if address.port() < 1024 {
        "ports below 1024 take CAP_NET_BIND_SERVICE (in a unit: AmbientCapabilities=CAP_NET_BIND_SERVICE), or a \
         socket that systemd opens for it; or choose a higher port"
    } else {
        "a rule of the system's security keeps it from it: look into the system's log"
    };
    fault(ErrorKind::Io, message, help).because(cause)
}

fn other(place: &str, cause: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot listen on {place}: {cause}")).about("/address").because(cause)
}

/// A host name that leads nowhere.
pub(super) fn unknown_host(host_and_port: &str, cause: io::Error) -> Error {
    let host = host_and_port.rsplit_once(':').map_or(host_and_port, |(host, _)| host);
    let message = format!("the host name `{host}` leads to no address: {cause}");
    fault(ErrorKind::Io, message, "write an IP address, such as 127.0.0.1 or [::1]").because(cause)
}

/// A path in a system that has no such sockets.
#[cfg(not(unix))]
pub(super) fn no_unix_sockets(path: &Path) -> Error {
    let message = format!("this system has no Unix sockets to listen on, such as {}", path.display());
    fault(ErrorKind::Io, message, "write a host and a port, such as 127.0.0.1:8080")
}

/// What the system says of the path of a Unix socket.
#[cfg(unix)]
pub(super) fn unix(path: &Path, cause: io::Error) -> Error {
    let place = format!("unix:{}", path.display());
    match cause.kind() {
        io::ErrorKind::AddrInUse => taken(&place, &format!("`ss -lxp src {}`", path.display()), cause),
        io::ErrorKind::PermissionDenied => {
            let message = format!("this process may not listen on {place}");
            let help = "it needs the right to write in the directory, and to the socket that is there";
            fault(ErrorKind::Io, message, help).because(cause)
        }
        _ => other(&place, cause),
    }
}

/// A path that no socket can have.
#[cfg(unix)]
pub(super) fn unusable_path(path: &Path, cause: io::Error) -> Error {
    let length = path.as_os_str().len();
    let message = format!("{} ({length} bytes) cannot be the path of a Unix socket: {cause}", path.display());
    let help = "107 bytes are the most on Linux, 103 on macOS; /run is a short place";
    fault(ErrorKind::Io, message, help).because(cause)
}

/// What the system says of the directory.
#[cfg(unix)]
pub(super) fn directory(path: &Path, directory: &Path, cause: io::Error) -> Error {
    let (place, directory) = (path.display(), directory.display());
    match cause.kind() {
        io::ErrorKind::NotFound => {
            let message = format!("there is no directory {directory} for the socket {place}");
            let help = "make it, or have systemd make it at each start (in a unit: RuntimeDirectory=)";
            fault(ErrorKind::Io, message, help).because(cause)
        }
        _ => {
            let message =
                format!("cannot lock the directory {directory} to put the socket {place} there: {cause}");
            fault(ErrorKind::Io, message, "the process has to read and to write it").because(cause)
        }
    }
}

/// A directory that somebody else keeps locked.
#[cfg(unix)]
pub(super) fn locked(path: &Path, directory: &Path) -> Error {
    let (place, directory) = (path.display(), directory.display());
    let message = format!("another process holds a lock on {directory}, so that {place} cannot be made");
    fault(ErrorKind::Conflict, message, &format!("`lsof {directory}` says who"))
}

/// Something else in the socket's place.
#[cfg(unix)]
pub(super) fn no_socket(path: &Path, cause: io::Error) -> Error {
    let message = format!("{} is there already, and is no socket", path.display());
    fault(ErrorKind::NotAFile, message, "remove it, or choose another path").because(cause)
}
