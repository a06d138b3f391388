//! Which `Host` is answered: a page of another site that has its name lead here (DNS rebinding) is not to read
//! what is shown. Holds for every request; the addresses of live reload have their own guard behind it.
//!
//! Pure.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{self, HeaderMap};
use http::uri::Authority;
use http::{Request, Response, StatusCode};
use rekindle_web::{Body, BoxError};
use tower_service::Service;

use super::answer;
use super::shown::Answering;
use crate::text::printable;

/// The names by which browsers may ask.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    names: Vec<String>,
    bound: IpAddr,
}

impl Guard {
    /// Loopback names, the address that is listened on, and these.
    pub(super) fn new(names: &[String], bound: SocketAddr) -> Self {
        let names = names.iter().map(|name| bare(name).to_owned()).collect();
        Self { names, bound: bound.ip() }
    }

    /// The refusal of a request, if it is refused.
    pub(super) fn refusal(&self, headers: &HeaderMap) -> Option<Response<Body>> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next().filter(|_| hosts.next().is_none()).and_then(|host| host.to_str().ok());
        let authority: Option<Authority> = host.and_then(|host| host.parse().ok());
        match authority {
            Some(authority) if self.allows(bare(authority.host())) => None,
            Some(authority) => Some(answer::text(StatusCode::FORBIDDEN, &told(bare(authority.host())))),
            None => Some(answer::text(StatusCode::BAD_REQUEST, "A request names one Host.\n")),
        }
    }

    fn allows(&self, host: &str) -> bool {
        let address: Option<IpAddr> = host.parse().ok();
        let is_loopback = address.is_some_and(|ip| ip.is_loopback());
        let is_local_name =
            host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost");
        is_loopback || is_local_name || address == Some(self.bound) || self.is_given(host)
    }

    fn is_given(&self, host: &str) -> bool {
        let same_address = |name: &str| name.parse::<IpAddr>().is_ok_and(|ip| Ok(ip) == host.parse());
        self.names.iter().any(|name| name.eq_ignore_ascii_case(host) || same_address(name))
    }
}

/// A service that only answers who asks by a name that is allowed.
#[derive(Debug, Clone)]
pub(super) struct Guarded<S> {
    guard: Arc<Guard>,
    service: S,
}

impl<S> Guarded<S> {
    /// With this guard in front.
    pub(super) fn new(guard: Guard, service: S) -> Self {
        Self { guard: Arc::new(guard), service }
    }
}

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answering<BoxError>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if let Some(refusal) = self.guard.refusal(request.headers()) {
            return Box::pin(async { Ok(refusal) });
        }
        let answer = self.service.call(request);
        Box::pin(async { answer.await.map_err(Into::into) })
    }
}

/// Without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.trim_matches(['[', ']'])
}

fn told(host: &str) -> String {
    let host = printable(host);
    format!(
        "`rekindle dev` is not asked by the name {host}. If it is a name of this machine, start it with\n\n  \
         rekindle dev --allow-host {host}\n\nOtherwise another site may be trying to read your pages.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(names: &[&str], hosts: &[&str]) -> Option<u16> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let guard = Guard::new(&names, "192.168.1.5:7878".parse().unwrap());
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        guard.refusal(&headers).map(|response| response.status().as_u16())
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for good in [
            "localhost",
            "LOCALHOST:1",
            "a.localhost:7878",
            "127.0.0.1:7878",
            "127.1.2.3",
            "[::1]:7878",
            "192.168.1.5:80",
            "Laptop.local:7878",
            "[fe80::1]",
        ] {
            assert_eq!(status(&["laptop.local", "fe80:0::1"], &[good]), None, "{good}");
        }
        for bad in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.168.1.6",
            "0.0.0.0:7878",
            "laptop.local.evil",
        ] {
            assert_eq!(status(&["laptop.local"], &[bad]), Some(403), "{bad}");
        }
    }

    #[test]
    fn a_request_without_a_host_or_with_two_is_none() {
        for bad in [&[][..], &["localhost", "evil.example"], &["a b"], &[""]] {
            assert_eq!(status(&[], bad), Some(400), "{bad:?}");
        }
    }
}
