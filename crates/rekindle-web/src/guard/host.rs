//! What a `Host` header or an origin names.

use std::net::{Ipv4Addr, Ipv6Addr};

/// How long a name may be, in bytes: RFC 1035, 2.3.4.
const LONGEST: usize = 253;

/// A host and perhaps a port, as <https://www.rfc-editor.org/rfc/rfc9110#section-7.2> has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    /// In lower case, without a dot at its end; IPv6 in its brackets.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl Authority {
    /// `None` for anything that is more than a host and a port.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let end =
            if text.starts_with('[') { text.find(']')? + 1 } else { text.find(':').unwrap_or(text.len()) };
        let (host, port) = text.split_at(end);
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            // A colon and nothing is the default port: RFC 3986, 3.2.3.
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            _ => return None,
        };
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        is_host(&host).then_some(Self { host, port })
    }

    /// Whether this is the same server as `other` for a browser, `scheme` being that of both.
    pub(crate) fn is_same(&self, other: &Self, scheme: Scheme) -> bool {
        let port = |of: &Self| of.port.unwrap_or(scheme.port());
        self.host == other.host && port(self) == port(other)
    }

    /// Whether a server that listens at `self`, at any port if none is said, is meant by `other`.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.host == other.host && (self.port.is_none() || self.port == other.port)
    }

    /// Whether it is this machine whoever asks: names below `localhost` are that by
    /// <https://www.rfc-editor.org/rfc/rfc6761#section-6.3>.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host.as_str();
        let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
            || address
                .and_then(|text| text.parse::<Ipv6Addr>().ok())
                .is_some_and(|address| address.is_loopback())
    }
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            (1..=LONGEST).contains(&host.len())
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        }
    }
}

/// The schemes that pages of an allowed origin can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Where a page is from, as <https://www.rfc-editor.org/rfc/rfc6454> has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
}

impl Origin {
    /// `None` for what is opaque (`null`), of another scheme, or more than an origin.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = match text.split_once("://")? {
            (scheme, rest) if scheme.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            (scheme, rest) if scheme.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            _ => return None,
        };
        Some(Self { scheme, authority: Authority::parse(rest)? })
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.authority.is_same(&other.authority, self.scheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, Option<u16>)> {
        Authority::parse(text).map(|authority| (authority.host, authority.port))
    }

    #[test]
    fn a_host_is_read_exactly() {
        assert_eq!(parsed("LocalHost.:3000"), Some(("localhost".into(), Some(3000))));
        assert_eq!(parsed("[::1]:3000"), Some(("[::1]".into(), Some(3000))));
        assert_eq!(parsed("a-b_c.example:"), Some(("a-b_c.example".into(), None)));
        for text in [
            "",
            ".",
            ":80",
            "a b",
            "user@host",
            "host:+80",
            "host:65536",
            "host:80:80",
            "[::1",
            "[x]",
            "[::1]x",
            "::1",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_server_and_nothing_else() {
        let same = |one, other| Origin::parse(one).unwrap().is_same(&Origin::parse(other).unwrap());
        assert!(same("http://a.example", "http://A.example:80"));
        assert!(same("https://a.example:443", "https://a.example"));
        assert!(!same("http://a.example", "https://a.example"));
        assert!(!same("http://a.example", "http://a.example:8080"));
        for text in
            ["null", "", "file://", "ftp://a", "http://", "http://a/", "http://u@a", "chrome-extension://a"]
        {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }
}
