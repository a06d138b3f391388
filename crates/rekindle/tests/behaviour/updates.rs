//! Changes through the engine: written back into the files, once they have been found good.

use std::time::Duration;

use serde_json::json;

use crate::site::*;
use rekindle::prelude::*;

const APP: &str = "# The shop.\n[server]\nport = 80 # the usual\nhost = \"a\"\n";

#[tokio::test]
async fn an_update_keeps_comments_order_and_mode_and_is_one_reload() {
    let site = Site::new(&[("config/app.toml", APP)]);
    #[cfg(unix)]
    std::fs::set_permissions(
        site.path("config/app.toml"),
        std::os::unix::fs::PermissionsExt::from_mode(0o640),
    )
    .expect("a mode");
    let manager = site.start().await;
    let mut events = manager.subscribe();
    let mut receipts = manager.receipts();
    let receipt = manager.update("app", 1, Patch::set("/server/port", 8080)).await.expect("a receipt");
    assert_eq!(
        (receipt.trigger, receipt.generation, receipt.applied()),
        (Trigger::Update, 2, ["app".to_owned()].as_slice())
    );
    let text = std::fs::read_to_string(site.path("config/app.toml")).expect("the file");
    assert_eq!(text, APP.replace("80 #", "8080 #"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(site.path("config/app.toml")).expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }
    // Whatever the system tells of that write comes before the next one.
    site.write("config/other.toml", "x = 1\n");
    let mut told = Vec::new();
    event(&mut events, "the next change", |event| {
        told.push(event.clone());
        matches!(event, ChangeEvent::ConfigChanged { config_name, .. } if config_name == "other")
            .then_some(())
    })
    .await;
    let of_app = told.iter().filter(
        |event| matches!(event, ChangeEvent::ConfigChanged { config_name, .. } if config_name == "app"),
    );
    assert_eq!(of_app.count(), 1, "{told:?}");
    let files = told
        .iter()
        .filter(|event| matches!(event, ChangeEvent::FileChanged { path, .. } if path.ends_with("app.toml")));
    assert_eq!(files.count(), 1, "{told:?}");
    let triggers: Vec<Trigger> =
        std::iter::from_fn(|| receipts.try_recv().ok()).map(|receipt| receipt.trigger).collect();
    assert_eq!(triggers.iter().filter(|trigger| **trigger == Trigger::Update).count(), 1, "{triggers:?}");
}

#[tokio::test]
async fn a_stale_update_is_refused_and_says_so() {
    let site = Site::new(&[("config/app.toml", APP), ("config/other.toml", "x = 0\n")]);
    let manager = site.start().await;
    let mut events = manager.subscribe();
    site.write("config/app.toml", APP.replace("80 #", "81 #"));
    changed(&mut events, "app").await;
    let error = manager.update("app", 1, Patch::set("/server/port", 82)).await.expect_err("stale");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        error.message().contains("app has changed since generation 1: its value is of generation 2"),
        "{error}"
    );
    // What changed beside it does not matter.
    site.write("config/other.toml", "x = 1\n");
    changed(&mut events, "other").await;
    let receipt = manager.update("app", 2, Patch::set("/server/port", 82)).await.expect("a receipt");
    assert!(receipt.is_applied(), "{receipt:?}");
    let error = manager.update("app", 99, Patch::set("/server/port", 83)).await.expect_err("not yet");
    assert!(error.message().contains("there is no generation 99 yet"), "{error}");
}

#[tokio::test]
async fn an_update_that_is_not_good_leaves_no_trace_on_disk() {
    let site = Site::new(&[
        ("config/app.toml", APP),
        (
            "config/app.schema.json",
            r#"{"properties": {"server": {"properties": {"port": {"maximum": 65535}}}}}"#,
        ),
    ]);
    let refuses = |event: ChangeEvent| match event {
        ChangeEvent::ConfigChanged { new_value, .. } if new_value["server"]["port"] == 666 => {
            Err("no".into())
        }
        _ => Ok(()),
    };
    let builder = site.builder().check("app", |app| match app["server"]["port"].as_u64() {
        Some(13) => Err("unlucky".into()),
        _ => Ok(()),
    });
    let manager = builder.register(Registration::new(refuses).named("r")).start().await.expect("an engine");
    for (port, by) in [(70000, "schema"), (13, "check")] {
        let receipt = manager.update("app", 1, Patch::set("/server/port", port)).await.expect("a receipt");
        assert_eq!(receipt.refusals()[0].by, by, "{receipt:?}");
        assert_eq!(std::fs::read_to_string(site.path("config/app.toml")).expect("the file"), APP);
    }
    let error = manager.update(
        "app",
        1,
        Patch::json(json!([{"op": "test", "path": "/server/port", "value": 1}])).expect("a patch"),
    );
    error.await.expect_err("the test fails");
    manager.update("nothing", 1, Patch::remove("/x")).await.expect_err("no such configuration");
    assert_eq!(manager.snapshot().generation(), 1);
    // What was refused of an update is no fault of what is on disk.
    assert_eq!(manager.snapshot().get("app").expect("it")["server"]["port"], 80);
    assert!(!manager.status().is_degraded(), "{:?}", manager.status());
}

#[tokio::test]
async fn what_somebody_else_wrote_meanwhile_is_not_overwritten() {
    let site = Site::new(&[("config/app.toml", APP)]);
    let manager = site.builder().poll(Duration::from_secs(3600)).start().await.expect("an engine");
    site.write("config/app.toml", APP.replace("\"a\"", "\"b\""));
    let receipt = manager.update("app", 1, Patch::set("/server/port", 81)).await.expect("a receipt");
    let refusal = &receipt.refusals()[0];
    assert_eq!((refusal.by.as_str(), refusal.error.kind()), ("conflict", ErrorKind::Conflict));
    let text = std::fs::read_to_string(site.path("config/app.toml")).expect("the file");
    assert_eq!(text, APP.replace("\"a\"", "\"b\""));
}

#[tokio::test]
async fn a_value_goes_to_the_file_that_sets_it() {
    let site =
        Site::new(&[("config/app.toml", APP), ("config/app.local.toml", "[server]\nhost = \"local\"\n")]);
    let manager = site.start().await;
    let patch = Patch::merge(json!({"server": {"port": 90, "host": "new"}}));
    let receipt = manager.update("app", 1, patch).await.expect("a receipt");
    assert!(receipt.is_applied(), "{receipt:?}");
    let text = |path: &str| std::fs::read_to_string(site.path(path)).expect("the file");
    assert_eq!(text("config/app.toml"), APP.replace("80 #", "90 #"));
    assert_eq!(text("config/app.local.toml"), "[server]\nhost = \"new\"\n");
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"server": {"port": 90, "host": "new"}})));
}
