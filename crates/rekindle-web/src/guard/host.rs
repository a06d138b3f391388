//! What a `Host` header or an origin names.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A host and perhaps a port, as <https://www.rfc-editor.org/rfc/rfc9110#section-7.2> has them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authority<'a> {
    /// Without a port, and without a dot at its end; IPv6 in its brackets.
    pub(crate) host: &'a str,
}

impl<'a> Authority<'a> {
    /// `None` for anything that is more than a host and a port.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let end =
            if text.starts_with('[') { text.find(']')? + 1 } else { text.find(':').unwrap_or(text.len()) };
        let (host, port) = text.split_at(end);
        let is_port = |port: &str| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
        let has_port = port.strip_prefix(':').map_or(port.is_empty(), is_port);
        let host = host.strip_suffix('.').unwrap_or(host);
        (has_port && is_host(host)).then_some(Self { host })
    }
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        }
    }
}

/// Whether a host is this machine whoever asks: names below `localhost` are that by
/// <https://www.rfc-editor.org/rfc/rfc6761#section-6.3>.
pub(crate) fn is_loopback(host: &str) -> bool {
    let is_name = |host: &str| {
        let host = host.to_ascii_lowercase();
        host == "localhost" || host.ends_with(".localhost")
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    is_name(host)
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || (bare != host && bare.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback()))
}
