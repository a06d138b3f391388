//! The own dialect on a WebSocket.

use std::sync::Arc;

use rekindle_test::Site;
use serde_json::json;
use tokio::task::JoinSet;

use crate::server::{Client, OWN, Server, soon};

fn style(name: &str) -> serde_json::Value {
    let address = format!("/{name}.css");
    json!({"kind": "style", "old": address, "new": address})
}

#[tokio::test]
async fn a_page_that_was_away_gets_exactly_what_it_missed() {
    let site = Site::new();
    let server = Server::start(&site).await;
    server.style("app", 1);
    let mut client = server.client().await;
    let (revision, _) = server.page().await;
    assert_eq!(client.show(1, &revision).await["updates"], json!([]));
    drop(client);
    server.style("app", 2);
    server.style("other", 1);
    server.style("app", 3);
    let mut client = server.client().await;
    let told = client.show(7, &revision).await;
    assert_eq!((&told["page"], &told["updates"]), (&json!(7), &json!([style("app"), style("other")])));
    let (now, _) = server.page().await;
    assert_eq!(told["revision"], now);
    assert_eq!(client.show(7, &now).await["updates"], json!([]));
}

#[tokio::test]
async fn a_program_started_anew_with_the_same_content_tells_pages_nothing() {
    let site = Site::new().with("config/app.toml", "port = 80\n");
    let before = Server::start(&site).await;
    let (revision, _) = before.page().await;
    before.manager.clone().shutdown().await.unwrap();
    drop(before);
    let after = Server::start(&site).await;
    let told = after.client().await.show(1, &revision).await;
    assert_eq!((&told["revision"], &told["updates"]), (&json!(revision), &json!([])));
}

#[tokio::test]
async fn a_program_started_anew_with_other_content_has_pages_loaded_anew() {
    let site = Site::new().with("config/app.toml", "port = 80\n");
    let before = Server::start(&site).await;
    let (revision, _) = before.page().await;
    before.manager.clone().shutdown().await.unwrap();
    drop(before);
    site.write("config/app.toml", "port = 81\n");
    let after = Server::start(&site).await;
    let told = after.client().await.show(1, &revision).await;
    assert_eq!(told["updates"], json!([{"kind": "reload"}]));
    assert_eq!(told["revision"], after.page().await.0);
}

#[tokio::test]
async fn a_configuration_that_changes_has_pages_rendered_anew() {
    let site = Site::new().with("config/app.toml", "port = 80\n");
    let server = Server::start(&site).await;
    let mut client = server.client().await;
    client.show(1, &server.page().await.0).await;
    site.replace("config/app.toml", "port = 81\n");
    assert_eq!(client.next().await["updates"], json!([{"kind": "page"}]));
}

#[tokio::test]
async fn a_broken_configuration_is_a_problem_until_it_is_mended() {
    let site = Site::new().with("config/app.toml", "port = 80\n");
    let server = Server::start(&site).await;
    let mut client = server.client().await;
    client.show(1, &server.page().await.0).await;
    site.replace("config/app.toml", "# where it listens\nport = =\n");
    let told = client.next().await;
    let problem = &told["problems"][0];
    assert_eq!((&problem["id"], &problem["file"]), (&json!("config:app"), &json!("config/app.toml")));
    assert_eq!((&problem["line"], &problem["column"]), (&json!(2), &json!(8)));
    assert_eq!(problem["frame"][1]["text"], "port = =");
    // Who comes now is told as well.
    let mut other =
        server.socket(&format!("/_rekindle/socket?token={}", server.token().await), &[]).await.unwrap();
    other.send(json!({"command": "hello", "protocols": [OWN]})).await;
    other.next().await;
    assert_eq!(other.next().await, told);
    site.replace("config/app.toml", "port = 80\n");
    assert_eq!(client.next().await["problems"], json!([]));
}

#[tokio::test]
async fn a_reader_that_was_slow_is_caught_up_with_by_one_message() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let mut client = server.client().await;
    client.show(1, &server.page().await.0).await;
    // Larger than what the buffers of both systems hold, if it were queued.
    let wide = "x".repeat(100_000);
    for content in 0..200 {
        server.style(&wide, content);
        tokio::task::yield_now().await;
    }
    let last = server.page().await.0;
    let mut count = 0;
    while client.next().await["revision"] != last {
        count += 1;
    }
    assert!(count < 150, "{count} messages");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_clients_are_told() {
    let_more_files_be_open();
    let site = Site::new();
    let server = Arc::new(Server::start(&site).await);
    let ((revision, _), token) = (server.page().await, server.token().await);
    let (ready, mut readied) = tokio::sync::mpsc::channel(1000);
    let mut clients = JoinSet::new();
    for _ in 0..1000 {
        let (server, ready) = (Arc::clone(&server), ready.clone());
        let (revision, token) = (revision.clone(), token.clone());
        clients.spawn(async move {
            let mut client = server.client_with(&token).await;
            client.show(1, &revision).await;
            ready.send(()).await.expect("somebody waits for it");
            client.next().await["updates"].clone()
        });
    }
    for _ in 0..1000 {
        soon(readied.recv()).await.expect("a client");
    }
    assert_eq!(server.live.clients(), 1000);
    server.style("app", 1);
    while let Some(told) = soon(clients.join_next()).await {
        assert_eq!(told.expect("a client"), json!([style("app")]));
    }
    nobody_is_left(&server).await;
}

/// Both ends of a thousand sockets are more than most systems allow at first.
fn let_more_files_be_open() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("the limit can be raised");
    }
}

/// Those who have gone are noticed to have.
async fn nobody_is_left(server: &Server) {
    soon(async {
        while server.live.clients() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn pages_are_loaded_anew_when_the_program_asks_for_it() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let mut client = server.client().await;
    client.show(1, &server.page().await.0).await;
    server.live.reload();
    assert_eq!(client.next().await["updates"], json!([{"kind": "reload"}]));
    server.page_changes();
    assert_eq!(client.next().await["updates"], json!([{"kind": "page"}]));
}

#[tokio::test]
async fn a_client_that_breaks_the_rules_is_told_which() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let cases: [(String, u16); 4] = [
        ("{".to_owned(), 1008),
        (json!({"command": "page", "id": 1}).to_string(), 1008),
        (json!({"command": "hello", "protocols": ["urn:other"]}).to_string(), 1008),
        (" ".repeat(64 * 1024 + 1), 1009),
    ];
    for (text, code) in cases {
        let path = format!("/_rekindle/socket?token={}", server.token().await);
        let mut client: Client = server.socket(&path, &[]).await.unwrap();
        client.send_text(text).await;
        assert_eq!(client.closed().await.map(|frame| u16::from(frame.code)), Some(code));
    }
}

#[tokio::test]
async fn the_end_of_live_reload_is_the_end_of_its_connections() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let mut client = server.client().await;
    server.manager.clone().shutdown().await.unwrap();
    assert_eq!(client.closed().await.map(|frame| u16::from(frame.code)), Some(1001));
    nobody_is_left(&server).await;
}
