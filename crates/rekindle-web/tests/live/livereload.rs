//! LiveReload's dialect, as `livereload.js` and browser extensions speak it.

use rekindle_test::Site;
use rekindle_web::Problem;
use serde_json::json;

use crate::server::{Client, LIVERELOAD, Server};

/// What livereload-js 4 says when it has connected.
fn hello() -> serde_json::Value {
    let protocols = ["http://livereload.com/protocols/official-6", LIVERELOAD];
    json!({"command": "hello", "protocols": protocols, "ver": "4.0.2", "snipver": "1"})
}

#[tokio::test]
async fn a_client_of_livereload_is_told_what_to_load_anew() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let origin = server.origin();
    let mut client = server.socket("/livereload", &[("origin", &origin)]).await.unwrap();
    server.live.set_problems("test", vec![Problem::new("a", "A", "wrong")]);
    client.send(hello()).await;
    assert_eq!(
        client.next().await,
        json!({"command": "hello", "protocols": [LIVERELOAD], "serverName": "rekindle"})
    );
    client.send(json!({"command": "info", "plugins": {"less": {"disable": false}}, "url": origin})).await;
    client.send(json!({"command": "url", "url": origin})).await;
    client.send(json!({"command": "something-new"})).await;
    server.style("app", 1);
    let told = client.next().await;
    assert_eq!((&told["command"], &told["path"]), (&json!("reload"), &json!("/app.css")));
    assert_eq!(told["liveCSS"], true);
    server.page_changes();
    let told = client.next().await;
    assert_eq!((&told["command"], &told["path"]), (&json!("reload"), &json!("/")));
}

#[tokio::test]
async fn only_a_page_of_an_allowed_origin_or_the_token_opens_it() {
    let site = Site::new();
    let server = Server::start(&site).await;
    assert!(server.socket("/livereload", &[]).await.is_err());
    assert!(server.socket("/livereload", &[("origin", "https://evil.example")]).await.is_err());
    assert!(server.socket("/livereload", &[("origin", "http://localhost:8000")]).await.is_ok());
    assert!(server.socket(&format!("/livereload?token={}", server.token().await), &[]).await.is_ok());
}

#[tokio::test]
async fn the_further_port_has_livereload_and_nothing_else() {
    let site = Site::new();
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let server = Server::start_with(&site, |builder| builder.livereload_port(port)).await;
    let further = Server { address: ([127, 0, 0, 1], port).into(), ..server };
    let script = further.ask(further.get("/livereload.js").body(Default::default()).unwrap()).await;
    assert!(script.status() == 200 && script.body().contains("WebSocket"));
    assert_eq!(script.headers()["cross-origin-resource-policy"], "cross-origin");
    for path in ["/", "/_rekindle/", "/_rekindle/live.js", "/_rekindle/socket"] {
        assert_eq!(
            further.ask(further.get(path).body(Default::default()).unwrap()).await.status(),
            404,
            "{path}"
        );
    }
    let origin = ("origin", "http://localhost:8000");
    let mut client = Client::connect(further.address, "/livereload", &[origin]).await.unwrap();
    client.send(hello()).await;
    client.next().await;
    further.live.reload();
    assert_eq!(client.next().await["path"], "/");
}
