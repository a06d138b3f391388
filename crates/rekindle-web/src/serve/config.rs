//! [`ServeConfig`]: what of a server the configuration says.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use super::socket::Address;

/// What of a server the configuration says.
///
/// ```toml
/// [server]
/// health = "/health"                      # asked of each new generation before it serves
///
/// [server.listen]
/// local = "127.0.0.1:8080"
/// socket = { address = "unix:/run/shop/http.sock", mode = "0660" }
///
/// [server.listen.public]
/// address = "0.0.0.0:8443"
/// tls = { certificate = "tls/cert.pem", key = "tls/key.pem" }
///
/// [server.limits]
/// connections = 10000
/// requests = 500
///
/// [server.timeouts]
/// request = "30s"
/// lame_duck = "2s"
/// ```
///
/// Durations are written as `"30s"`, `"1m 30s"` or `"250ms"`. All but `listen` has a default.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ServeConfig {
    /// Where to listen: a name and an address each. There is at least one.
    pub listen: BTreeMap<String, Listen>,
    /// How much at a time.
    #[serde(default)]
    pub limits: Limits,
    /// How long.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// The path of which each new generation is asked before it serves. An answer of 200 to 399 is a good one, any
    /// other refuses the change. Default: it is not asked.
    #[serde(default)]
    pub health: Option<String>,
}

impl AsRef<ServeConfig> for ServeConfig {
    fn as_ref(&self) -> &ServeConfig {
        self
    }
}

/// Where to listen: an address alone, as `"127.0.0.1:8080"`, or a table.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Listen {
    /// The address.
    pub address: Address,
    /// The certificate to speak TLS with. Default: no TLS.
    pub tls: Option<Tls>,
    /// Who may connect to a Unix socket, as the mode of its file in octal: `"0660"`. Default: what the
    /// `umask` leaves.
    pub mode: Option<Mode>,
}

/// The mode of a Unix socket's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode(pub u32);

/// What to speak TLS with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tls {
    /// The certificate, with those that lead from it to a known authority after it.
    pub certificate: Pem,
    /// Its private key: PKCS#8, SEC1 or PKCS#1.
    pub key: Pem,
    /// The protocols to offer, the best first. Default: `["h2", "http/1.1"]`.
    #[serde(default = "alpn")]
    pub alpn: Vec<String>,
    /// How long before its end a certificate is warned of. Default: 30 days.
    #[serde(default = "warn_before", with = "duration")]
    pub warn_before: Duration,
}

/// PEM: a file, relative to the root of the project, or the text itself, which begins with `-----BEGIN`.
///
/// A file is followed: what replaces it is in use as soon as certificate and key fit together.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(from = "String")]
#[non_exhaustive]
pub enum Pem {
    /// A file.
    File(PathBuf),
    /// The text, for instance from a secret.
    Text(String),
}

impl From<String> for Pem {
    fn from(text: String) -> Self {
        if text.trim_start().starts_with("-----BEGIN") { Self::Text(text) } else { Self::File(text.into()) }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            // It may be a key.
            Self::Text(_) => f.write_str("Text(…)"),
        }
    }
}

/// How much at a time. What changes here holds from the next connection or request on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// Connections that are open at a time; further ones wait to be accepted. Default: 10,000.
    pub connections: usize,
    /// Requests under way at a time; one more is answered with 503. Default: no limit.
    pub requests: Option<usize>,
    /// Requests under way at a time in one connection of HTTP/2. Default: 200.
    pub streams: u32,
    /// The size of a request's headers, in bytes. Default: 64 KiB.
    pub headers: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 10_000, requests: None, streams: 200, headers: 64 * 1024 }
    }
}

/// How long. What changes here holds from the next connection or request on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Timeouts {
    /// For the handshake of TLS. Default: 10 s.
    #[serde(with = "duration")]
    pub handshake: Duration,
    /// How long a connection may be without a request, until the headers of the next one are whole. Default: 75 s.
    #[serde(with = "duration")]
    pub idle: Duration,
    /// Until the head of an answer; one that takes longer is dropped, and answered with 503. Default: no limit.
    #[serde(deserialize_with = "duration::optional")]
    pub request: Option<Duration>,
    /// How long a listener that is no longer wanted goes on accepting, with `Connection: close` in its answers,
    /// until its clients have learnt of the new address. Default: 1 s.
    #[serde(with = "duration")]
    pub lame_duck: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            request: None,
            lame_duck: Duration::from_secs(1),
        }
    }
}

fn alpn() -> Vec<String> {
    ["h2", "http/1.1"].map(String::from).into()
}

fn warn_before() -> Duration {
    Duration::from_secs(30 * 24 * 60 * 60)
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename = "Listen")]
        struct Table {
            address: Address,
            #[serde(default)]
            tls: Option<Tls>,
            #[serde(default)]
            mode: Option<Mode>,
        }

        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Listen;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address, or a table with an address")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Listen, E> {
                let address = text.parse().map_err(E::custom)?;
                Ok(Listen { address, tls: None, mode: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Listen, A::Error> {
                let Table { address, tls, mode } = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Listen { address, tls, mode })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let octal = u32::from_str_radix(&text, 8).ok().filter(|mode| *mode <= 0o777);
        let fault = || format!("`{text}` is no mode of a file: three octal digits are, as in \"0660\"");
        octal.map(Mode).ok_or_else(|| serde::de::Error::custom(fault()))
    }
}

/// Durations for people: `"30s"`, `"1m 30s"`, `"250ms"`.
mod duration {
    use super::{Deserialize, Deserializer, Duration};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        parsed(&text).map_err(serde::de::Error::custom)
    }

    pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| parsed(&text)).transpose().map_err(serde::de::Error::custom)
    }

    fn parsed(text: &str) -> Result<Duration, String> {
        let duration = text.parse::<jiff::SignedDuration>().map_err(|fault| fault.to_string());
        let duration =
            duration.and_then(|signed| Duration::try_from(signed).map_err(|fault| fault.to_string()));
        duration.map_err(|fault| format!("`{text}` is no duration such as \"30s\" or \"250ms\": {fault}"))
    }
}
