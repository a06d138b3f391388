//! A configuration's file under another name: what it held is in use there, and no longer here.

use rekindle::{ChangeEvent, ConfigState};
use rekindle_test::{Running, SHORT_WINDOW, Site};
use serde_json::json;

async fn started(site: Site) -> Running {
    Running::start_with(site, |builder| builder.debounce(SHORT_WINDOW)).await
}

/// The usual way to switch a layer off for a while. The new name is watched as well, as a file.
#[tokio::test]
async fn a_layer_renamed_away_is_no_longer_in_use() {
    let site = Site::new().with("config/app.toml", "value = 1").with("config/app.local.toml", "value = 2");
    let mut running = started(site).await;
    assert_eq!(running.value("app"), json!({ "value": 2 }));
    running.site.rename("config/app.local.toml", "config/app.local.off.toml");
    running.quiet_after_window().await;
    assert_eq!(running.value("app"), json!({ "value": 1 }), "{:#?}", running.events.story());
}

#[tokio::test]
async fn a_layer_renamed_to_another_layer_is_in_use_there() {
    let site = Site::new().with("config/app.toml", "a = 1").with("config/app.local.toml", "b = 2");
    let mut running = started(site).await;
    running.site.rename("config/app.local.toml", "config/app.test.toml");
    running.quiet_after_window().await;
    assert_eq!(running.value("app"), json!({ "a": 1, "b": 2 }));
    let files = running.manager.status().configs["app"].files.clone();
    assert_eq!(files, ["config/app.toml", "config/app.test.toml"].map(|file| running.site.path(file)));
}

/// As after a deletion: the last good value stays, and the status says that nothing holds it any more.
#[tokio::test]
async fn a_configuration_renamed_is_missed_under_its_old_name() {
    let mut running = started(Site::new().with("config/app.toml", "value = 1")).await;
    running.site.rename("config/app.toml", "config/other.toml");
    let (other, _) = running.events.reloaded("other").await;
    assert_eq!(other, json!({ "value": 1 }));
    // Not `quiet`, for which nothing may be wrong: the fault itself is the end of this.
    running.events.until("the missing configuration", |event| is_refusal(event, "app")).await;
    assert!(matches!(running.manager.status().configs["app"].state, ConfigState::Degraded(_)));
    assert_eq!(running.value("app"), json!({ "value": 1 }));
}

fn is_refusal(event: &ChangeEvent, config: &str) -> bool {
    matches!(event, ChangeEvent::ValidationFailed { config_name, .. } if config_name == config)
}
