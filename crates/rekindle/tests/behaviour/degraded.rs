//! What cannot be watched for a while: degraded, loudly, and recovered by itself.

use serde_json::json;

use crate::site::*;
use rekindle::prelude::*;

async fn degraded(events: &mut tokio::sync::broadcast::Receiver<ChangeEvent>) -> String {
    event(events, "the degradation", |event| match event {
        ChangeEvent::Degraded { reason } => Some(reason.clone()),
        _ => None,
    })
    .await
}

async fn whole_again(events: &mut tokio::sync::broadcast::Receiver<ChangeEvent>) {
    let whole =
        |event: &ChangeEvent| matches!(event, ChangeEvent::Recovered { config_name: None }).then_some(());
    event(events, "the recovery", whole).await;
}

#[tokio::test]
async fn the_root_renamed_away_and_back() {
    let site = Site::new(&[("root/config/app.toml", "x = 1\n")]);
    let manager = HotReload::builder(site.path("root")).start().await.expect("an engine");
    let mut events = manager.subscribe();
    std::fs::rename(site.path("root"), site.path("away")).expect("moved");
    let reason = degraded(&mut events).await;
    assert!(reason.contains("is missing"), "{reason}");
    assert!(manager.status().is_degraded());
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 1})));

    std::fs::rename(site.path("away"), site.path("root")).expect("moved back");
    whole_again(&mut events).await;
    site.write("root/config/app.toml", "x = 2\n");
    assert_eq!(changed(&mut events, "app").await, json!({"x": 2}));
    assert!(!manager.status().is_degraded());
}

#[tokio::test]
async fn the_root_deleted_and_made_anew_with_other_content() {
    let site = Site::new(&[("root/config/app.toml", "x = 1\n")]);
    let manager = HotReload::builder(site.path("root")).start().await.expect("an engine");
    let mut events = manager.subscribe();
    // Once it is written, nothing is made in a directory that is being emptied.
    manager.history("app").await.expect("a history");
    std::fs::remove_dir_all(site.path("root")).expect("removed");
    degraded(&mut events).await;
    site.write("root/config/app.toml", "x = 2\n");
    assert_eq!(changed(&mut events, "app").await, json!({"x": 2}));
    site.write("root/templates/a.html", "a");
    let path = event(&mut events, "the template", |event| match event {
        ChangeEvent::FileChanged { path, .. } if path.ends_with("a.html") => Some(path.clone()),
        _ => None,
    })
    .await;
    assert_eq!(path, site.path("root/templates/a.html"));
}

#[tokio::test]
async fn the_configuration_directory_renamed_away_and_back() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let manager =
        site.builder().debounce(std::time::Duration::from_millis(50)).start().await.expect("an engine");
    let mut events = manager.subscribe();
    std::fs::rename(site.path("config"), site.path("away")).expect("moved");
    refused(&mut events, "app").await;
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 1})));
    std::fs::rename(site.path("away"), site.path("config")).expect("moved back");
    recovered(&mut events, "app").await;
    site.write("config/app.toml", "x = 2\n");
    assert_eq!(changed(&mut events, "app").await, json!({"x": 2}));
}

/// Root may list every directory, so there is nothing to tell of when it runs this.
#[cfg(unix)]
#[tokio::test]
async fn a_directory_that_may_not_be_listed_is_told_of() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let site = Site::new(&[("config/app.toml", "x = 1\n"), ("config/secret/b.toml", "x = 1\n")]);
    let secret = site.path("config/secret");
    let mode =
        |mode| std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode)).expect("the mode");
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0);
    mode(0o000);
    let manager = site.start().await;
    let status = manager.status();
    mode(0o700);
    assert_eq!(status.degraded.is_some(), !is_root, "{status:#?}");
    if let Some(reason) = status.degraded {
        assert!(reason.contains("config/secret cannot be watched"), "{reason}");
        assert!(reason.contains("give the program the right to read it"), "{reason}");
    }
}
