//! Pages on their way through the layer, and what they load.

use http::Request;
use rekindle_test::Site;
use rekindle_web::Problem;

use crate::server::Server;

#[tokio::test]
async fn a_page_names_its_client_and_the_client_is_there() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let page = server.ask(server.get("/").body(Default::default()).unwrap()).await;
    let tag =
        page.body().split("<script src=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a tag");
    let client = server.ask(server.get(tag).body(Default::default()).unwrap()).await;
    assert!(client.status() == 200 && client.body().contains("use strict"));
    assert_eq!(client.headers()["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(client.headers()["x-content-type-options"], "nosniff");
    assert!(!client.headers().contains_key("access-control-allow-origin"));
    let worker = server.ask(server.get("/_rekindle/worker.js").body(Default::default()).unwrap()).await;
    assert!(worker.status() == 200 && worker.headers()["cache-control"] == "no-cache");
}

#[tokio::test]
async fn a_page_under_another_name_does_not_learn_the_token() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let request = Request::get("/").header("host", "evil.example");
    let page = server.ask(request.body(Default::default()).unwrap()).await;
    assert!(!page.body().contains(&server.token().await));
    assert!(page.body().contains("live.js?refused"), "{}", page.body());
    let request = Request::get("/_rekindle/live.js?refused").header("host", "evil.example");
    let refusal = server.ask(request.body(Default::default()).unwrap()).await;
    assert!(refusal.status() == 403 && refusal.body().contains("allow_host(\"evil.example\")"));
}

#[tokio::test]
async fn a_page_that_cannot_be_rendered_is_one_that_heals_itself() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let page = server.ask(server.get("/broken").body(Default::default()).unwrap()).await;
    assert_eq!(
        (page.status(), &page.headers()["cache-control"]),
        (500.try_into().unwrap(), &"no-store".parse().unwrap())
    );
    assert!(page.body().contains("&lt;b&gt; is not closed"), "{}", page.body());
    assert_eq!(page.body().matches("/_rekindle/live.js?").count(), 1);
    assert!(page.body().contains("<html lang=\"en\" data-rekindle=\"error\">"));
}

#[tokio::test]
async fn a_plain_error_is_replaced_for_people_when_something_is_known_to_be_wrong() {
    let site = Site::new();
    let server = Server::start(&site).await;
    let ask = async |accept: &str| {
        let request = server.get("/dead-end").header("accept", accept);
        server.ask(request.body(Default::default()).unwrap()).await.headers()["content-type"].clone()
    };
    assert_eq!(ask("text/html").await, "text/plain");
    server.live.set_problems("mail", vec![Problem::new("mail", "Mail", "no server")]);
    assert_eq!(ask("text/html,*/*;q=0.1").await, "text/html; charset=utf-8");
    assert_eq!(ask("application/json").await, "text/plain");
    server.live.set_problems("mail", Vec::new());
    assert_eq!(ask("text/html").await, "text/plain");
}
