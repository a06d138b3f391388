//! Symbolic links: to files and to directories, re-pointed, dangling, in circles. Pain 2.

use std::fs;
use std::os::unix::fs::symlink;

use rekindle::ChangeEvent;
use rekindle_test::{Running, SHORT_WINDOW, Site};
use serde_json::json;

const LINK: &str = "config/app.toml";

/// A site whose configuration is a link to one of two files in a directory that is not watched for itself.
async fn linked() -> Running {
    let site = Site::new().with("elsewhere/a.toml", "value = 1\n").with("elsewhere/b.toml", "value = 2\n");
    point(&site, LINK, "../elsewhere/a.toml");
    Running::start_with(site, |builder| builder.debounce(SHORT_WINDOW)).await
}

/// Has a name lead to a target, in one step.
fn point(site: &Site, name: &str, target: &str) {
    let new = site.path("elsewhere/link");
    symlink(target, &new).expect("a link can be made");
    fs::rename(new, site.path(name)).expect("it can be put in place");
}

async fn refused(running: &mut Running) {
    let refused = |event: &ChangeEvent| matches!(event, ChangeEvent::ValidationFailed { .. });
    running.events.until("the refusal", refused).await;
}

async fn has_value(running: &mut Running, value: i32) {
    assert_eq!(running.events.reloaded("app").await.0, json!({ "value": value }));
}

#[tokio::test]
async fn a_link_pointed_elsewhere_and_back_is_a_reload_each() {
    let mut running = linked().await;
    for _ in 0..5 {
        point(&running.site, LINK, "../elsewhere/b.toml");
        has_value(&mut running, 2).await;
        point(&running.site, LINK, "../elsewhere/a.toml");
        has_value(&mut running, 1).await;
    }
    running.quiet_after_window().await;
    let story = running.events.story();
    assert_eq!(story.iter().filter(|line| line.contains(" changed to ")).count(), 10, "{story:#?}");
}

/// As `ln -sfn` does: between the two there is no link.
#[tokio::test]
async fn a_link_removed_and_made_anew_is_one_reload() {
    let mut running = linked().await;
    running.site.remove(LINK);
    symlink("../elsewhere/b.toml", running.site.path(LINK)).expect("a link can be made");
    has_value(&mut running, 2).await;
    running.quiet_after_window().await;
    let story = running.events.story();
    assert_eq!(story.len(), 3, "{story:#?}");
}

#[tokio::test]
async fn an_edit_of_the_target_where_it_lies_is_seen() {
    let mut running = linked().await;
    for n in 10..15 {
        running.site.write("elsewhere/a.toml", &format!("value = {n}\n"));
        has_value(&mut running, n).await;
        running.site.write("elsewhere/new", &format!("value = {}\n", n * 10));
        running.site.rename("elsewhere/new", "elsewhere/a.toml");
        has_value(&mut running, n * 10).await;
    }
    running.quiet_after_window().await;
}

/// A target that is no longer the target is nobody's business.
#[tokio::test]
async fn an_edit_of_the_former_target_is_no_reload() {
    let mut running = linked().await;
    point(&running.site, LINK, "../elsewhere/b.toml");
    has_value(&mut running, 2).await;
    running.site.write("elsewhere/a.toml", "value = 3\n");
    running.site.write("elsewhere/b.toml", "value = 4\n");
    has_value(&mut running, 4).await;
    running.quiet_after_window().await;
}

#[tokio::test]
async fn a_chain_of_links_is_followed_through_every_one() {
    let mut running = linked().await;
    fs::create_dir(running.site.path("elsewhere/hop")).expect("made");
    point(&running.site, "elsewhere/hop/link.toml", "../b.toml");
    point(&running.site, LINK, "../elsewhere/hop/link.toml");
    has_value(&mut running, 2).await;
    point(&running.site, "elsewhere/hop/link.toml", "../a.toml");
    has_value(&mut running, 1).await;
    running.site.write("elsewhere/a.toml", "value = 5\n");
    has_value(&mut running, 5).await;
}

#[tokio::test]
async fn a_link_that_leads_nowhere_keeps_the_value_until_it_leads_somewhere() {
    let mut running = linked().await;
    running.site.remove("elsewhere/a.toml");
    refused(&mut running).await;
    assert_eq!(running.value("app"), json!({ "value": 1 }));
    running.site.write("elsewhere/a.toml", "value = 3\n");
    has_value(&mut running, 3).await;
    point(&running.site, LINK, "../nowhere/at/all.toml");
    refused(&mut running).await;
    point(&running.site, LINK, "../elsewhere/b.toml");
    has_value(&mut running, 2).await;
    running.quiet_after_window().await;
    assert!(!running.manager.status().is_degraded());
}

#[tokio::test]
async fn links_in_circles_hang_nobody() {
    let mut running = linked().await;
    point(&running.site, "static/circle", ".");
    point(&running.site, "static/up", "..");
    point(&running.site, "static/one", "two");
    point(&running.site, "static/two", "one");
    point(&running.site, LINK, "app.toml");
    refused(&mut running).await;
    assert_eq!(running.value("app"), json!({ "value": 1 }));
    running.site.write("static/x.css", "1");
    running.events.told_of("static/x.css").await;
    point(&running.site, LINK, "../elsewhere/b.toml");
    has_value(&mut running, 2).await;
    running.quiet_after_window().await;
    let story = running.events.story();
    assert!(!story.iter().any(|line| line.contains("circle/") || line.contains("up/")), "{story:#?}");
}

#[tokio::test]
async fn a_link_to_a_directory_is_watched_wherever_it_leads() {
    let site = Site::new().with("elsewhere/one/x.css", "1").with("elsewhere/two/x.css", "2");
    symlink("../elsewhere/one", site.path("static/linked")).expect("a link can be made");
    let mut running = Running::start_with(site, |builder| builder.debounce(SHORT_WINDOW)).await;
    running.site.write("elsewhere/one/x.css", "11");
    running.events.told_of("static/linked/x.css").await;
    point(&running.site, "static/linked", "../elsewhere/two");
    running.events.told_of("static/linked/x.css").await;
    running.site.write("elsewhere/two/x.css", "22");
    running.events.told_of("static/linked/x.css").await;
    running.site.write("elsewhere/two/deep/y.css", "1");
    running.events.told_of("static/linked/deep/y.css").await;
    running.site.remove("static/linked");
    running.events.told_of_deletion("static/linked/x.css").await;
    running.quiet_after_window().await;
}
