//! The addresses of live reload itself.

use http::StatusCode;
use serde_json::Value;

use crate::tab::Tag;
use crate::{Server, Start, Tab};

/// And those for the clients of pages are for them alone.
pub async fn the_dashboard_and_the_scripts_are_there(serve: Start) {
    let server = Server::start(serve).await;
    for path in [
        "/_rekindle/",
        "/_rekindle/live.js",
        "/_rekindle/worker.js",
        "/livereload.js",
        "/_rekindle/dashboard.css",
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert!(!answer.body().is_empty(), "{path}");
    }
    for path in ["/_rekindle/events", "/_rekindle/poll?token=AAAAAAAAAAAAAAAA"] {
        assert_eq!(server.get(path).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(Tab::connect(&server, "AAAAAAAAAAAAAAAA").await.err(), Some(StatusCode::FORBIDDEN));
    assert_eq!(server.get("/_rekindle/nothing").await.status(), StatusCode::NOT_FOUND);
}

/// As far as it is not too large.
pub async fn what_is_posted_to_an_endpoint_is_read(serve: Start) {
    let server = Server::start(serve).await;
    let origin = format!("http://{}", server.address);
    let post = || server.request("POST", "/_rekindle/renew").header("origin", &origin);
    let answer = server.ask(post(), "{}").await;
    let answer: Value = serde_json::from_slice(answer.body()).expect("JSON");
    assert_eq!(answer["token"], Tag::of(server.get("/").await.body()).token);
    let answer = server.ask(post(), vec![b' '; 1024 * 1024 + 1]).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

/// With what is to be set, if it is meant.
pub async fn another_host_is_refused(serve: Start) {
    let server = Server::start(serve).await;
    for path in ["/_rekindle/", "/_rekindle/live.js", "/livereload.js"] {
        let request = http::Request::get(path).header("host", "evil.example");
        let answer = server.ask(request, "").await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
        assert!(String::from_utf8_lossy(answer.body()).contains("allow_host("), "{answer:?}");
    }
}

/// The page itself is the program's.
pub async fn a_page_under_another_name_does_not_learn_the_token(serve: Start) {
    let server = Server::start(serve).await;
    let answer = server.ask(http::Request::get("/").header("host", "evil.example"), "").await;
    let page = String::from_utf8_lossy(answer.body());
    assert!(page.contains("One") && page.contains("live.js?refused\""), "{page}");
}
