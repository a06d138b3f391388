//! Who may speak to the endpoints: hosts, origins, and the token of this run. Pure.
//!
//! A browser sends the requests of any page that anybody has opened. So a request has to be for a name that is
//! this server's (else a name of the attacker's that resolves to this machine would do: DNS rebinding), from a
//! page of an allowed origin, and to know the token, which is in the pages alone.

mod host;
#[cfg(test)]
mod tests;
mod token;

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Uri};

use self::host::{Authority, Origin};

pub(crate) use self::token::Token;

/// How much of what a request said is repeated to who is turned away, in characters.
const QUOTED: usize = 100;

/// What is allowed beyond the loopback.
#[derive(Debug, Default, Clone)]
pub(crate) struct Guard {
    hosts: Vec<AllowedHost>,
    origins: Vec<Origin>,
}

/// A host that somebody allowed.
#[derive(Debug, Clone)]
struct AllowedHost {
    /// At any port, if it has none.
    authority: Authority,
    /// Whether names below it are meant, too.
    with_names_below: bool,
}

impl AllowedHost {
    fn covers(&self, other: &Authority) -> bool {
        let below = || other.host.strip_suffix(&self.authority.host).is_some_and(|rest| rest.ends_with('.'));
        let port = || self.authority.port.is_none() || self.authority.port == other.port;
        self.authority.covers(other) || (self.with_names_below && port() && below())
    }
}

/// What is said to who is turned away.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) String);

/// Where the page is from that made a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// From this server, another one of this machine, or an origin that somebody allowed.
    AllowedOrigin,
    /// From a program, or from a page that need not say: browsers leave the origin out of many requests.
    Unsaid,
}

impl Guard {
    /// Allows a host: `dev.example` at any port, `dev.example:3000` at that one, `.dev.example` with all names
    /// below it. `None` when it is none.
    pub(crate) fn allow_host(&mut self, host: &str) -> Option<()> {
        let name = host.strip_prefix('.');
        let authority = Authority::parse(name.unwrap_or(host))?;
        self.hosts.push(AllowedHost { authority, with_names_below: name.is_some() });
        Some(())
    }

    /// Allows an origin: `https://dev.example:8443`. `None` when it is none.
    pub(crate) fn allow_origin(&mut self, origin: &str) -> Option<()> {
        self.origins.push(Origin::parse(origin)?);
        Some(())
    }

    /// Checks what is in every request.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<Asker, Refusal> {
        let host = self.check_host(uri, headers)?;
        self.check_origin(&host, headers)
    }

    /// Checks what a request is for. HTTP/2 has that in its address; where it is said twice, both count.
    pub(crate) fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<Authority, Refusal> {
        let named = uri.authority().map(http::uri::Authority::as_str);
        let mut hosts = named.into_iter().chain(single(headers, &HOST)?);
        let first = hosts.next().ok_or_else(|| Refusal("The request names no host.".into()))?;
        let authority = self.allowed(first)?;
        hosts.try_for_each(|further| self.allowed(further).map(drop))?;
        Ok(authority)
    }

    fn allowed(&self, host: &str) -> Result<Authority, Refusal> {
        let authority = Authority::parse(host);
        let is_listed = |host: &Authority| self.hosts.iter().any(|allowed| allowed.covers(host));
        if let Some(authority) = authority.clone().filter(|host| host.is_loopback() || is_listed(host)) {
            return Ok(authority);
        }
        let said = quoted(host);
        Err(Refusal(match authority {
            None => format!("The request is for {said}, which is no host."),
            Some(Authority { host, .. }) => format!(
                "The host {said} is not allowed here. If this server is meant to be reached by that name, allow \
                 it: `LiveReload::builder(..).allow_host({host:?})`, or `rekindle dev --allow-host {host}`."
            ),
        }))
    }

    fn check_origin(&self, host: &Authority, headers: &HeaderMap) -> Result<Asker, Refusal> {
        let Some(text) = single(headers, &ORIGIN)? else { return Ok(Asker::Unsaid) };
        match Origin::parse(text) {
            Some(origin) if self.is_allowed(&origin, host) => Ok(Asker::AllowedOrigin),
            Some(_) => Err(not_allowed(text)),
            None => Err(Refusal(format!(
                "The request is from a page of the origin {}, which cannot be allowed: a page has to be served \
                 by http or https, and not be in a sandbox.",
                quoted(text)
            ))),
        }
    }

    fn is_allowed(&self, origin: &Origin, host: &Authority) -> bool {
        let is_listed = || self.origins.iter().any(|allowed| allowed.is_same(origin));
        let is_host = || self.hosts.iter().any(|allowed| allowed.covers(&origin.authority));
        let is_own = || origin.authority.is_same(host, origin.scheme);
        origin.authority.is_loopback() || is_own() || is_listed() || is_host()
    }
}

/// The refusal of an origin, with what to set.
fn not_allowed(origin: &str) -> Refusal {
    let said = quoted(origin);
    Refusal(format!(
        "Pages of {said} are not allowed to talk to this server. If they are meant to, allow them: \
         `LiveReload::builder(..).allow_origin({said})`, or `rekindle dev --allow-origin {said}`."
    ))
}

/// What a request said, fit to be shown.
fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(QUOTED).collect::<String>())
}

/// A header that may be there once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Refusal(format!("The request has more than one header `{name}`.")));
    }
    let text = first.map(|value| value.to_str()).transpose();
    text.map_err(|_| Refusal(format!("The header `{name}` of the request is not ASCII.")))
}
