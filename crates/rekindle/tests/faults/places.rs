//! The places themselves go and come: the root and the directories below it, and what is mounted over them.
//! `tests/behaviour/degraded.rs` has the plain cases.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rekindle::ChangeEvent;
use rekindle_test::{Running, SHORT_WINDOW, Site, child, program};
use serde_json::json;

/// A site with a configuration, a template, and others for their places elsewhere.
fn site() -> Site {
    Site::new()
        .with("config/app.toml", "value = 0\n")
        .with("static/x.css", "0")
        .with("elsewhere/config/app.toml", "value = 100\n")
        .with("elsewhere/static/x.css", "100")
}

async fn start(site: Site) -> Running {
    Running::start_with(site, |builder| builder.debounce(SHORT_WINDOW)).await
}

async fn until_value(running: &mut Running, value: i32) {
    let changed = |event: &ChangeEvent| match event {
        ChangeEvent::ConfigChanged { new_value, .. } => *new_value == json!({ "value": value }),
        _ => false,
    };
    running.events.until(&format!("the value {value}"), changed).await;
}

/// Saves in the places as they are now, and waits until both saves are seen.
async fn is_watched(running: &mut Running, number: i32) {
    running.site.write("config/app.toml", &format!("value = {number}\n"));
    until_value(running, number).await;
    running.site.write("static/x.css", &number.to_string());
    running.events.told_of("static/x.css").await;
    assert!(!running.manager.status().is_degraded(), "{:#?}", running.events.story());
}

#[tokio::test]
async fn a_configuration_directory_deleted_and_made_anew_is_watched() {
    let mut running = start(site()).await;
    for n in 1..=2 {
        fs::remove_dir_all(running.site.path("config")).expect("it is there");
        let refused = |event: &ChangeEvent| matches!(event, ChangeEvent::ValidationFailed { .. });
        running.events.until("the refusal", refused).await;
        is_watched(&mut running, n).await;
    }
}

#[tokio::test]
async fn a_configuration_directory_exchanged_for_another_in_a_moment_is_watched() {
    let mut running = start(site()).await;
    running.site.rename("config", "elsewhere/old");
    running.site.rename("elsewhere/config", "config");
    until_value(&mut running, 100).await;
    is_watched(&mut running, 1).await;
    let story = running.events.story();
    assert!(!story.iter().any(|line| line.contains("refused")), "a gap is no deletion: {story:#?}");
}

/// No event says that a directory above the root was moved: the regular comparison finds it.
#[tokio::test]
async fn a_directory_above_the_root_renamed_away_and_back_is_no_deletion() {
    let outer = tempfile::tempdir().expect("a place");
    let root = outer.path().join("above/root");
    fs::create_dir_all(root.join("config")).expect("made");
    fs::write(root.join("config/app.toml"), "value = 0\n").expect("written");
    let builder = rekindle::HotReload::builder(&root).debounce(SHORT_WINDOW).environment("test");
    let manager = builder.reconcile(Duration::from_millis(100)).start().await.expect("it starts");
    let mut events = rekindle_test::Recorder::new(&root, manager.subscribe());

    fs::rename(outer.path().join("above"), outer.path().join("away")).expect("moved");
    let degraded = |event: &ChangeEvent| matches!(event, ChangeEvent::Degraded { .. });
    events.until("the missing root", degraded).await;
    fs::rename(outer.path().join("away"), outer.path().join("above")).expect("moved back");
    let recovered = |event: &ChangeEvent| matches!(event, ChangeEvent::Recovered { config_name: None });
    events.until("the recovery", recovered).await;
    assert_eq!(manager.snapshot().get("app"), Some(&json!({ "value": 0 })));
    fs::write(root.join("config/app.toml"), "value = 1\n").expect("written");
    assert_eq!(events.reloaded("app").await.0, json!({ "value": 1 }));
    let story = events.story();
    assert!(!story.iter().any(|line| line.contains("deleted")), "{story:#?}");
}

#[test]
fn a_directory_mounted_over_a_watched_one_is_watched_and_so_is_what_was_beneath() {
    child::run(child::MOUNTS, "places::mounted_over");
}

#[test]
#[ignore = "runs in a mount namespace of its own, started by the test above"]
fn mounted_over() {
    if child::is_this_one() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be built").block_on(bind_mounts());
    }
}

async fn bind_mounts() {
    let mut running = start(site()).await;
    for directory in ["config", "static"] {
        let (from, over) =
            (running.site.path(&format!("elsewhere/{directory}")), running.site.path(directory));
        program::run(Command::new("mount").arg("--bind").args([from, over]));
    }
    until_value(&mut running, 100).await;
    is_watched(&mut running, 101).await;

    for directory in ["config", "static"] {
        unmount(&running.site.path(directory));
    }
    until_value(&mut running, 0).await;
    is_watched(&mut running, 1).await;
    running.quiet_after_window().await;
}

fn unmount(directory: &Path) {
    program::run(Command::new("umount").arg(directory));
}
