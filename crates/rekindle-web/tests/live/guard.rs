//! Who is turned away, by the holes that development servers have had.

use http::{Request, StatusCode};
use rekindle_test::Site;

use crate::server::Server;

const GUARDED: [&str; 8] = [
    "/_rekindle/",
    "/_rekindle/live.js",
    "/_rekindle/worker.js",
    "/_rekindle/socket",
    "/_rekindle/events",
    "/_rekindle/poll",
    "/livereload.js",
    "/_rekindle/nothing",
];

#[tokio::test]
async fn dns_rebinding_reaches_no_endpoint_token_or_not() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let token = server.token().await;
    for path in GUARDED {
        for host in ["evil.example", "evil.example:80", "localhost.evil.example"] {
            let request = Request::get(format!("{path}?token={token}&pages=%5B%5D")).header("host", host);
            let answer = server.ask(request.body(Default::default()).unwrap()).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} as {host}");
            assert!(answer.body().contains("allow_host("), "{}", answer.body());
        }
    }
}

/// Vite: a page of any site could open the socket.
#[tokio::test]
async fn cve_2025_24010_a_page_from_elsewhere_reaches_no_endpoint() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let token = server.token().await;
    for origin in ["https://evil.example", "null", "http://localhost.evil.example", "file://"] {
        for path in GUARDED {
            let request = server.get(&format!("{path}?token={token}&pages=%5B%5D")).header("origin", origin);
            let answer = server.ask(request.body(Default::default()).unwrap()).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} from {origin}");
        }
        let socket = server.socket(&format!("/_rekindle/socket?token={token}"), &[("origin", origin)]).await;
        assert_eq!(socket.err(), Some(StatusCode::FORBIDDEN), "{origin}");
    }
}

/// Vite: without an origin, the token was not asked for.
#[tokio::test]
async fn cve_2026_39363_a_client_without_an_origin_needs_the_token_as_well() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let own = server.origin();
    for query in ["", "?token=", "?token=AAAAAAAAAAAAAAAA", "?x&token"] {
        for origin in [None, Some(("origin", own.as_str()))] {
            let socket = server.socket(&format!("/_rekindle/socket{query}"), origin.as_slice()).await;
            assert_eq!(socket.err(), Some(StatusCode::FORBIDDEN), "{query:?} {origin:?}");
        }
        for name in ["events", "poll", "dashboard-events"] {
            let answer = server
                .ask(server.get(&format!("/_rekindle/{name}{query}")).body(Default::default()).unwrap());
            assert_eq!(answer.await.status(), StatusCode::FORBIDDEN, "{name}{query}");
        }
    }
}

/// esbuild: any site could read what the server serves.
#[tokio::test]
async fn ghsa_67mh_4wv8_2f99_no_other_site_may_read_an_answer() {
    let site = Site::new();
    let server = Server::start(&site).await;
    for path in GUARDED.iter().chain(&["/", "/_rekindle/renew"]) {
        for origin in [server.origin(), "http://localhost:1".to_owned(), "https://evil.example".to_owned()] {
            let answer =
                server.ask(server.get(path).header("origin", origin).body(Default::default()).unwrap()).await;
            assert!(!answer.headers().contains_key("access-control-allow-origin"), "{path}");
        }
    }
}

/// webpack-dev-server: an origin that is an address was taken for this machine's.
#[tokio::test]
async fn cve_2025_30360_an_origin_that_is_an_address_is_not_trusted_for_it() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let token = server.token().await;
    for origin in
        ["http://203.0.113.7", "http://[2001:db8::7]:3000", "http://0.0.0.0:3000", "http://10.0.0.1"]
    {
        let socket = server.socket(&format!("/_rekindle/socket?token={token}"), &[("origin", origin)]).await;
        assert_eq!(socket.err(), Some(StatusCode::FORBIDDEN), "{origin}");
    }
}

/// webpack-dev-server: a site could include a script of the server's and read what it defines.
#[tokio::test]
async fn cve_2025_30359_no_script_that_other_sites_can_include_has_the_token() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let token = server.token().await;
    for path in ["/_rekindle/live.js", "/_rekindle/worker.js", "/livereload.js", "/_rekindle/dashboard.js"] {
        let script = server.ask(server.get(path).body(Default::default()).unwrap()).await;
        assert_eq!(script.status(), StatusCode::OK, "{path}");
        assert!(!script.body().contains(&token), "{path}");
    }
}

#[tokio::test]
async fn the_token_is_renewed_for_pages_that_say_where_they_are_from() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let renew = |origin: Option<&str>| {
        let request = Request::post("/_rekindle/renew").header("host", server.address.to_string());
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        server.ask(request.body(Default::default()).unwrap())
    };
    assert_eq!(renew(None).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(renew(Some("null")).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(renew(Some("https://evil.example")).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(renew(Some(&server.origin())).await.status(), StatusCode::OK);
    let by_get = server.ask(server.get("/_rekindle/renew").body(Default::default()).unwrap()).await;
    assert_eq!(
        (by_get.status(), &by_get.headers()["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().unwrap())
    );
}

#[tokio::test]
async fn what_is_allowed_by_name_is_let_in() {
    let site = Site::new();
    let allow = |builder: rekindle_web::LiveReloadBuilder| {
        builder.allow_host("dev.example").allow_origin("https://app.example")
    };
    let server = Server::start_with(&site, allow).await;
    let token = server.token().await;
    for (host, origin) in
        [("dev.example", "https://dev.example"), ("dev.example:3000", "https://app.example")]
    {
        let headers = [("host", host), ("origin", origin)];
        assert!(
            server.socket(&format!("/_rekindle/socket?token={token}"), &headers).await.is_ok(),
            "{origin}"
        );
    }
    let builder = rekindle_web::LiveReload::builder(&server.manager).allow_host("http://dev.example");
    let error = builder.start().unwrap_err();
    assert_eq!(error.message(), "\"http://dev.example\" is no host: expected one as `dev.example`");
}

#[tokio::test]
async fn the_api_is_for_the_dashboard_of_this_server_alone() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let token = server.token().await;
    let ask = |origin: String, query: String| {
        let request = Request::post(format!("/_rekindle/api{query}"))
            .header("host", server.address.to_string())
            .header("origin", origin)
            .header("content-type", "application/json");
        server.ask(request.body(r#"{"rekindle":1,"cmd":"reload"}"#.into()).unwrap())
    };
    let with_token = format!("?token={token}");
    assert_eq!(ask(server.origin(), String::new()).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(ask("http://localhost:1".into(), with_token.clone()).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(ask(server.origin(), with_token).await.status(), StatusCode::OK);
}
