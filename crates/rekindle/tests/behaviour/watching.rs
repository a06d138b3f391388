//! How changes are found when nothing, too much or too many tell of them.

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rekindle::prelude::*;
use serde_json::json;

use crate::site::*;

/// The first `wanted` files that are told of.
async fn told_of(
    events: &mut tokio::sync::broadcast::Receiver<ChangeEvent>,
    wanted: usize,
) -> HashSet<PathBuf> {
    let mut told = HashSet::new();
    while told.len() < wanted {
        let what = format!("file {} of {wanted}", told.len() + 1);
        let path = event(events, &what, |event| match event {
            ChangeEvent::FileChanged { path, .. } => Some(path.clone()),
            _ => None,
        });
        told.insert(path.await);
    }
    told
}

/// The file has another name elsewhere, and is written to under that: no event says so.
#[cfg(unix)]
#[tokio::test]
async fn what_nothing_tells_of_is_found_by_the_regular_comparison_and_counted() {
    let site = Site::new(&[("elsewhere/app.toml", "x = 1\n"), ("static/a.css", "a")]);
    std::fs::hard_link(site.path("elsewhere/app.toml"), site.path("config/app.toml")).expect("a link");
    let builder = site.builder().reconcile(Duration::from_millis(100));
    let manager = builder.start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("elsewhere/app.toml", "x = 2222\n");
    assert_eq!(changed(&mut events, "app").await, json!({"x": 2222}));
    let status = manager.status();
    assert_eq!((status.reconciled, status.rescans), (1, 1), "{status:#?}");

    site.write("static/a.css", "b");
    told_of(&mut events, 1).await;
    manager.reload_now().await.expect("it runs");
    assert_eq!(manager.status().reconciled, 1, "what an event tells of is no find");
}

/// Five times as many files as a receiver holds, written in directories that are made at that moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_keeps_reading_gets_every_file_of_a_burst() {
    const FILES: usize = 5_000;
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    std::fs::create_dir(site.path("static")).expect("made");
    let manager = site.start().await;
    let mut events = manager.subscribe();
    let reader = tokio::spawn(async move { told_of(&mut events, FILES).await });
    for n in 0..FILES {
        site.write(&format!("static/{}/{}/{n}.txt", n % 50, n % 7), format!("{n}"));
    }
    assert_eq!(reader.await.expect("no lag").len(), FILES);
}

/// One that never reads is waited for once, and told that it lags.
#[tokio::test]
async fn a_receiver_that_does_not_read_holds_up_nobody_for_long() {
    const FILES: usize = 3_000;
    let site = Site::new(&[("config/app.toml", "x = 1\n"), ("static/first.txt", "")]);
    let manager = site.start().await;
    let mut deaf = manager.subscribe();
    let mut apps = manager.watch::<serde_json::Value>("app").await.expect("a stream");
    for n in 0..FILES {
        site.write(&format!("static/{n}.txt"), format!("{n}"));
    }
    site.write("config/app.toml", "x = 2\n");
    assert_eq!(soon("the value", apps.next()).await, Some(json!({"x": 2})));
    soon("the lag", async {
        while deaf.len() < 1024 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    manager.reload_now().await.expect("it runs");
    assert!(matches!(deaf.recv().await, Err(tokio::sync::broadcast::error::RecvError::Lagged(_))));
}

/// A log in the assets, appended to every few milliseconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_never_stops_growing_is_read_once_a_window_and_starves_nobody() {
    const WINDOW: Duration = Duration::from_secs(2);
    const SAVES: u64 = 50;
    let site = Site::new(&[("config/app.toml", "x = 0\n"), ("static/log.txt", "begin\n")]);
    let manager = site.builder().debounce(WINDOW).start().await.expect("an engine");
    let (mut events, mut apps) =
        (manager.subscribe(), manager.watch::<serde_json::Value>("app").await.expect("a stream"));
    let (log, stop) = (site.path("static/log.txt"), &AtomicBool::new(false));
    let began = std::time::Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let file = std::fs::OpenOptions::new().append(true).open(&log);
                file.and_then(|mut file| file.write_all(b"line\n")).expect("appended");
                std::thread::park_timeout(Duration::from_millis(2));
            }
        });
        let saves = async {
            for n in 1..=SAVES {
                site.write("config/app.toml", format!("x = {n}\n"));
                assert_eq!(soon("the value", apps.next()).await, Some(json!({"x": n})));
            }
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(saves));
        stop.store(true, Ordering::Relaxed);
    });
    manager.reload_now().await.expect("it runs");
    let windows = began.elapsed().as_secs() / WINDOW.as_secs() + 1;
    let told = so_far(&mut events);
    let looks = told
        .iter()
        .filter(|event| matches!(event, ChangeEvent::FileChanged { path, .. } if path.ends_with("log.txt")));
    // Eight looks until it is known for what it is, then one a window, and the one that was asked for.
    let looks = looks.count() as u64;
    assert!((1..=9 + windows).contains(&looks), "{looks} looks in {windows} windows");
}
