//! Generations of an application.

use std::sync::atomic::Ordering;

use actix_web::web::{self, Data, ServiceConfig};

use crate::kit::{Alive, Shop, Stand, Till, soon, text};

fn routes(config: &mut ServiceConfig, shop: &Shop) {
    let greeting = shop.greeting.clone();
    assert!(greeting != "panic", "the shop burns");
    config
        .route("/", web::to(move || std::future::ready(greeting.clone())))
        .route(&format!("/{}", shop.greeting), web::to(|| async { "here" }))
        .route("/count", web::to(count))
        .route("/slow", web::to(slow));
}

async fn count(till: Data<Till>) -> String {
    till.count.fetch_add(1, Ordering::SeqCst).to_string()
}

async fn slow(till: Data<Till>) -> &'static str {
    let _alive = Alive::new(&till.alive);
    till.wait().await;
    "at last"
}

#[tokio::test]
async fn routes_are_exchanged_on_an_open_connection() {
    let mut stand = Stand::open_on("hello", routes).await;
    let mut client = stand.client().await;
    assert_eq!(client.text("/").await, "hello");
    assert_eq!(client.text("/hello").await, "here");
    stand.go_over("ahoy").await;
    assert_eq!(client.text("/").await, "ahoy");
    assert_eq!(client.text("/ahoy").await, "here");
    assert_eq!(client.get("/hello").await.status(), 404);
}

#[tokio::test]
async fn what_was_made_outside_is_shared_by_all_generations() {
    let mut stand = Stand::open(routes).await;
    let mut client = stand.client().await;
    assert_eq!(client.text("/count").await, "0");
    stand.go_over("ahoy").await;
    assert_eq!(client.text("/count").await, "1");
}

#[tokio::test]
async fn an_application_that_panics_as_it_is_made_is_refused() {
    let mut stand = Stand::open(routes).await;
    let mut client = stand.client().await;
    let receipt = stand.save("panic").await;
    assert!(!receipt.is_applied());
    let said = receipt.refusals()[0].error.to_string();
    assert!(said.contains("it panicked as the application was made: the shop burns"), "{said}");
    assert_eq!(client.text("/").await, "hello");
}

#[tokio::test]
async fn a_request_under_way_is_answered_by_the_generation_that_took_it() {
    let mut stand = Stand::open(routes).await;
    let mut client = stand.client().await;
    let asking = tokio::spawn(async move { text(client.get("/slow").await).await });
    stand.till.until_alive(1).await;
    stand.go_over("ahoy").await;
    stand.till.gate.add_permits(1);
    assert_eq!(soon("an answer", asking).await.expect("no panic"), "at last");
}
