//! What an engine says of its reloads: receipts, times, and the signal that asks for one.

use std::time::Duration;

use serde_json::json;

use crate::site::*;
use rekindle::prelude::*;

#[tokio::test]
async fn no_stage_takes_longer_than_the_whole() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let ready = |_: ChangeEvent| Ok(());
    let critical = Registration::new(ready).named("ready").critical();
    let manager = site.builder().register(critical).start().await.expect("an engine");
    let mut receipts = manager.receipts();
    for x in 2..6 {
        site.write("config/app.toml", format!("x = {x}\n"));
        let stages = soon("the receipt", receipts.recv()).await.expect("one").stages;
        assert!(stages.all().iter().all(|stage| *stage <= stages.total), "{stages:?}");
        assert!(!stages.load.is_zero() && !stages.commit.is_zero(), "{stages:?}");
    }
    let durations = manager.status().durations;
    assert_eq!(durations.total.count, 4);
    for stage in durations.all() {
        let StageDurations { p50, p90, p99, max, mean, .. } = stage;
        assert!(p50 <= p90 && p90 <= p99 && p99 <= max && mean <= max, "{stage:?}");
        assert!(max <= durations.total.max, "{durations:?}");
    }
}

#[tokio::test]
async fn the_status_tells_how_long_reloads_took_and_none_is_counted_for_a_start() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let manager = site.start().await;
    assert_eq!(manager.status().durations, Durations::default());
    assert!(manager.recent().is_empty());
    let receipt = manager.reload_now().await.expect("an answer");
    let total = manager.status().durations.total;
    assert_eq!((total.count, total.max, total.mean), (1, receipt.stages.total, receipt.stages.total));
}

#[tokio::test]
async fn the_last_receipts_are_kept_and_no_more() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let manager = site.start().await;
    let mut ids = Vec::new();
    for _ in 0..70 {
        ids.push(manager.reload_now().await.expect("an answer").id);
    }
    let kept: Vec<u64> = manager.recent().iter().map(|receipt| receipt.id).collect();
    assert_eq!(kept, ids[6..]);
    assert_eq!(manager.status().durations.total.count, 70);
}

#[cfg(unix)]
fn hang_up() {
    use rustix::process::{Signal, getpid, kill_process};
    kill_process(getpid(), Signal::HUP).expect("a process may signal itself");
}

#[cfg(unix)]
async fn by_signal(receipts: &mut tokio::sync::broadcast::Receiver<Receipt>) -> Receipt {
    soon("a reload by signal", async {
        loop {
            let receipt = receipts.recv().await.expect("one");
            if receipt.trigger == Trigger::Signal {
                return receipt;
            }
        }
    })
    .await
}

#[cfg(unix)]
#[tokio::test]
async fn sighup_reloads_every_engine_that_listens_to_it_and_no_other() {
    let sites = [(); 2].map(|()| Site::new(&[("config/app.toml", "x = 1\n")]));
    let mut engines = Vec::new();
    for site in &sites {
        let manager = site.builder().reload_on_sighup(true).start().await.expect("an engine");
        engines.push((manager.receipts(), manager));
    }
    let other = Site::new(&[("config/app.toml", "x = 1\n")]);
    let other = other.start().await;
    hang_up();
    for (receipts, manager) in &mut engines {
        let receipt = by_signal(receipts).await;
        assert_eq!((receipt.outcome.as_str(), receipt.generation), ("unchanged", 1));
        assert_eq!(manager.status().last_reload.expect("it").trigger, Trigger::Signal);
    }
    assert!(other.status().last_reload.is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn sighup_takes_in_what_nothing_has_told_of_and_tells_what_is_wrong() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let hour = Duration::from_secs(3600);
    let manager = site.builder().poll(hour).reload_on_sighup(true).start().await.expect("an engine");
    let mut receipts = manager.receipts();
    site.write("config/app.toml", "x = 2\n");
    hang_up();
    // The signals of the test beside this one count here as well.
    while by_signal(&mut receipts).await.applied() != ["app"] {}
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 2})));
    site.write("config/app.toml", "x = [\n");
    hang_up();
    let refused = loop {
        let receipt = by_signal(&mut receipts).await;
        if receipt.outcome.as_str() == "refused" {
            break receipt;
        }
    };
    assert_eq!(refused.refusals()[0].by, "syntax");
}
