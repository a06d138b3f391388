//! [`Upstream`]: the server that `--proxy` names, and what a request is told of where it came to.
//!
//! Pure.
//!
//! **Which `Host` it gets.** A development server knows itself as `localhost`, and builds its redirects,
//! its cookies and its checks of `Origin` on the name that the browser uses; so one that is named by a
//! loopback name or an address keeps the browser's `Host`. One that is named by any other name (`http://web:3000`,
//! a virtual host) is reached by that name alone: it gets its own name, and so does an `Origin` or a `Referer`
//! that is ours.

use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

/// Where the other server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upstream {
    authority: Authority,
}

impl Upstream {
    /// Its host and port.
    pub(in crate::dev) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// As something to connect to.
    pub(in crate::dev) fn address(&self) -> String {
        format!("{}:{}", self.authority.host(), self.authority.port_u16().unwrap_or(80))
    }

    /// The same path and query over there, byte for byte.
    pub(in crate::dev) fn uri(&self, asked: &Uri) -> Uri {
        let path = asked.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).unwrap_or_default()
    }

    /// Whether it is to see the `Host` that the browser sent.
    pub(in crate::dev) fn keeps_host(&self) -> bool {
        let host = self.authority.host().trim_matches(['[', ']']);
        let is_loopback_name = host.eq_ignore_ascii_case("localhost") || host.ends_with(".localhost");
        is_loopback_name || host.parse::<IpAddr>().is_ok()
    }
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|_| expected())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err("a server behind TLS cannot be reached: name its http:// address".into());
            }
            _ => return Err(expected()),
        }
        if uri.path() != "/" || uri.query().is_some() {
            return Err("leave the path away: every path is passed on as it is".into());
        }
        match uri.authority() {
            Some(authority) if !authority.as_str().contains('@') => Ok(Self { authority: authority.clone() }),
            _ => Err(expected()),
        }
    }
}

fn expected() -> String {
    "expected the address of a server, such as http://127.0.0.1:3000".into()
}

impl std::fmt::Display for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_an_http_address_without_a_path() {
        for good in ["http://127.0.0.1:3000", "http://localhost:3000/", "http://[::1]:80", "http://web"] {
            assert!(good.parse::<Upstream>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "3000",
            "127.0.0.1:3000",
            "https://a",
            "http://a/b",
            "http://a/?b",
            "http://u:p@a",
            "ftp://a",
        ] {
            assert!(bad.parse::<Upstream>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_a_server_with_a_name_of_its_own_gets_its_own_host() {
        let keeps = |text: &str| text.parse::<Upstream>().unwrap().keeps_host();
        assert!(keeps("http://127.0.0.1:3000") && keeps("http://LOCALHOST:1") && keeps("http://[::1]:1"));
        assert!(keeps("http://192.168.1.5") && keeps("http://app.localhost:1"));
        assert!(!keeps("http://web:3000") && !keeps("http://app.test"));
    }

    #[test]
    fn a_path_is_passed_on_byte_for_byte() {
        let upstream: Upstream = "http://localhost:3000".parse().unwrap();
        let asked: Uri = "/a%2fb/../c?d=%20&e".parse().unwrap();
        assert_eq!(upstream.uri(&asked).to_string(), "http://localhost:3000/a%2fb/../c?d=%20&e");
        assert_eq!(upstream.address(), "localhost:3000");
        assert_eq!("http://[::1]".parse::<Upstream>().unwrap().address(), "[::1]:80");
    }
}
