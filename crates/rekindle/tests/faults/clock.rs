//! A clock that was set back: what is written now looks older than what was there.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rekindle::HotReloadBuilder;
use rekindle_test::{Running, Site};
use serde_json::json;

const CONFIG: &str = "config/app.toml";
const ASSET: &str = "static/app.css";
const SAVES: u32 = 5;

/// The time of a save: each before the one that went before.
fn time(save: u32) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 - u64::from(save))
}

fn set_back(file: &Path, save: u32) {
    File::options()
        .write(true)
        .open(file)
        .and_then(|file| file.set_modified(time(save)))
        .expect("it is ours");
}

fn in_place(site: &Site, file: &str, content: &str, save: u32) {
    site.write(file, content);
    set_back(&site.path(file), save);
}

fn by_rename(site: &Site, file: &str, content: &str, save: u32) {
    let written = site.write_elsewhere("written", content);
    set_back(&site.path(&written), save);
    site.rename(&written, file);
}

/// Every content has the same size: it is the content alone that tells.
async fn every_save_is_seen(
    options: fn(HotReloadBuilder) -> HotReloadBuilder,
    save: fn(&Site, &str, &str, u32),
) {
    let site = Site::new().with(CONFIG, "value = 0\n").with(ASSET, "0");
    let mut running = Running::start_with(site, options).await;
    for n in 1..=SAVES {
        save(&running.site, CONFIG, &format!("value = {n}\n"), n);
        assert_eq!(running.events.reloaded("app").await.0, json!({ "value": n }));
        save(&running.site, ASSET, &n.to_string(), n);
        running.events.told_of(ASSET).await;
    }
}

#[tokio::test]
async fn saves_in_place_with_the_clock_set_back_are_seen() {
    every_save_is_seen(|builder| builder, in_place).await;
}

#[tokio::test]
async fn saves_by_rename_with_the_clock_set_back_are_seen() {
    every_save_is_seen(|builder| builder, by_rename).await;
}

#[tokio::test]
async fn saves_with_the_clock_set_back_are_seen_by_polling() {
    every_save_is_seen(|builder| builder.poll(Duration::from_millis(20)), by_rename).await;
}

/// As `rsync --times` or `tar` leave files: the very time and size of the one before.
#[tokio::test]
async fn a_save_with_the_time_and_the_size_of_the_one_before_is_seen() {
    let mut running = Running::start(Site::new().with(CONFIG, "value = 0\n").with(ASSET, "0")).await;
    for n in 1..=SAVES {
        with_the_old_time(&running.site, CONFIG, &format!("value = {n}\n"));
        assert_eq!(running.events.reloaded("app").await.0, json!({ "value": n }));
        with_the_old_time(&running.site, ASSET, &n.to_string());
        running.events.told_of(ASSET).await;
    }
}

fn with_the_old_time(site: &Site, file: &str, content: &str) {
    let before = fs::metadata(site.path(file)).and_then(|data| data.modified()).expect("it has a time");
    site.write(file, content);
    let opened = File::options().write(true).open(site.path(file));
    opened.and_then(|file| file.set_modified(before)).expect("it is ours");
}
