//! What an engine says of its reloads: receipts and times.

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
