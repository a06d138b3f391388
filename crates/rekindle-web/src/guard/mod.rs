//! Who may speak to the endpoints: hosts, origins, and the token of this run.
//!
//! A browser sends the requests of any page that anybody has opened. So a request has to be for a name that is
//! this server's (else a name of the attacker's that resolves to this machine would do: DNS rebinding), from a
//! page of an allowed origin, and to know the token, which is in the pages alone.

mod host;
mod token;

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Uri};

pub(crate) use self::host::Authority;
pub(crate) use self::token::Token;

/// What is allowed beyond the loopback.
#[derive(Debug, Default, Clone)]
pub(crate) struct Guard {
    /// Host names or addresses, in lower case and without a port.
    pub(crate) hosts: Vec<String>,
    /// Whole origins: `https://example.com:8443`, in lower case.
    pub(crate) origins: Vec<String>,
}

/// What is said to who is turned away.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) String);

/// Where the page is from that made a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// A page of an allowed origin.
    AllowedOrigin,
    /// A program, or a request of the same origin that does not say so.
    Nowhere,
}

impl Guard {
    /// Checks what is in every request.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<From, Refusal> {
        self.check_host(uri, headers)?;
        self.check_origin(headers)
    }

    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        // HTTP/2 has the authority in the request's address.
        let stated = match uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => single(headers, &HOST)?,
        };
        let Some(stated) = stated else { return Err(Refusal("the request names no host".into())) };
        let host = Authority::parse(stated).map_or("", |authority| authority.host);
        if host::is_loopback(host) || self.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)) {
            return Ok(());
        }
        Err(Refusal(format!(
            "the host \"{stated}\" is not allowed here. If this server is meant to be reached by that name, \
             allow it: `LiveReload::builder(..).allow_host(\"{host}\")`, or `rekindle dev --allow-host {host}`"
        )))
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<From, Refusal> {
        let Some(origin) = single(headers, &ORIGIN)? else { return Ok(From::Nowhere) };
        if self.allows_origin(origin) {
            return Ok(From::AllowedOrigin);
        }
        Err(Refusal(format!(
            "pages of \"{origin}\" are not allowed to talk to this server. If they are meant to, allow them: \
             `LiveReload::builder(..).allow_origin(\"{origin}\")`"
        )))
    }

    fn allows_origin(&self, origin: &str) -> bool {
        if self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
            return true;
        }
        let rest = ["http://", "https://"].iter().find_map(|scheme| origin.strip_prefix(scheme));
        let host = rest.and_then(Authority::parse).map_or("", |authority| authority.host);
        host::is_loopback(host) || self.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host))
    }
}

/// A header that may be there once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Refusal(format!("the request has more than one \"{name}\"")));
    }
    let text = first.map(|value| value.to_str()).transpose();
    text.map_err(|_| Refusal(format!("the \"{name}\" of the request is not ASCII")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn check(guard: &Guard, pairs: &[(&'static str, &str)]) -> Result<From, Refusal> {
        guard.check(&Uri::from_static("/_rekindle/socket"), &headers(pairs))
    }

    #[test]
    fn the_loopback_is_allowed_by_all_its_names() {
        for host in [
            "localhost",
            "LOCALHOST:3000",
            "a.localhost:1",
            "127.0.0.1:7878",
            "127.8.9.1",
            "[::1]:80",
            "localhost.",
        ] {
            assert_eq!(check(&Guard::default(), &[("host", host)]), Ok(From::Nowhere), "{host}");
        }
    }

    #[test]
    fn dns_rebinding_ends_at_the_host() {
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "localhost@evil.example",
            "evil.example:80#localhost",
            "[::1].evil.example",
            "127.0.0.1:80:80",
            "0x7f000001",
            "",
        ] {
            assert!(check(&Guard::default(), &[("host", host)]).is_err(), "{host}");
        }
        assert!(check(&Guard::default(), &[]).is_err());
        assert!(check(&Guard::default(), &[("host", "localhost"), ("host", "localhost")]).is_err());
    }

    #[test]
    fn cve_2025_24010_a_page_from_elsewhere_opens_no_socket() {
        for origin in
            ["https://evil.example", "http://localhost.evil.example", "null", "file://", "http://evil@x"]
        {
            let refused = check(&Guard::default(), &[("host", "localhost"), ("origin", origin)]);
            assert!(refused.is_err(), "{origin}");
        }
        let own = [("host", "localhost:3000"), ("origin", "http://localhost:3000")];
        assert_eq!(check(&Guard::default(), &own), Ok(From::AllowedOrigin));
    }

    #[test]
    fn a_refusal_says_what_to_set() {
        let guard = Guard::default();
        let Refusal(text) = check(&guard, &[("host", "dev.example:3000")]).unwrap_err();
        assert!(text.contains("allow_host(\"dev.example\")"), "{text}");
        let own = [("host", "localhost"), ("origin", "https://dev.example")];
        let Refusal(text) = check(&guard, &own).unwrap_err();
        assert!(text.contains("allow_origin(\"https://dev.example\")"), "{text}");
    }

    #[test]
    fn what_is_set_is_allowed() {
        let guard =
            Guard { hosts: vec!["dev.example".into()], origins: vec!["https://other.example".into()] };
        assert_eq!(check(&guard, &[("host", "DEV.example:3000")]), Ok(From::Nowhere));
        for origin in ["https://dev.example:3000", "https://other.example"] {
            let pairs = [("host", "dev.example"), ("origin", origin)];
            assert_eq!(check(&guard, &pairs), Ok(From::AllowedOrigin), "{origin}");
        }
        assert!(check(&guard, &[("host", "dev.example"), ("origin", "http://other.example")]).is_err());
    }
}
