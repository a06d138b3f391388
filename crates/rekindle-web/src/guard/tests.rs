use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), value.parse().unwrap());
    }
    headers
}

fn check(guard: &Guard, pairs: &[(&'static str, &str)]) -> Result<Asker, Refusal> {
    guard.check(&Uri::from_static("/_rekindle/socket"), &headers(pairs))
}

fn allowing(hosts: &[&str], origins: &[&str]) -> Guard {
    let mut guard = Guard::default();
    hosts.iter().for_each(|host| guard.allow_host(host).unwrap());
    origins.iter().for_each(|origin| guard.allow_origin(origin).unwrap());
    guard
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
        assert_eq!(check(&Guard::default(), &[("host", host)]), Ok(Asker::Unsaid), "{host}");
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
        "127.1",
        "192.168.0.1",
        "0.0.0.0",
        "",
    ] {
        assert!(check(&Guard::default(), &[("host", host)]).is_err(), "{host}");
    }
    assert!(check(&Guard::default(), &[]).is_err());
    assert!(check(&Guard::default(), &[("host", "localhost"), ("host", "localhost")]).is_err());
}

#[test]
fn what_the_address_says_and_what_the_header_says_both_have_to_be_allowed() {
    let check = |uri, pairs| Guard::default().check(&Uri::from_static(uri), &headers(pairs));
    assert_eq!(check("http://localhost/x", &[]), Ok(Asker::Unsaid));
    assert!(check("http://evil.example/x", &[("host", "localhost")]).is_err());
    assert!(check("http://localhost/x", &[("host", "evil.example")]).is_err());
    assert!(check("http://localhost@evil.example/x", &[("host", "localhost")]).is_err());
}

#[test]
fn cve_2025_24010_a_page_from_elsewhere_opens_no_socket() {
    for origin in [
        "https://evil.example",
        "http://localhost.evil.example",
        "null",
        "file://",
        "http://evil@x",
        "http://localhost@evil.example",
        "ftp://localhost",
        "",
    ] {
        let refused = check(&Guard::default(), &[("host", "localhost"), ("origin", origin)]);
        assert!(refused.is_err(), "{origin}");
    }
    let own = [("host", "localhost:3000"), ("origin", "http://localhost:3000")];
    assert_eq!(check(&Guard::default(), &own), Ok(Asker::AllowedOrigin));
    assert!(check(&Guard::default(), &[own[0], own[1], own[1]]).is_err());
}

#[test]
fn servers_of_this_machine_are_allowed_by_every_name_and_port() {
    let of = |origin| check(&Guard::default(), &[("host", "localhost:3000"), ("origin", origin)]);
    for origin in
        ["http://localhost:3001", "http://127.0.0.1:3000", "https://LOCALHOST.:3000", "http://[::1]"]
    {
        assert_eq!(of(origin), Ok(Asker::AllowedOrigin), "{origin}");
    }
}

#[test]
fn a_refusal_says_what_to_set() {
    let guard = Guard::default();
    let Refusal(text) = check(&guard, &[("host", "dev.example:3000")]).unwrap_err();
    assert!(text.contains("allow_host(\"dev.example\")"), "{text}");
    let own = [("host", "localhost"), ("origin", "https://dev.example")];
    let Refusal(text) = check(&guard, &own).unwrap_err();
    assert!(text.contains("allow_origin(\"https://dev.example\")"), "{text}");
    let Refusal(text) = check(&guard, &[("host", &"x".repeat(10_000))]).unwrap_err();
    assert!(text.len() < 200, "{text}");
}

#[test]
fn what_is_set_is_allowed() {
    let guard = allowing(&["dev.example", "tight.example:81", ".below.example"], &["https://other.example"]);
    for host in
        ["DEV.example:3000", "dev.example", "tight.example:81", "a.b.below.example:1", "below.example"]
    {
        assert_eq!(check(&guard, &[("host", host)]), Ok(Asker::Unsaid), "{host}");
    }
    for host in ["a.dev.example", "tight.example", "tight.example:82", "xbelow.example"] {
        assert!(check(&guard, &[("host", host)]).is_err(), "{host}");
    }
    for origin in ["https://dev.example:3000", "https://other.example", "https://other.example:443"] {
        let pairs = [("host", "dev.example"), ("origin", origin)];
        assert_eq!(check(&guard, &pairs), Ok(Asker::AllowedOrigin), "{origin}");
    }
    assert!(check(&guard, &[("host", "dev.example"), ("origin", "http://other.example")]).is_err());
}

#[test]
fn behind_a_proxy_with_tls_the_origin_is_that_of_the_host() {
    let guard = allowing(&["dev.example"], &[]);
    let pairs = [("host", "dev.example"), ("origin", "https://dev.example")];
    assert_eq!(check(&guard, &pairs), Ok(Asker::AllowedOrigin));
}

#[test]
fn what_is_no_host_cannot_be_allowed() {
    for host in ["", "http://dev.example", "dev.example/", "*"] {
        assert_eq!(Guard::default().allow_host(host), None, "{host}");
    }
    assert_eq!(Guard::default().allow_origin("dev.example"), None);
}
