//! A filter is served by the server that changes, as any other service.

use std::net::SocketAddr;

use rekindle::HotReload;
use rekindle_test::Site;
use rekindle_web::LiveReload;
use rekindle_web::serve::{Bound, ServeConfig, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use warp::Filter;

async fn ask(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it is written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

#[tokio::test]
async fn a_filter_with_live_reload_is_served() {
    let site = Site::new()
        .with("config/app.toml", "listen.web = '127.0.0.1:0'\nhealth = '/hello'\ntimeouts.lame_duck = '1ms'");
    let manager = HotReload::builder(site.root()).start().await.expect("the engine starts");
    let live = LiveReload::builder(&manager).in_release(true).start().expect("live reload starts");
    let routes = move |_: &ServeConfig| {
        let hello =
            warp::path!("hello").map(|| warp::reply::html("<html><head></head><body>hello</body></html>"));
        Ok(rekindle_warp::live_reload(hello, &live))
    };
    let server = Server::new(routes).start(&manager, "app", "").await.expect("the server starts");
    let Some(Bound::Tcp(address)) = server.load().address("web") else { panic!("no TCP") };
    let page = ask(address, "/hello").await;
    assert!(
        page.starts_with("HTTP/1.1 200") && page.contains("/_rekindle/") && page.contains("hello"),
        "{page}"
    );
    assert!(ask(address, "/nowhere").await.starts_with("HTTP/1.1 404"));
    server.stop().await.expect("the runtime runs");
}
