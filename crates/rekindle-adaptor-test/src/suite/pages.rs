//! Pages with the tag in them, and all else without.

use std::io::Read;

use flate2::read::GzDecoder;
use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::soon;
use crate::tab::Tag;
use crate::{SLOW, Server, Start, gzip};

/// Once, and with the length that it then has.
pub async fn a_page_has_the_tag_with_its_revision_and_its_templates(serve: Start) {
    let server = Server::start(serve).await;
    let page = server.get("/").await;
    assert!(page.body().contains("One<p>part</p>"), "{page:?}");
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let tag = Tag::of(page.body());
    assert_eq!((tag.revision.len(), tag.rest.len()), (16, 1), "{tag:?}");
    let again = server.ask(server.request("GET", "/").header("connection", "close"), "").await;
    assert_eq!(again.body().len(), page.body().len());
}

/// Both ways.
pub async fn what_is_posted_comes_through_untouched(serve: Start) {
    let server = Server::start(serve).await;
    let form = "name=%C3%BC&about=<head></head>".repeat(5_000);
    let request = server.request("POST", "/echo").header("content-type", "application/x-www-form-urlencoded");
    let answer = server.ask(request, form.clone()).await;
    assert_eq!(answer.headers()["content-type"], "text/plain");
    assert!(answer.body() == form.as_bytes(), "{} bytes of {}", answer.body().len(), form.len());
}

/// Its headers are those of the page without it.
pub async fn head_has_no_body_and_no_tag(serve: Start) {
    let server = Server::start(serve).await;
    let answer = server.ask(server.request("HEAD", "/"), "").await;
    assert_eq!((answer.status(), answer.body().len()), (StatusCode::OK, 0));
}

/// Still compressed.
pub async fn a_compressed_page_has_the_tag_in_it(serve: Start) {
    let server = Server::start(serve).await;
    let answer = server.ask(server.request("GET", "/gzip/page"), "").await;
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    let mut page = String::new();
    GzDecoder::new(&answer.body()[..]).read_to_string(&mut page).expect("it is compressed");
    Tag::of(&page);
    assert!(page.contains("<body>compressed</body>"), "{page}");
}

/// Byte for byte.
pub async fn compressed_data_is_left_as_it_is(serve: Start) {
    let server = Server::start(serve).await;
    let answer = server.ask(server.request("GET", "/gzip/data"), "").await;
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(answer.body(), &gzip());
}

/// Its first half has come before there is a second one.
pub async fn a_page_is_sent_while_it_is_made(serve: Start) {
    let server = Server::start(serve).await;
    let mut body = server.send(server.request("GET", "/slow"), "").await.into_body();
    let mut page = Vec::new();
    while !page.ends_with(b"<body>one") {
        let frame = soon(body.frame()).await.expect("no end yet").expect("no error");
        page.extend(frame.into_data().expect("data"));
    }
    server.program.gate.add_permits(1);
    page.extend(soon(body.collect()).await.expect("the rest").to_bytes());
    let page = String::from_utf8(page).expect("UTF-8");
    Tag::of(&page);
    assert!(page.ends_with(SLOW[1]), "{page}");
}

/// The connection ends without the last, empty chunk; with some servers before anything was sent.
pub async fn a_page_that_breaks_off_is_not_taken_for_a_whole_one(serve: Start) {
    let server = Server::start(serve).await;
    let mut stream = TcpStream::connect(server.address).await.expect("the server is there");
    let request = format!("GET /torn HTTP/1.1\r\nhost: {}\r\n\r\n", server.address);
    stream.write_all(request.as_bytes()).await.expect("it listens");
    let mut answer = Vec::new();
    let _reset_or_closed = soon(stream.read_to_end(&mut answer)).await;
    assert!(!answer.ends_with(b"\r\n0\r\n\r\n"), "{}", String::from_utf8_lossy(&answer));
}

/// As the program says it.
pub async fn what_nothing_is_at_is_not_found(serve: Start) {
    let server = Server::start(serve).await;
    let answer = server.get("/nothing").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(!answer.body().contains("_rekindle"), "{answer:?}");
}

/// The page in its place has the client in it, which is told when it is mended.
pub async fn a_page_that_cannot_be_rendered_heals(serve: Start) {
    let server = Server::start(serve).await;
    let page = server.get("/broken").await;
    assert_eq!(page.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.body().contains("templates/broken.html:1"), "{page:?}");
    let mut tab = server.open("/broken").await;
    assert_eq!(tab.problems[0]["file"], "templates/broken.html");
    server.site.write("templates/broken.html", "<!doctype html><head></head><body>mended</body>");
    let told = [tab.hear().await, tab.hear().await];
    assert!(told.iter().any(|told| told["problems"] == json!([])), "{told:?}");
    assert!(told.iter().any(|told| told["updates"] == json!([{"kind": "page"}])), "{told:?}");
    let page = server.get("/broken").await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.body().contains("mended"), "{page:?}");
}
