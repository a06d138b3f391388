//! What users of other programs suffer from again and again, one short test each, named after it. The
//! numbers are those in the comments of all other tests, which go deeper.
//!
//! 10 and 12 (everything restarts for one field; nobody knows which field needs it) are no matter of
//! watching and settling.

use std::collections::BTreeMap;
use std::time::Duration;

use rekindle::{ChangeEvent, Error, ErrorKind};
use rekindle_test::{ConfigMap, Running, SHORT_WINDOW, Site};
use serde_json::{Value, json};

const APP: &str = "config/app.toml";
const OTHER: &str = "config/other.toml";

fn site() -> Site {
    Site::new().with(APP, "x = 1\n").with(OTHER, "y = 1\n")
}

/// What is refused is reported when the window has ended; here it has to end.
async fn running() -> Running {
    Running::start_with(site(), |builder| builder.debounce(SHORT_WINDOW)).await
}

async fn refused(running: &mut Running, config: &str) -> String {
    let is_refused = |event: &ChangeEvent| matches!(event, ChangeEvent::ValidationFailed { config_name, .. } if config_name == config);
    match running.events.until("the refusal", is_refused).await {
        ChangeEvent::ValidationFailed { error, .. } => error,
        other => panic!("not a refusal: {other:?}"),
    }
}

/// viper#408 #609 #948, dotnet/aspnetcore#2542
#[tokio::test]
async fn pain_1_one_save_fires_twice_or_in_a_storm() {
    let mut running = Running::start(site()).await;
    running.site.write(APP, "x = 2\n");
    running.quiet().await;
    assert_eq!(running.events.story().len(), 3, "{:#?}", running.events.story());
}

/// viper#284, koanf#1, dotnet/runtime#36091, envoy#3928, apollographql/router#1695, hotwatch#10
#[tokio::test]
async fn pain_2_the_swap_of_a_config_map_is_missed() {
    let site = Site::new();
    let mut map = ConfigMap::mount(site.path("config"), &[("app.toml", "x = 1\n")]);
    let mut running = Running::start(site).await;
    map.update(&[("app.toml", "x = 2\n")]);
    assert_eq!(running.events.reloaded("app").await.0, json!({ "x": 2 }));
}

/// notify#113 #247 #531, koanf#271; Caddy's `--watch` ends for good on one bad load
#[tokio::test]
async fn pain_3_the_watch_is_dead_after_a_rename_save_a_deletion_or_a_bad_load() {
    let mut running = running().await;
    running.site.replace(APP, "x = 2\n");
    running.events.reloaded("app").await;
    running.site.write(APP, "x = = 3\n");
    refused(&mut running, "app").await;
    running.site.remove(APP);
    refused(&mut running, "app").await;
    running.site.write(APP, "x = 4\n");
    let changed = |event: &ChangeEvent| matches!(event, ChangeEvent::ConfigChanged { .. });
    running.events.until("the change", changed).await;
    assert_eq!(running.value("app"), json!({ "x": 4 }));
}

/// deblasis/wintty#1138
#[tokio::test]
async fn pain_4_a_half_written_or_empty_file_is_applied() {
    use std::io::Write;
    let mut running = Running::start(site()).await;
    let mut file = std::fs::File::create(running.site.path(APP)).expect("it can be emptied");
    running.site.write(OTHER, "y = 2\n");
    running.events.reloaded("other").await;
    file.write_all(b"x = 2").expect("it can be written");
    running.site.write(OTHER, "y = 3\n");
    running.events.reloaded("other").await;
    assert_eq!(running.value("app"), json!({ "x": 1 }));
    file.write_all(b"2\n").expect("it can be written");
    drop(file);
    assert_eq!(running.events.reloaded("app").await.0, json!({ "x": 22 }));
}

/// dotnet/runtime#44381, spring-cloud-commons#403
#[tokio::test]
async fn pain_5_a_bad_load_costs_the_good_value() {
    let mut running = running().await;
    let live = running.manager.watch::<BTreeMap<String, u64>>("app").await.expect("a stream").live();
    running.site.write(APP, "x = \"one\"\n");
    refused(&mut running, "app").await;
    assert_eq!(live.load()["x"], 1);
    assert_eq!(running.value("app"), json!({ "x": 1 }));
}

/// otel-collector#11817, viper#2095
#[tokio::test]
async fn pain_6_an_invalid_file_kills_the_process() {
    let mut running = running().await;
    for garbage in ["x = ", "\u{0}\u{1}", "[[[[[[[["] {
        running.site.write(APP, garbage);
        refused(&mut running, "app").await;
    }
    running.site.write(APP, "x = 2\n");
    let good = |event: &ChangeEvent| matches!(event, ChangeEvent::Recovered { .. });
    running.events.until("the recovery", good).await;
}

/// alloy#304, prometheus#1292, traefik#10135
#[tokio::test]
async fn pain_7_failures_are_silent() {
    let mut running = running().await;
    running.site.write(APP, "x = 1\nx = 2\n");
    let told = refused(&mut running, "app").await;
    assert!(told.starts_with("config/app.toml:2:1:"), "{told}");
    let status = running.manager.status();
    let failures: Vec<(&str, &Error)> = status.failures().collect();
    assert_eq!(failures.len(), 1, "{status:#?}");
    assert_eq!((failures[0].0, failures[0].1.line()), ("app", Some(2)));
}

/// dotnet/runtime#36244, grafana/agent#2709
#[tokio::test]
async fn pain_8_views_are_torn() {
    let quiet = Duration::from_millis(500);
    let mut running = Running::start_with(site(), |builder| builder.settle(quiet)).await;
    running.site.write(APP, "x = 2\n");
    running.site.write(OTHER, "y = 2\n");
    let (_, first) = running.events.reloaded("app").await;
    let snapshot = running.manager.snapshot();
    assert_eq!(snapshot.generation(), first);
    assert_eq!(
        (snapshot.get("app"), snapshot.get("other")),
        (Some(&json!({"x": 2})), Some(&json!({"y": 2})))
    );
}

/// traefik#8921 #10890 #13464
#[tokio::test]
async fn pain_9_one_bad_file_drops_all_others() {
    let mut running = running().await;
    running.site.write(APP, "x = = 2\n");
    running.site.write(OTHER, "y = 2\n");
    assert_eq!(running.events.reloaded("other").await.0, json!({ "y": 2 }));
    assert_eq!(running.value("app"), json!({ "x": 1 }));
}

/// vector#15952 #24125, fluent-bit#9354
#[tokio::test]
async fn pain_11_a_reload_hangs_and_is_in_progress_for_ever() {
    let (hang, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let check = move |value: &Value| {
        if value["x"] == 2 {
            // Until the test ends, which drops the other end.
            let _never = held.lock().expect("one at a time").recv();
        }
        Ok(())
    };
    let limited = |builder: rekindle::HotReloadBuilder| {
        builder.debounce(SHORT_WINDOW).time_limit(Duration::from_millis(100)).check("app", check)
    };
    let mut running = Running::start_with(site(), limited).await;
    running.site.write(APP, "x = 2\n");
    assert!(refused(&mut running, "app").await.contains("longer than the limit"));
    running.site.write(OTHER, "y = 2\n");
    running.events.reloaded("other").await;
    drop(hang);
    running.site.write(APP, "x = 3\n");
    assert_eq!(running.events.reloaded("app").await.0, json!({ "x": 3 }));
}

/// viper#392 #1528
#[tokio::test]
async fn pain_13_nobody_says_what_changed_and_nobody_can_refuse_it() {
    let refuse = |value: &Value| match value["x"].as_u64() {
        Some(..10) => Ok(()),
        _ => Err(Error::new(ErrorKind::Check, "too much").about("/x")),
    };
    let checked = |builder: rekindle::HotReloadBuilder| builder.debounce(SHORT_WINDOW).check("app", refuse);
    let mut running = Running::start_with(site(), checked).await;
    running.site.write(APP, "x = 11\n");
    assert_eq!(refused(&mut running, "app").await, "config/app.toml:1:5: too much");
    running.site.write(APP, "x = 2\nz = 3\n");
    let is_change = |event: &ChangeEvent| matches!(event, ChangeEvent::ConfigChanged { .. });
    let ChangeEvent::ConfigChanged { changed, .. } = running.events.until("the change", is_change).await
    else {
        panic!("no change");
    };
    assert_eq!(changed, ["/x", "/z"]);
}

/// viper#174 #378, koanf#244
#[tokio::test]
async fn pain_14_a_watcher_cannot_be_stopped() {
    let running = Running::start(site()).await;
    let mut apps = running.manager.watch::<Value>("app").await.expect("a stream");
    running.manager.clone().shutdown().await.expect("it ends");
    assert_eq!(apps.next().await, None);
    running.site.write(APP, "x = 2\n");
    assert_eq!(running.manager.reload_now().await.expect_err("it has ended").kind(), ErrorKind::Stopped);
}

/// traefik#5589: a mount that tells of nothing
#[tokio::test]
async fn pain_15_a_silent_mount_is_never_looked_at() {
    let polled = |builder: rekindle::HotReloadBuilder| builder.poll(Duration::from_millis(20));
    let mut running = Running::start_with(site(), polled).await;
    running.site.write(APP, "x = 2\n");
    assert_eq!(running.events.reloaded("app").await.0, json!({ "x": 2 }));
    assert_eq!(running.manager.status().polled_dirs, running.manager.status().watched_dirs);
}
