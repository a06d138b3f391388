//! [`Address`]: where to listen, as it is written in a configuration.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// Where to listen, as it is written in a configuration.
///
/// | text | means |
/// |---|---|
/// | `"127.0.0.1:8080"`, `"[::]:8080"`, `"localhost:8080"` | TCP; port 0 is any that is free |
/// | `"unix:/run/shop/http.sock"` | a Unix socket at an absolute path |
/// | `"inherited:0"`, `"inherited:web"` | a socket that the process was started with, by its number or by the name that systemd gives it (`FileDescriptorName=`) |
///
/// ```
/// use rekindle_web::serve::Address;
///
/// let address: Address = "127.0.0.1:8080".parse()?;
/// assert_eq!(address.to_string(), "127.0.0.1:8080");
/// assert!("8080".parse::<Address>().is_err());
/// # Ok::<(), rekindle::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Address {
    /// TCP: a host and a port.
    Tcp(String),
    /// The path of a Unix socket.
    Unix(PathBuf),
    /// A socket that the process was started with: its number or its name.
    Inherited(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host_and_port) => f.write_str(host_and_port),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Inherited(which) => write!(f, "inherited:{which}"),
        }
    }
}

impl FromStr for Address {
    type Err = rekindle::Error;

    fn from_str(text: &str) -> rekindle::Result<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            return unix(path);
        }
        if let Some(which) = text.strip_prefix("inherited:") {
            return if which.is_empty() { Err(fault(text)) } else { Ok(Self::Inherited(which.to_owned())) };
        }
        let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
        match port.map(str::parse::<u16>) {
            Some(Ok(_)) => Ok(Self::Tcp(text.to_owned())),
            _ => Err(fault(text)),
        }
    }
}

fn unix(path: &str) -> rekindle::Result<Address> {
    let path = PathBuf::from(path);
    if path.is_absolute() {
        return Ok(Address::Unix(path));
    }
    Err(fault(&format!("unix:{}", path.display()))
        .help("the path of a Unix socket is absolute, as in \"unix:/run/shop/http.sock\""))
}

fn fault(text: &str) -> rekindle::Error {
    let message = format!("`{text}` is no address to listen on");
    let error = rekindle::Error::new(rekindle::ErrorKind::Check, message);
    error.help("host:port, unix:PATH and inherited:NAME are, as in \"127.0.0.1:8080\"")
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
