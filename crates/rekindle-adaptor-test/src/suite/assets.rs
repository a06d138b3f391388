//! Static files.

use http::StatusCode;

use crate::{Server, Start};

/// Two addresses, two rules.
pub async fn an_asset_is_kept_by_its_fingerprint_and_asked_for_again_by_its_name(serve: Start) {
    let server = Server::start(serve).await;
    let url = server.program.assets.url("app.css");
    for (path, keep) in
        [(url.as_str(), "public, max-age=31536000, immutable"), ("/static/app.css", "no-cache")]
    {
        let answer = server.get(path).await;
        assert_eq!(answer.body(), "a { color: red }", "{path}");
        assert_eq!(answer.headers()["content-type"], "text/css; charset=utf-8");
        assert_eq!(answer.headers()["cache-control"], keep);
        assert_eq!(answer.headers()["content-length"], "16");
        assert!(answer.headers().contains_key("etag"));
    }
    let head = server.ask(server.request("HEAD", "/static/app.css"), "").await;
    assert_eq!((head.body().len(), &head.headers()["content-length"]), (0, &"16".parse().unwrap()));
}

/// 304, without what is said of a content that is sent.
pub async fn what_is_known_is_not_sent_again(serve: Start) {
    let server = Server::start(serve).await;
    let etag = server.get("/static/app.css").await.headers()["etag"].clone();
    let again = server.ask(server.request("GET", "/static/app.css").header("if-none-match", &etag), "").await;
    assert_eq!((again.status(), again.body().len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(again.headers()["etag"], etag);
}

/// 206.
pub async fn a_part_of_an_asset_is_sent(serve: Start) {
    let server = Server::start(serve).await;
    let part = server.request("GET", "/static/app.css").header("range", "bytes=4-8");
    let part = server.ask(part, "").await;
    assert_eq!((part.status(), &part.body()[..]), (StatusCode::PARTIAL_CONTENT, &b"color"[..]));
    assert_eq!(part.headers()["content-range"], "bytes 4-8/16");
}

/// Nothing else in the directory of the site, by no name, and no other method.
pub async fn only_assets_are_answered(serve: Start) {
    let server = Server::start(serve).await;
    for path in [
        "/static/",
        "/static/none.css",
        "/static/../config/site.toml",
        "/static/%2e%2e/config/site.toml",
        "/static/app.css%00",
    ] {
        let answer = server.get(path).await;
        assert!(answer.status().is_client_error(), "{path}: {answer:?}");
        assert!(!answer.body().contains("title"), "{path}: {answer:?}");
    }
    let posted = server.ask(server.request("POST", "/static/app.css"), "").await;
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
}
