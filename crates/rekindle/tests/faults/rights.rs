//! Rights that are taken away and given back. Root has them all, so these run as nobody.

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use rekindle::ChangeEvent;
use rekindle_test::{Running, SHORT_WINDOW, Site, child};

#[test]
fn a_file_that_may_not_be_read_for_a_while_keeps_its_value_and_comes_back() {
    child::run(child::NOBODY, "rights::of_a_file");
}

#[test]
fn a_directory_that_may_not_be_read_for_a_while_keeps_its_values_and_comes_back() {
    child::run(child::NOBODY, "rights::of_a_directory");
}

#[test]
fn a_root_that_may_not_be_read_for_a_while_keeps_its_values_and_comes_back() {
    child::run(child::NOBODY, "rights::of_the_root");
}

#[test]
#[ignore = "runs without the rights of root, started by a test above"]
fn of_a_file() {
    when(|| taken_from_and_given_back("config/sub/app.toml"));
}

#[test]
#[ignore = "runs without the rights of root, started by a test above"]
fn of_a_directory() {
    when(|| taken_from_and_given_back("config/sub"));
}

#[test]
#[ignore = "runs without the rights of root, started by a test above"]
fn of_the_root() {
    when(|| taken_from_and_given_back(""));
}

fn when<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    if child::is_this_one() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be built").block_on(test());
    }
}

fn set_mode(site: &Site, path: &str, mode: u32) {
    std::fs::set_permissions(site.path(path), Permissions::from_mode(mode)).expect("it is ours");
}

/// While the rights are gone the file is written to by somebody who has had it open since before.
async fn taken_from_and_given_back(path: &str) {
    let site = Site::new().with("config/sub/app.toml", "value = 1\n").with("static/x.css", "1");
    let mut running = Running::start_with(site, |builder| builder.debounce(SHORT_WINDOW)).await;
    let file = File::options().append(true).open(running.site.path("config/sub/app.toml"));
    let mut file = file.expect("it may be written to");
    set_mode(&running.site, path, 0o000);
    assert!(File::open(running.site.path("config/sub/app.toml")).is_err(), "nobody may read it");
    file.write_all(b"more = 2\n").expect("it is open");
    drop(file);
    let trouble = |event: &ChangeEvent| {
        matches!(event, ChangeEvent::ValidationFailed { .. } | ChangeEvent::Degraded { .. })
    };
    running.events.until("the trouble", trouble).await;
    assert_eq!(running.value("sub/app"), serde_json::json!({ "value": 1 }), "the last good value");
    assert!(running.manager.status().is_degraded());

    set_mode(&running.site, path, 0o700);
    let changed = |event: &ChangeEvent| matches!(event, ChangeEvent::ConfigChanged { .. });
    running.events.until("what was written meanwhile", changed).await;
    assert_eq!(running.value("sub/app"), serde_json::json!({ "value": 1, "more": 2 }));
    while running.manager.status().is_degraded() {
        running.events.until("the recovery", |_| true).await;
    }
    running.quiet_after_window().await;
    let story = running.events.story();
    assert!(!running.manager.status().is_degraded(), "{story:#?}");
    assert!(!story.iter().any(|line| line.contains("deleted")), "unreadable is not deleted: {story:#?}");
}
