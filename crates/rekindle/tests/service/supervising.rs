//! A service is kept at its part of the configuration, and at no other.

use rekindle::prelude::*;
use rekindle::service::Supervisor;

use crate::kit::*;

#[tokio::test]
async fn the_new_one_is_ready_before_the_old_one_is_told_anything() {
    let mut street = Street::open(&shop("a", "")).await;
    street.site.replace("config/app.toml", &shop("b", ""));
    let retirement = street.retired().await;
    assert_eq!(
        street.log.all(),
        ["builds a", "begins a", "builds b", "begins b", "drains a", "stops a", "adopts b"]
    );
    assert_eq!((retirement.name.as_str(), retirement.generation, retirement.cut), ("shop", 1, false));
    assert!(retirement.error.is_none() && retirement.holders == 0, "{retirement:?}");
    assert_eq!((street.shop.load().plan.name.as_str(), street.shop.generation()), ("b", 2));
}

#[tokio::test]
async fn nothing_is_rebuilt_whose_part_did_not_change() {
    let mut street = Street::open(&shop("a", "")).await;
    street.site.write("config/other.toml", "x = 1");
    let elsewhere = shop("a", "") + "[market]\nstalls = 3\n";
    assert!(street.save(&elsewhere).await.is_applied());
    let commented = format!("# a comment more\n{elsewhere}");
    street.save(&commented).await;
    let both = commented.replace("\"a\"", "\"b\"").replace("stalls = 3", "stalls = 4");
    assert!(street.save(&both).await.is_applied());
    street.retired().await;
    let reordered = "[market]\nstalls = 4\n[shop]\nfault = ''\nname = 'b'\n";
    street.save(reordered).await;
    assert!(street.save(&reordered.replace('4', "5")).await.is_applied());
    assert_eq!(
        street.log.all(),
        ["builds a", "begins a", "builds b", "begins b", "drains a", "stops a", "adopts b"]
    );
}

#[tokio::test]
async fn a_revision_that_is_brought_back_is_built_as_any_other() {
    let mut street = Street::open(&shop("a", "")).await;
    street.save(&shop("b", "")).await;
    street.retired().await;
    // The history is written a moment later than the change is told.
    let first = soon("the history", async {
        loop {
            let history = street.manager.history("app").await.expect("a history");
            if let [first, _, ..] = &history[..] {
                return first.revision;
            }
            tokio::task::yield_now().await;
        }
    });
    let first = first.await;
    let receipt = street.manager.rollback("app", first).await.expect("the engine runs");
    assert!(receipt.is_applied(), "{receipt:?}");
    street.retired().await;
    assert_eq!(street.shop.load().plan.name, "a");
    assert_eq!(street.log.all()[7..], ["builds a", "begins a", "drains b", "stops b", "adopts a"]);
}

/// Fails for shops of a name, and has the change undone.
fn critical(name: &'static str) -> Registration {
    let fails = move |event: ChangeEvent| match event {
        ChangeEvent::ConfigChanged { new_value, .. } if new_value["shop"]["name"] == name => {
            Err("the neighbours complain".into())
        }
        _ => Ok(()),
    };
    Registration::new(fails).named("council").after("shop").critical()
}

#[tokio::test]
async fn an_undo_brings_the_one_before_back() {
    let mut street = Street::open(&shop("a", "")).await;
    street.manager.register(critical("b")).expect("a handler");
    street.site.replace("config/app.toml", &shop("b", ""));
    assert_eq!(street.retired().await.generation, 1);
    assert_eq!(street.retired().await.generation, 2);
    assert_eq!((street.shop.load().plan.name.as_str(), street.shop.generation()), ("a", 3));
    assert!(street.shop.load().has_key());
}

#[tokio::test]
async fn services_are_built_in_their_declared_order() {
    let (_site, manager) = engine(&shop("a", "")).await;
    let chain = Chain::default();
    let named = |name: &str| Supervisor::new(chain.clone()).named(name);
    let second = named("second").after("first").start(&manager, "app", "/shop").await.expect("it opens");
    let first = named("first").start(&manager, "app", "/shop").await.expect("it opens");
    let error = named("first").after("second").start(&manager, "app", "/shop").await.expect_err("a circle");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    drop((first, second));
}

#[tokio::test]
async fn one_that_is_stopped_follows_nothing_any_more() {
    let mut street = Street::open(&shop("a", "")).await;
    let (mut receipts, log) = (street.manager.receipts(), street.log.clone());
    let retirement = street.shop.stop().await.expect("the runtime is there");
    assert!(!retirement.cut);
    assert_eq!(log.take(), ["builds a", "begins a", "drains a", "stops a"]);
    assert_eq!(soon("a retirement", street.retirements.recv()).await.expect("it was told").generation, 1);
    street.site.replace("config/app.toml", &shop("b", ""));
    assert!(soon("a reload", receipts.recv()).await.expect("the engine runs").is_applied());
    // A part of another type does not matter to anybody now.
    street.site.replace("config/app.toml", "shop = 7");
    assert!(soon("a reload", receipts.recv()).await.expect("the engine runs").is_applied());
    assert_eq!(log.all(), [""; 0]);
}

#[tokio::test]
async fn one_that_is_dropped_is_drained_in_the_background() {
    let street = Street::open(&shop("a", "")).await;
    let Street { shop: handle, log, site, manager, .. } = street;
    let mut receipts = manager.receipts();
    drop(handle);
    log.until("stops a").await;
    assert_eq!(log.take(), ["builds a", "begins a", "drains a", "stops a"]);
    site.replace("config/app.toml", &shop("b", "build"));
    assert!(soon("a reload", receipts.recv()).await.expect("the engine runs").is_applied());
    assert_eq!(log.all(), [""; 0]);
}

#[test]
fn one_whose_runtime_has_ended_is_stopped_all_the_same() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let street = runtime.block_on(Street::open(&shop("a", "")));
    let log = street.log.clone();
    drop(runtime);
    drop(street);
    assert_eq!(log.all(), ["builds a", "begins a", "stops a"]);
}

#[tokio::test]
async fn one_that_panics_as_it_begins_serves_and_is_told_of() {
    let mut street = Street::open(&shop("a", "")).await;
    let mut events = street.manager.subscribe();
    assert!(street.save(&shop("b", "panics as it begins")).await.is_applied());
    let failed = soon("the failure", async {
        loop {
            if let ChangeEvent::HandlerFailed { error, .. } = events.recv().await.expect("the engine runs") {
                return error;
            }
        }
    });
    assert!(failed.await.contains("it panicked as it began: the bell fell"));
    street.retired().await;
    assert_eq!(street.shop.load().plan.name, "b");
}
