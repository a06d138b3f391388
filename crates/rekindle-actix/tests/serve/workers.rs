//! Threads: who answers, and that they end.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, mpsc};

use actix_web::web::{self, Data, ServiceConfig};
use rekindle_actix::serve::Workers;

use crate::kit::{Alive, Shop, Stand, Till, soon};

thread_local! {
    /// What ends with the thread.
    static ALIVE: RefCell<Option<Alive>> = const { RefCell::new(None) };
}

fn routes(config: &mut ServiceConfig, _: &Shop) {
    config
        .route("/", web::to(|| async { "here" }))
        .route("/mark", web::to(mark))
        .route("/block", web::to(block));
}

async fn mark(till: Data<Till>) -> &'static str {
    ALIVE.with_borrow_mut(|alive| {
        alive.get_or_insert_with(|| Alive::new(&till.alive));
    });
    "marked"
}

async fn block(till: Data<Till>) -> &'static str {
    let _alive = Alive::new(&till.alive);
    while till.gate.try_acquire().is_err() {
        std::thread::yield_now();
    }
    "at last"
}

#[tokio::test]
async fn a_handler_that_blocks_holds_up_no_more_than_one_request() {
    let stand = Stand::open(routes).await;
    let mut blocked = stand.client().await;
    let blocked = tokio::spawn(async move { blocked.text("/block").await });
    stand.till.until_alive(1).await;
    let mut client = stand.client().await;
    for _ in 0..20 {
        assert_eq!(client.text("/").await, "here");
    }
    stand.till.gate.add_permits(1);
    assert_eq!(soon("an answer", blocked).await.expect("no panic"), "at last");
}

#[tokio::test]
async fn a_hundred_generations_leave_no_thread_behind() {
    let mut stand = Stand::open(routes).await;
    let mut client = stand.client().await;
    for generation in 0..100 {
        client.text("/mark").await;
        client.text("/mark").await;
        stand.go_over(&format!("generation {generation}")).await;
    }
    stand.till.until_alive(0).await;
}

#[tokio::test]
async fn threads_end_when_nobody_waits_for_their_application() {
    let (held, ended) = mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let starting = Workers::new(1).start(move || {
        let held = held.clone();
        actix_web::App::new().data_factory(move || {
            let held = held.clone();
            async move {
                let _held = held;
                std::future::pending::<Result<(), ()>>().await
            }
        })
    });
    let started = tokio::time::timeout(std::time::Duration::from_millis(50), starting).await;
    assert!(started.is_err(), "{started:?}");
    let ends = tokio::task::spawn_blocking(move || ended.recv().is_err());
    assert!(soon("the end of the thread", ends).await.expect("no panic"));
}

#[tokio::test]
async fn an_application_whose_data_cannot_be_had_is_an_error() {
    let starting = Workers::new(2)
        .start(|| actix_web::App::new().data_factory(|| async { Err::<(), _>("no database") }));
    let error = soon("an end", starting).await.expect_err("it cannot be made");
    assert_eq!(error.message(), "the application cannot be made");
}
