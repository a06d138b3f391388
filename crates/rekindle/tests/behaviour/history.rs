//! What was good is kept, can be brought back, and is what a start goes back to.

use std::time::Duration;

use serde_json::{Value, json};

use crate::site::*;
use rekindle::prelude::*;

/// Revision, generation, trigger, outcome in a word.
fn shown(entries: &[HistoryEntry]) -> Vec<(u64, u64, &'static str, String)> {
    entries
        .iter()
        .map(|entry| (entry.revision, entry.generation, entry.trigger.as_str(), entry.outcome.to_string()))
        .collect()
}

#[tokio::test]
async fn every_good_generation_is_kept_with_what_triggered_and_changed_it() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let manager = site.start().await;
    let mut events = manager.subscribe();
    site.write("config/app.toml", "x = 2\ny = 1\n");
    changed(&mut events, "app").await;
    site.write("config/app.toml", "x = \n");
    refused(&mut events, "app").await;
    let receipt = manager.update("app", 2, Patch::set("/x", 3)).await.expect("a receipt");
    assert_eq!(receipt.refusals()[0].by, "conflict", "the broken file is not overwritten");
    site.write("config/app.toml", "x = 2\ny = 1\n");
    recovered(&mut events, "app").await;
    manager.update("app", 2, Patch::set("/x", 3)).await.expect("a receipt");
    let entries = manager.history("app").await.expect("a history");
    let confirmed = || "confirmed".to_owned();
    let expected =
        [(1, 1, "start", confirmed()), (2, 2, "files", confirmed()), (3, 3, "update", confirmed())];
    assert_eq!(shown(&entries), expected);
    assert_eq!(entries[1].changed, ["/x", "/y"]);
    assert_eq!(entries[2].files, [std::path::PathBuf::from("config/app.toml")]);
    assert!(site.path("data/rekindle/.gitignore").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode =
            std::fs::metadata(site.path("data/rekindle/history")).expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
    assert!(manager.history("nothing").await.expect("a history").is_empty());
    let off = Site::new(&[("config/app.toml", "x = 1\n")]);
    let manager = off.builder().history(false).start().await.expect("an engine");
    assert!(manager.history("app").await.expect("what there is").is_empty());
    assert!(!off.path("data").exists());
}

#[tokio::test]
async fn a_rollback_restores_bytes_modes_and_layers() {
    let before = "# Ours.\nx = 1 # one\n";
    let site = Site::new(&[("config/app.toml", before)]);
    let manager = site.start().await;
    let mut events = manager.subscribe();
    site.write("config/app.toml", "x = 2\n");
    changed(&mut events, "app").await;
    site.write("config/app.local.toml", "x = 3\n");
    changed(&mut events, "app").await;
    site.write("config/app.toml", "x = \"broken\n");
    refused(&mut events, "app").await;

    let receipt = manager.rollback("app", 1).await.expect("a receipt");
    assert_eq!((receipt.trigger, receipt.applied()), (Trigger::Rollback, ["app".to_owned()].as_slice()));
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 1})));
    assert_eq!(std::fs::read_to_string(site.path("config/app.toml")).expect("the file"), before);
    assert!(!site.path("config/app.local.toml").exists(), "revision 1 had no such layer");
    assert!(!manager.status().is_degraded());
    // What was overwritten and removed is kept, the broken content among it.
    let kept = |file: &str| {
        let backups = manager.backups(file).expect("the backups");
        std::fs::read_to_string(backups.last().expect("one")).expect("text")
    };
    assert_eq!(
        (kept("config/app.toml"), kept("config/app.local.toml")),
        ("x = \"broken\n".into(), "x = 3\n".into())
    );
    manager.rollback("app", 3).await.expect("a receipt");
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 3})));
    assert_eq!(manager.rollback("app", 99).await.expect_err("none").kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn what_was_undone_is_in_the_history_and_is_tried_again_when_it_is_asked_for_by_name() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let open = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_open = std::sync::Arc::clone(&open);
    let handler = move |event: ChangeEvent| match event {
        ChangeEvent::ConfigChanged { new_value, .. }
            if new_value["x"] == 2 && !is_open.load(std::sync::atomic::Ordering::SeqCst) =>
        {
            Err("the database is closed".into())
        }
        _ => Ok(()),
    };
    let builder = site.builder().register(Registration::new(handler).named("db").critical());
    let manager = builder.start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "x = 2\n");
    changed(&mut events, "app").await;
    assert_eq!(changed(&mut events, "app").await, json!({"x": 1}));
    let entries = manager.history("app").await.expect("a history");
    let reason = "rolled back: the handler db failed: the database is closed";
    assert_eq!(entries[1].outcome.to_string(), reason);
    let status = manager.status();
    let drift = status.configs["app"].drift();
    assert!(matches!(drift, Drift::RolledBack(_)) && !drift.breaks_a_restart(), "{drift}");

    open.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(!manager.reload_now().await.expect("an answer").refusals().is_empty());
    let receipt = manager.rollback("app", 2).await.expect("a receipt");
    assert!(receipt.is_applied(), "{receipt:?}");
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 2})));
}

#[tokio::test]
async fn the_status_tells_running_and_disk_apart() {
    let site = Site::new(&[("config/app.toml", "port = 80\nlevel = 1\n")]);
    let manager = site.builder().restart("app", "/port").start().await.expect("an engine");
    let mut events = manager.subscribe();
    let drift = || manager.status().configs["app"].drift();
    assert_eq!(drift().to_string(), "in sync");
    site.write("config/app.toml", "port = 81\nlevel = 2\n");
    changed(&mut events, "app").await;
    assert_eq!(drift().to_string(), "held for a restart: /port");
    site.write("config/app.toml", "port = 81\nlevel = = 3\n");
    refused(&mut events, "app").await;
    assert!(drift().breaks_a_restart());
    let said = drift().to_string();
    assert!(said.starts_with("invalid, and a restart would fail: config/app.toml:2:9: "), "{said}");
}

#[tokio::test]
async fn a_start_with_a_broken_file_follows_its_policy() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let start = |policy| site.builder().start_policy(policy).start();
    start(StartPolicy::StartFromLastGood).await.expect("an engine").shutdown().await.expect("a clean end");
    site.write("config/app.toml", "x = \n");

    let error = start(StartPolicy::Fail).await.expect_err("it is broken");
    assert_eq!((error.kind(), error.line()), (ErrorKind::Syntax, Some(1)));

    let manager = start(StartPolicy::KeepLastGood).await.expect("an engine");
    assert_eq!(manager.snapshot().get("app"), None);
    manager.shutdown().await.expect("a clean end");

    let manager = start(StartPolicy::StartFromLastGood).await.expect("an engine");
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 1})));
    assert_eq!(manager.watch::<Value>("app").await.expect("a stream").current(), &json!({"x": 1}));
    let status = manager.status();
    assert!(status.configs["app"].drift().breaks_a_restart(), "{status:?}");
    // Mending it is a change like any other.
    let mut events = manager.subscribe();
    site.write("config/app.toml", "x = 2\n");
    assert_eq!(changed(&mut events, "app").await, json!({"x": 2}));
    recovered(&mut events, "app").await;
}

#[tokio::test]
async fn a_start_goes_back_for_what_was_undone_and_not_for_what_was_removed() {
    let site = Site::new(&[("config/app.toml", "x = 1\n"), ("config/gone.toml", "y = 1\n")]);
    let refuses = |event: ChangeEvent| match event {
        ChangeEvent::ConfigChanged { new_value, .. } if new_value["x"] == 2 => Err("no".into()),
        _ => Ok(()),
    };
    let builder = || {
        let builder = site.builder().start_policy(StartPolicy::StartFromLastGood);
        builder.trusted_after(Duration::ZERO).register(Registration::new(refuses).named("r").critical())
    };
    let manager = builder().start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "x = 2\n");
    event(&mut events, "the undo", |event| matches!(event, ChangeEvent::RolledBack { .. }).then_some(()))
        .await;
    manager.shutdown().await.expect("a clean end");
    site.remove("config/gone.toml");
    let manager = builder().start().await.expect("an engine");
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 1})));
    assert_eq!(manager.snapshot().get("gone"), None);
    assert!(matches!(manager.status().configs["app"].drift(), Drift::RolledBack(_)));
    // Nor is it applied as long as it stays.
    assert!(!manager.reload_now().await.expect("an answer").refusals().is_empty());
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 1})));
}
