//! What is told to an open page.

use std::time::Duration;

use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::json;
use tokio::time::sleep;

use crate::server::soon;
use crate::tab::Tag;
use crate::{Server, Start};

/// A partial, a configuration and a stylesheet; not another page's template.
pub async fn a_save_is_told_to_the_pages_that_it_concerns(serve: Start) {
    let server = Server::start(serve).await;
    let mut tab = server.open("/").await;
    server.site.write("templates/part.html", "<p>another</p>");
    assert_eq!(tab.hear().await["updates"], json!([{"kind": "page"}]));
    assert!(server.get("/").await.body().contains("<p>another</p>"));
    server.site.write("templates/other.html", "of no concern");
    assert_eq!(tab.hear().await["updates"], json!([]));
    server.site.write("config/site.toml", "title = 'Two'");
    assert_eq!(tab.hear().await["updates"], json!([{"kind": "page"}]));
    assert!(server.get("/").await.body().contains("Two"));
    server.site.write("static/app.css", "a { color: blue }");
    assert_eq!(tab.hear().await["updates"][0]["kind"], "style");
    assert_eq!(server.get("/static/app.css").await.body(), "a { color: blue }");
}

/// The last good page is shown meanwhile.
pub async fn what_is_broken_is_told_until_it_is_mended(serve: Start) {
    let server = Server::start(serve).await;
    let mut tab = server.open("/").await;
    let known = tab.problems.as_array().expect("a list").len();
    server.site.write("templates/part.html", "<p>{% if %}</p>");
    let told = tab.hear().await;
    let broken = told["problems"].as_array().expect("a list");
    let place = broken.iter().find(|problem| problem["file"] == "templates/part.html").expect("it is told");
    assert_eq!(place["line"], 1);
    assert!(server.get("/").await.body().contains("<p>part</p>"), "the last good one is shown");
    server.site.write("templates/part.html", "<p>part</p>");
    assert_eq!(tab.hear().await["problems"].as_array().map(Vec::len), Some(known));
}

/// A goodbye, and a connection that breaks.
pub async fn a_client_that_leaves_is_not_counted_any_more(serve: Start) {
    let server = Server::start(serve).await;
    let tab = server.open("/").await;
    assert_eq!(server.program.live.clients(), 1);
    tab.close().await;
    nobody_is_left(&server).await;
    drop(server.open("/").await);
    nobody_is_left(&server).await;
}

/// And neither is one that only listened, as soon as there is something to tell it: some servers take its leave for the end
/// of what it has to say.
pub async fn a_listener_that_leaves_is_not_counted_any_more(serve: Start) {
    let server = Server::start(serve).await;
    let events = listen(&server).await;
    assert_eq!(server.program.live.clients(), 1);
    drop(events);
    let gone = async {
        for save in 0.. {
            if server.program.live.clients() == 0 {
                break;
            }
            server.site.write("templates/part.html", &format!("<p>{save}</p>"));
            sleep(Duration::from_millis(5)).await;
        }
    };
    soon(gone).await;
}

async fn nobody_is_left(server: &Server) {
    let gone = async {
        while server.program.live.clients() > 0 {
            sleep(Duration::from_millis(2)).await;
        }
    };
    soon(gone).await;
}

/// The events of a page that is up to date.
async fn listen(server: &Server) -> Incoming {
    let tag = Tag::of(server.get("/").await.body());
    let pages = format!("%5B%7B%22id%22:1,%22revision%22:%22{}%22%7D%5D", tag.revision);
    let path = format!("/_rekindle/events?token={}&pages={pages}", tag.token);
    server.send(server.request("GET", &path), "").await.into_body()
}

/// In the frame that closes the connection.
pub async fn a_message_without_sense_is_answered_by_the_reason_of_the_end(serve: Start) {
    let server = Server::start(serve).await;
    let mut tab = server.open("/").await;
    tab.say_text("what").await;
    let end = tab.end().await.expect("a reason");
    assert_eq!((u16::from(end.code), end.reason.as_str()), (1008, "the message makes no sense"));
}

/// 426, with what is to be done instead.
pub async fn who_asks_for_no_socket_is_told_so(serve: Start) {
    let server = Server::start(serve).await;
    let path = format!("/_rekindle/socket?token={}", Tag::of(server.get("/").await.body()).token);
    let answer = server.get(&path).await;
    assert_eq!(answer.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(answer.headers()["upgrade"], "websocket");
    let old = server
        .request("GET", &path)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-version", "8");
    let answer = server.ask(old, "").await;
    assert_eq!(answer.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(answer.headers()["sec-websocket-version"], "13");
}

/// For browsers that are kept from opening a socket.
pub async fn events_are_sent_as_they_come(serve: Start) {
    let server = Server::start(serve).await;
    let mut events = listen(&server).await;
    let mut told = String::new();
    let mut until = async |what: &str| {
        while !told.contains(what) {
            let frame = soon(events.frame()).await.expect("no end").expect("no error");
            told.push_str(str::from_utf8(&frame.into_data().expect("data")).expect("UTF-8"));
        }
    };
    until("\"updates\":[]").await;
    server.site.write("templates/part.html", "<p>another</p>");
    until("\"kind\":\"page\"").await;
}
