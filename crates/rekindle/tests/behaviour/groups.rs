//! Configurations that are checked together are applied together.

use serde_json::json;

use crate::site::*;
use rekindle::prelude::*;

/// An engine in which the pool of `app` must not be larger than the connections of `database`.
async fn start(site: &Site) -> HotReloadManager {
    let builder = site.builder().check_all(["app", "database"], |values| {
        let (Some(app), Some(database)) = (values.get("app"), values.get("database")) else { return Ok(()) };
        if app["pool"].as_u64() <= database["connections"].as_u64() {
            return Ok(());
        }
        let refusal = Error::new(ErrorKind::Check, "more than the database allows");
        Err(refusal.of_config("app").about("/pool"))
    });
    builder.start().await.expect("an engine")
}

const FILES: &[(&str, &str)] =
    &[("config/app.toml", "# app\npool = 5\n"), ("config/database.toml", "connections = 10\n")];

#[tokio::test]
async fn what_fits_together_is_one_generation() {
    let site = Site::new(FILES);
    let manager = start(&site).await;
    let mut events = manager.subscribe();
    // Neither of them fits the old value of the other.
    site.write("config/app.toml", "# app\npool = 50\n");
    site.write("config/database.toml", "connections = 100\n");
    assert_eq!(changed(&mut events, "app").await, json!({"pool": 50}));
    let snapshot = manager.snapshot();
    assert_eq!((snapshot.generation(), snapshot.get("database")), (2, Some(&json!({"connections": 100}))));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_at_its_line_and_taken_once_the_other_has_changed() {
    let site = Site::new(FILES);
    let manager = start(&site).await;
    let mut events = manager.subscribe();
    site.write("config/app.toml", "# app\npool = 50\n");
    let (error, path, line, _) = refused(&mut events, "app").await;
    assert_eq!((path, line), (Some(site.path("config/app.toml")), Some(2)), "{error}");
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"pool": 5})));
    site.write("config/database.toml", "connections = 100\n");
    assert_eq!(changed(&mut events, "app").await, json!({"pool": 50}));
    recovered(&mut events, "app").await;
    assert!(!manager.status().is_degraded());
}

#[tokio::test]
async fn two_changes_that_only_fit_together_are_taken_whichever_comes_first() {
    let site = Site::new(FILES);
    let manager = start(&site).await;
    let mut events = manager.subscribe();
    // Fewer connections than the pool of now: refused, until the pool is smaller, too.
    site.write("config/database.toml", "connections = 2\n");
    let (error, path, ..) = refused(&mut events, "database").await;
    assert_eq!(path, Some(site.path("config/app.toml")), "it is the pool that is too large: {error}");
    site.write("config/app.toml", "# app\npool = 1\n");
    assert_eq!(changed(&mut events, "database").await, json!({"connections": 2}));
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"pool": 1})));
    // And back, in an order in which each alone is refused.
    site.write("config/app.toml", "# app\npool = 7\n");
    refused(&mut events, "app").await;
    site.write("config/database.toml", "connections = 6\n");
    changed(&mut events, "database").await;
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"pool": 1})));
    site.write("config/database.toml", "connections = 8\n");
    assert_eq!(changed(&mut events, "app").await, json!({"pool": 7}));
}

#[tokio::test]
async fn a_group_that_is_refused_keeps_nobody_else_back() {
    let site = Site::new(FILES);
    site.write("config/other.toml", "x = 1\n");
    let manager = start(&site).await;
    let mut events = manager.subscribe();
    site.write("config/app.toml", "# app\npool = 500\n");
    site.write("config/database.toml", "connections = 100\n");
    site.write("config/other.toml", "x = 2\n");
    assert_eq!(changed(&mut events, "other").await, json!({"x": 2}));
    let receipt = manager.reload_now().await.expect("an answer");
    let refused: Vec<&str> = receipt.refusals().iter().map(|refusal| refusal.config.as_str()).collect();
    assert_eq!(refused, ["app", "database"], "refused as a whole");
    assert_eq!(manager.snapshot().get("database"), Some(&json!({"connections": 10})));
}
