//! [`Bound`]: where a socket listens; [`Peer`]: who connected.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where a socket really listens.
///
/// ```
/// use rekindle_web::serve::Bound;
///
/// assert_eq!(Bound::Tcp(([127, 0, 0, 1], 8080).into()).to_string(), "127.0.0.1:8080");
/// assert_eq!(Bound::Unix("/run/shop/http.sock".into()).to_string(), "unix:/run/shop/http.sock");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bound {
    /// TCP, with the port that was found for port 0.
    Tcp(SocketAddr),
    /// A Unix socket, by the path of its file.
    Unix(PathBuf),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Who is at the other end of a connection.
///
/// ```
/// use rekindle_web::serve::Peer;
///
/// assert_eq!(Peer::Tcp(([192, 0, 2, 7], 51234).into()).to_string(), "192.0.2.7:51234");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Peer {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A process of this machine.
    #[non_exhaustive]
    Unix {
        /// The user that the process ran as when it connected, if the system says.
        uid: Option<u32>,
        /// The process, if the system says. It may have ended, and its number may be another's by now.
        pid: Option<i32>,
    },
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix { uid: Some(uid), pid: Some(pid) } => write!(f, "unix (user {uid}, process {pid})"),
            Self::Unix { uid: Some(uid), pid: None } => write!(f, "unix (user {uid})"),
            Self::Unix { .. } => f.write_str("unix"),
        }
    }
}
