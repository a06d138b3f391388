//! One engine per root, however many streams, managers and handlers; it ends with the last of them.

use serde_json::{Value, json};

use crate::site::*;
use rekindle::prelude::*;

fn custom() -> HotReloadConfig {
    HotReloadConfig { watch_patterns: vec!["static/**".into()], debounce_ms: 100, ..Default::default() }
}

#[tokio::test]
async fn stated_options_are_taken_on_by_an_engine_that_was_given_none() {
    let site = Site::new(&[("config/app.toml", "x = 1\n"), ("static/a.css", "a {}")]);
    let ws = site.workspace();
    let mut values = ws.watch_config_changes::<Value>("app").await.expect("a stream");
    let manager = ws.start_hot_reload_with_config(custom()).await.expect("the same engine");
    assert_eq!(manager.status().watched_dirs, 3, "the root, config/ for the stream, static/ for the pattern");
    site.write("config/app.toml", "x = 2\n");
    assert_eq!(soon("the stream", values.next()).await, Some(json!({"x": 2})));
    let mut events = manager.subscribe();
    site.write("static/b.css", "b {}");
    event(&mut events, "the asset", |event| matches!(event, ChangeEvent::FileChanged { .. }).then_some(()))
        .await;

    ws.start_hot_reload().await.expect("without options: as it is");
    ws.start_hot_reload_with_config(custom()).await.expect("the same options");
    let error = ws.start_hot_reload_with_config(HotReloadConfig::default()).await.expect_err("other options");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("other options"), "{error}");
}

/// Pain 7: a value that nobody was told of changed in silence.
#[tokio::test]
async fn options_that_change_a_value_are_told_of() {
    let site = Site::new(&[("config/app.toml", "x = 1\n"), ("config/app.elsewhere.toml", "x = 2\n")]);
    let first = HotReload::builder(site.root()).start().await.expect("a manager");
    let mut values = first.watch::<Value>("app").await.expect("a stream");
    assert_eq!(values.current(), &json!({"x": 1}));
    let mut events = first.subscribe();
    let second =
        HotReload::builder(site.root()).environment("elsewhere").start().await.expect("the same engine");
    assert_eq!(second.snapshot().get("app"), Some(&json!({"x": 2})));
    assert_eq!(soon("the stream", values.next()).await, Some(json!({"x": 2})));
    assert_eq!(changed(&mut events, "app").await, json!({"x": 2}));
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_the_root_is_the_same_root() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let elsewhere = tempfile::tempdir().expect("a directory");
    let link = elsewhere.path().join("link");
    std::os::unix::fs::symlink(site.root(), &link).expect("a link");
    let here = site.workspace().start_hot_reload().await.expect("a manager");
    let there = Workspace::new(&link).start_hot_reload().await.expect("a manager");
    assert_eq!(here.root(), there.root());
}

#[tokio::test]
async fn many_at_once_are_one() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let ws = site.workspace();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let ws = ws.clone();
        tasks.spawn(async move { ws.watch_config_changes::<Value>("app").await.expect("a stream") });
    }
    let mut streams = tasks.join_all().await;
    let manager = ws.start_hot_reload().await.expect("a manager");
    assert_eq!(manager.snapshot().generation(), 1);
    site.write("config/app.toml", "x = 2\n");
    for stream in &mut streams {
        assert_eq!(soon("each stream", stream.next()).await, Some(json!({"x": 2})));
    }
    assert_eq!(manager.snapshot().generation(), 2);
}

/// Counts the engine threads of this process that watch `root`, by their inotify descriptors.
#[tokio::test]
async fn a_stream_keeps_the_engine_and_the_last_one_to_go_ends_it() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let ws = site.workspace();
    let manager = ws.start_hot_reload().await.expect("a manager");
    let mut events = manager.subscribe();
    let mut values = manager.watch::<Value>("app").await.expect("a stream");
    drop(manager);
    site.write("config/app.toml", "x = 2\n");
    assert_eq!(soon("the stream", values.next()).await, Some(json!({"x": 2})));
    drop(values);
    // The bus closes when the engine has ended.
    soon("the end", async { while events.recv().await.is_ok() {} }).await;
    site.write("config/app.toml", "x = 3\n");
    let manager = ws.start_hot_reload().await.expect("a new engine");
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 3})));
    assert_eq!(manager.snapshot().generation(), 1, "a new engine counts from the start");
}

#[tokio::test]
async fn after_a_shutdown_the_root_can_be_started_anew() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let ws = site.workspace();
    let manager = ws.start_hot_reload().await.expect("a manager");
    let values = manager.watch::<Value>("app").await.expect("a stream");
    manager.shutdown().await.expect("a clean end");
    let again = ws.start_hot_reload_with_config(custom()).await.expect("other options are no conflict now");
    assert_eq!(again.status().watched_dirs, 1);
    drop(values);
}
