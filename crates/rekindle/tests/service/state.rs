//! What one hands to the next.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rekindle::prelude::*;

use crate::kit::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_and_a_cache_survive_a_thousand_reloads_under_load() {
    let quick = |builder: HotReloadBuilder| builder.settle(Duration::ZERO).history(false);
    let (site, manager) = engine_with(&shop("0", ""), quick).await;
    let mut street = Street::open_on(site, manager, |supervisor| supervisor).await;
    let mut retired = 0;
    for reload in 1..=1000_u64 {
        street.shop.load().serve();
        let generation = street.manager.snapshot().generation();
        let patch = Patch::set("/shop/name", reload.to_string());
        let receipt = street.manager.update("app", generation, patch).await.expect("the engine runs");
        assert!(receipt.is_applied(), "{receipt:?}");
        retired += u64::from(!street.retired().await.cut);
    }
    let last = street.shop.load_full();
    assert_eq!((last.plan.name.as_str(), last.has_key(), retired), ("1000", true, 1000));
    assert_eq!(last.shared.served.load(Ordering::Relaxed), 1000);
    let cache = last.shared.cache.lock().expect("no panic");
    let by_each = (1..=1000_u64).map(|served| (served, (served - 1).to_string()));
    assert!(cache.iter().map(|(served, name)| (*served, name.clone())).eq(by_each));
}

#[tokio::test]
async fn what_only_one_may_hold_goes_over_once_the_old_one_has_stopped() {
    let mut street = Street::open(&shop("a", "waits")).await;
    assert!(street.shop.load().has_key());
    street.site.replace("config/app.toml", &shop("b", ""));
    street.log.until("drains a").await;
    assert_eq!(street.shop.load().plan.name, "b");
    assert!(!street.shop.load().has_key(), "the old one has it while it drains");
    street.gate.add_permits(1);
    street.retired().await;
    assert!(street.shop.load().has_key());
    assert_eq!(
        street.log.all(),
        ["builds a", "begins a", "builds b", "begins b", "drains a", "stops a", "adopts b"]
    );
}

#[tokio::test]
async fn two_saves_during_a_long_drain_hand_the_state_to_the_newest() {
    let mut street = Street::open(&shop("a", "waits")).await;
    street.save(&shop("b", "")).await;
    street.log.until("drains a").await;
    street.save(&shop("c", "")).await;
    assert_eq!(street.retired().await.generation, 2, "the second has nothing to finish");
    street.save(&shop("d", "")).await;
    assert_eq!(street.retired().await.generation, 3);
    assert_eq!((street.shop.retiring(), street.shop.load().has_key()), (1, false));
    street.gate.add_permits(1);
    assert_eq!(street.retired().await.generation, 1);
    assert_eq!(street.log.all().last().map(String::as_str), Some("adopts d"));
    assert_eq!((street.shop.retiring(), street.shop.load().has_key()), (0, true));
}

#[tokio::test]
async fn a_successor_that_panics_over_the_state_is_told_of_and_serves_on() {
    let mut street = Street::open(&shop("a", "")).await;
    street.save(&shop("b", "panics in adopt")).await;
    let retirement = street.retired().await;
    let error = retirement.error.expect("it went wrong").to_string();
    assert_eq!(
        (error.as_str(), retirement.cut),
        ("its state was not taken over: it panicked: the key broke", false)
    );
    assert_eq!(street.shop.load().plan.name, "b");
}
