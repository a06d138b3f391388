//! An old one finishes what it has begun, and not for ever.

use std::time::Duration;

use rekindle::service::Supervisor;

use crate::kit::*;
use crate::lines;

fn briefly(supervisor: Supervisor<Chain>) -> Supervisor<Chain> {
    supervisor.drain_within(Duration::from_millis(100))
}

#[tokio::test]
async fn a_drain_that_hangs_is_cut_at_its_deadline_and_named() {
    let named = |supervisor| briefly(supervisor).named("the slow shop");
    let mut street = Street::open_with(&shop("a", "hangs"), named).await;
    let held = street.shop.load_full();
    street.save(&shop("b", "")).await;
    let retirement = street.retired().await;
    assert_eq!((retirement.name.as_str(), retirement.generation, retirement.cut), ("the slow shop", 1, true));
    let error = retirement.error.expect("it was cut").to_string();
    assert_eq!((error.as_str(), retirement.holders), ("it was not drained within 100ms", 1));
    assert_eq!(street.log.all(), ["builds a", "begins a", "builds b", "begins b", "drains a", "stops a"]);
    let logged = lines::all();
    let of_it = |line: &&str| line.contains("WARN") && line.contains("the slow shop");
    let warning = logged.lines().find(of_it).expect("a warning that names it");
    let told = ["retired, not as it should", "cut=true", "it was not drained within 100ms"];
    assert!(told.iter().all(|part| warning.contains(part)), "{warning}");
    drop(held);
}

#[tokio::test]
async fn a_drain_that_keeps_its_deadline_itself_is_not_cut_and_gives_its_state() {
    let mut street = Street::open_with(&shop("a", "keeps its deadline"), briefly).await;
    street.save(&shop("b", "")).await;
    let retirement = street.retired().await;
    assert!(!retirement.cut && retirement.error.is_none(), "{retirement:?}");
    assert!(street.shop.load().has_key());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_that_blocks_its_thread_is_told_of_at_its_deadline() {
    let mut street = Street::open_with(&shop("a", "blocks"), briefly).await;
    street.save(&shop("b", "")).await;
    let retirement = street.retired().await;
    assert!(retirement.cut, "{retirement:?}");
    assert_eq!(street.shop.load().plan.name, "b");
}

#[tokio::test]
async fn a_drain_that_panics_is_told_of_and_the_old_one_is_stopped() {
    let mut street = Street::open(&shop("a", "panics in drain")).await;
    street.save(&shop("b", "")).await;
    let retirement = street.retired().await;
    let error = retirement.error.expect("it went wrong").to_string();
    assert_eq!((error.as_str(), retirement.cut), ("it panicked: a customer fainted", false));
    assert_eq!(street.log.all(), ["builds a", "begins a", "builds b", "begins b", "drains a", "stops a"]);
}

#[tokio::test]
async fn a_stop_waits_for_all_that_still_drain() {
    let mut street = Street::open(&shop("a", "waits")).await;
    street.save(&shop("b", "waits")).await;
    street.log.until("drains a").await;
    let (log, gate) = (street.log.clone(), street.gate.clone());
    let stopping = tokio::spawn(street.shop.stop());
    log.until("drains b").await;
    gate.add_permits(1);
    log.until("stops a").await;
    assert!(!stopping.is_finished());
    gate.add_permits(1);
    let retirement = soon("the stop", stopping).await.expect("no panic").expect("the runtime is there");
    assert_eq!((retirement.generation, retirement.cut), (2, false));
    assert_eq!(log.all()[4..], ["drains a", "drains b", "stops a", "stops b"]);
}
