//! What is passed on of a message's head, and what ends at this hop (RFC 9110, section 7.6.1).
//!
//! Pure.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::Authority;
use http::{StatusCode, Uri};

use super::Upstream;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What concerns this connection alone, beside what `Connection` names.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Makes a browser's request one of this program's. Whether it asks for another protocol comes back.
pub(super) fn request(headers: &mut HeaderMap, upstream: &Upstream, peer: IpAddr) -> bool {
    let upgrade = upgrade(headers);
    end_hop(headers);
    // What is behind this hop is asked for the body when it is there to be read: no one waits for a 100.
    headers.remove(header::EXPECT);
    forwarded(headers, peer);
    if !upstream.keeps_host() {
        name_upstream(headers, upstream);
    }
    pass_upgrade(headers, upgrade)
}

/// Makes the other server's answer one of this program's.
pub(super) fn response(
    headers: &mut HeaderMap,
    status: StatusCode,
    upstream: &Upstream,
    host: Option<&HeaderValue>,
) {
    let upgrade = upgrade(headers).filter(|_| status == StatusCode::SWITCHING_PROTOCOLS);
    end_hop(headers);
    pass_upgrade(headers, upgrade);
    let ours = headers.get(header::LOCATION).zip(host).and_then(|(to, host)| here(to, host, upstream));
    if let Some(ours) = ours {
        headers.insert(header::LOCATION, ours);
    }
}

/// The protocol that is asked for, if the whole of the request is for that.
fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let asks = tokens(headers).any(|token| token.eq_ignore_ascii_case("upgrade"));
    headers.get(header::UPGRADE).filter(|_| asks).cloned()
}

fn pass_upgrade(headers: &mut HeaderMap, upgrade: Option<HeaderValue>) -> bool {
    let Some(protocol) = upgrade else { return false };
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
    true
}

fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::CONNECTION).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

fn end_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = tokens(headers).filter_map(|token| token.parse().ok()).collect();
    for name in named.into_iter().chain(HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// What an outer proxy has said already stays.
fn forwarded(headers: &mut HeaderMap, peer: IpAddr) {
    let before = headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok());
    let mut way: Vec<String> = before.map(String::from).collect();
    way.push(peer.to_canonical().to_string());
    if let Ok(way) = HeaderValue::from_str(&way.join(", ")) {
        headers.insert(FORWARDED_FOR, way);
    }
    let host = headers.get(header::HOST).cloned();
    if let Some(host) = host.filter(|_| !headers.contains_key(FORWARDED_HOST)) {
        headers.insert(FORWARDED_HOST, host);
    }
    headers.entry(FORWARDED_PROTO).or_insert(HeaderValue::from_static("http"));
}

/// As if the browser had asked the other server under its own name. A foreign `Origin` stays foreign.
fn name_upstream(headers: &mut HeaderMap, upstream: &Upstream) {
    let theirs = upstream.authority().as_str();
    let Ok(name) = HeaderValue::from_str(theirs) else { return };
    let Some(ours) = headers.insert(header::HOST, name) else { return };
    let Ok(ours) = ours.to_str() else { return };
    let ours = format!("http://{ours}");
    for name in [header::ORIGIN, header::REFERER] {
        let rest = headers.get(&name).and_then(|value| value.to_str().ok()?.strip_prefix(&ours));
        let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let value = rest.and_then(|rest| HeaderValue::from_str(&format!("http://{theirs}{rest}")).ok());
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
}

/// A redirect to the other server, as one to this: else the browser would leave what reloads it.
fn here(location: &HeaderValue, host: &HeaderValue, upstream: &Upstream) -> Option<HeaderValue> {
    let uri: Uri = location.to_str().ok()?.parse().ok()?;
    let there = uri.authority().filter(|_| uri.scheme_str() == Some("http"))?;
    if !is_same(there, upstream.authority()) {
        return None;
    }
    let fragment = location.to_str().ok()?.split_once('#').map(|(_, rest)| format!("#{rest}"));
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    HeaderValue::from_str(&format!("http://{}{path}{}", host.to_str().ok()?, fragment.unwrap_or_default()))
        .ok()
}

/// Whether two names are of the same server: `localhost` is 127.0.0.1 by another name.
fn is_same(one: &Authority, other: &Authority) -> bool {
    let port = |authority: &Authority| authority.port_u16().unwrap_or(80);
    let alike = one.host().eq_ignore_ascii_case(other.host()) || (is_loopback(one) && is_loopback(other));
    alike && port(one) == port(other)
}

/// Whether this is a name of this very machine.
pub(super) fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| -> (HeaderName, HeaderValue) {
            (name.parse().unwrap(), value.parse().unwrap())
        };
        let mut headers = HeaderMap::new();
        for (name, value) in lines.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    fn shown(headers: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    fn upstream(text: &str) -> Upstream {
        text.parse().unwrap()
    }

    #[test]
    fn what_concerns_one_connection_ends_there() {
        let mut headers = map(&[
            ("host", "localhost:7878"),
            ("connection", "keep-alive, X-Secret"),
            ("connection", "close"),
            ("x-secret", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic x"),
            ("expect", "100-continue"),
            ("cookie", "a=1"),
        ]);
        assert!(!request(&mut headers, &upstream("http://127.0.0.1:3000"), PEER));
        let expected = [
            "cookie: a=1",
            "host: localhost:7878",
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-host: localhost:7878",
            "x-forwarded-proto: http",
        ];
        assert_eq!(shown(&headers), expected);
    }

    #[test]
    fn an_upgrade_is_asked_for_and_granted_hop_by_hop() {
        let mut headers = map(&[
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-key", "k"),
        ]);
        assert!(request(&mut headers, &upstream("http://127.0.0.1:3000"), PEER));
        assert_eq!(
            (&headers["connection"], &headers["upgrade"]),
            (&"upgrade".parse().unwrap(), &"websocket".parse().unwrap())
        );
        let mut refused = headers.clone();
        response(&mut headers, StatusCode::SWITCHING_PROTOCOLS, &upstream("http://a"), None);
        assert_eq!(headers["upgrade"], "websocket");
        response(&mut refused, StatusCode::UPGRADE_REQUIRED, &upstream("http://a"), None);
        assert!(!refused.contains_key("upgrade") && !refused.contains_key("connection"));
    }

    #[test]
    fn a_server_with_a_name_is_asked_by_it_and_foreign_origins_stay_foreign() {
        let named = |origin: &str| {
            let mut headers = map(&[
                ("host", "127.0.0.1:7878"),
                ("origin", origin),
                ("referer", "http://127.0.0.1:7878/a"),
            ]);
            request(&mut headers, &upstream("http://web:3000"), PEER);
            assert_eq!(
                (&headers["host"], &headers["referer"]),
                (&"web:3000".parse().unwrap(), &"http://web:3000/a".parse().unwrap())
            );
            headers["origin"].to_str().unwrap().to_owned()
        };
        assert_eq!(named("http://127.0.0.1:7878"), "http://web:3000");
        for foreign in
            ["http://evil.example", "http://127.0.0.1:78789", "http://127.0.0.1:7878.evil.example", "null"]
        {
            assert_eq!(named(foreign), foreign);
        }
    }

    #[test]
    fn an_outer_proxy_is_believed() {
        let mut headers = map(&[
            ("x-forwarded-for", "9.9.9.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "a.example"),
            ("host", "b"),
        ]);
        request(&mut headers, &upstream("http://localhost"), "::ffff:10.0.0.1".parse().unwrap());
        let expected = [
            "host: b",
            "x-forwarded-for: 9.9.9.9, 10.0.0.1",
            "x-forwarded-host: a.example",
            "x-forwarded-proto: https",
        ];
        assert_eq!(shown(&headers), expected);
    }

    #[test]
    fn a_redirect_to_the_other_server_stays_here() {
        let to = |location: &str| {
            let mut headers = map(&[("location", location)]);
            let host = HeaderValue::from_static("127.0.0.1:7878");
            response(&mut headers, StatusCode::FOUND, &upstream("http://127.0.0.1:3000"), Some(&host));
            headers["location"].to_str().unwrap().to_owned()
        };
        assert_eq!(to("http://127.0.0.1:3000/a?b#c"), "http://127.0.0.1:7878/a?b#c");
        assert_eq!(to("http://localhost:3000"), "http://127.0.0.1:7878/");
        for elsewhere in
            ["/a", "a", "https://127.0.0.1:3000/", "http://127.0.0.1:3001/", "http://example.com/", "//x/"]
        {
            assert_eq!(to(elsewhere), elsewhere);
        }
    }
}
