//! `app.toml` < `app.{environment}.toml` < `app.local.toml` < environment variables, at run time.

use serde_json::json;

use crate::site::*;
use rekindle::prelude::*;

#[tokio::test]
async fn every_layer_may_appear_change_and_vanish() {
    let site = Site::new(&[("config/app.toml", "[server]\nhost = 'a'\nport = 1\n")]);
    let manager = site.start().await;
    let mut events = manager.subscribe();

    site.write("config/app.development.yaml", "server:\n  port: 2\n");
    assert_eq!(changed(&mut events, "app").await, json!({"server": {"host": "a", "port": 2}}));
    site.write("config/app.local.json", r#"{"server": {"host": "l"}, "extra": [1]}"#);
    assert_eq!(changed(&mut events, "app").await, json!({"server": {"host": "l", "port": 2}, "extra": [1]}));
    site.write("config/app.development.yaml", "server:\n  port: 3\n");
    assert_eq!(changed(&mut events, "app").await["server"]["port"], 3);
    site.remove("config/app.development.yaml");
    assert_eq!(changed(&mut events, "app").await["server"]["port"], 1);
    site.write("config/app.toml", "[server]\nhost = 'b'\nport = 9\n");
    assert_eq!(changed(&mut events, "app").await, json!({"server": {"host": "l", "port": 9}, "extra": [1]}));
    site.remove("config/app.local.json");
    assert_eq!(changed(&mut events, "app").await, json!({"server": {"host": "b", "port": 9}}));
}

#[tokio::test]
async fn the_environment_chooses_its_layer_and_others_do_not_count() {
    let site = Site::new(&[
        ("config/database.yaml", "url: base\n"),
        ("config/database.production.yaml", "url: production\n"),
        ("config/database.staging.yaml", "url: staging\n"),
    ]);
    let manager = site.builder().environment("production").start().await.expect("an engine");
    assert_eq!(manager.snapshot().get("database"), Some(&json!({"url": "production"})));
    assert_eq!(manager.snapshot().names(), ["database"]);
    assert_eq!(manager.status().environment, "production");
    let mut events = manager.subscribe();
    site.write("config/database.staging.yaml", "url: other\n");
    site.write("config/database.production.yaml", "url: new\n");
    assert_eq!(changed(&mut events, "database").await, json!({"url": "new"}));
    assert_eq!(manager.snapshot().generation(), 2, "the other environment's file made no generation");
}

#[tokio::test]
async fn jsonc_is_read_and_json_stays_strict() {
    let site = Site::new(&[
        ("config/a.jsonc", "{ // a comment\n \"x\": 1, }"),
        ("config/b.json", "{ // a comment\n \"x\": 1 }"),
    ]);
    let manager = site.builder().watch(["config/*"]).start().await.expect("an engine");
    assert_eq!(manager.snapshot().get("a"), Some(&json!({"x": 1})));
    assert_eq!(manager.snapshot().get("b"), None);
    let status = manager.status();
    let (name, error) = status.failures().next().expect("a failure");
    assert_eq!((name, error.kind(), error.line()), ("b", ErrorKind::Syntax, Some(1)));
}

#[tokio::test]
async fn two_files_for_one_layer_follow_find_configs_order_and_are_told_of() {
    let site = Site::new(&[("config/app.yaml", "from: yaml\n")]);
    let manager = site.start().await;
    let mut events = manager.subscribe();
    site.write("config/app.toml", "from = 'toml'\n");
    let (used, ignored) = event(&mut events, "a warning", |event| match event {
        ChangeEvent::ConfigShadowed { config_name, used, ignored } if config_name == "app" => {
            Some((used.clone(), ignored.clone()))
        }
        _ => None,
    })
    .await;
    assert_eq!((used, ignored), (site.path("config/app.toml"), site.path("config/app.yaml")));
    assert_eq!(changed(&mut events, "app").await, json!({"from": "toml"}));
    site.remove("config/app.toml");
    assert_eq!(changed(&mut events, "app").await, json!({"from": "yaml"}));
}

#[tokio::test]
async fn dot_files_at_the_root_count_as_find_config_has_it() {
    let site = Site::new(&[(".app.toml", "x = 1\n"), (".other.toml", "y = 1\n")]);
    let ws = site.workspace();
    let mut apps = ws.watch_config_changes::<serde_json::Value>("app").await.expect("a stream");
    assert_eq!(apps.current(), &json!({"x": 1}));
    site.write(".app.toml", "x = 2\n");
    assert_eq!(soon("the dot-file", apps.next()).await, Some(json!({"x": 2})));
    site.write("config/app.yaml", "x: 3\n");
    assert_eq!(soon("the file that goes before it", apps.next()).await, Some(json!({"x": 3})));
    let manager = ws.start_hot_reload().await.expect("a manager");
    assert_eq!(manager.snapshot().names(), ["app"], "nobody asked for the other dot-file");
}

/// Says to the test below that it is the process with the variables.
const CHILD: &str = "REKINDLE_TEST_HAS_VARIABLES";

/// Variables belong to a process, and tests run side by side in one: so this runs itself in another.
#[test]
fn variables_with_the_prefix_are_the_strongest_layer() {
    let variables =
        [(CHILD, "1"), ("MY_APP__SERVER__PORT", "81"), ("MY_APP__SERVER__HOST", "123"), ("MY_APP", "no key")];
    let status = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["layers::with_variables", "--exact", "--nocapture"])
        .envs(variables)
        .status();
    assert!(status.expect("a process").success());
}

#[tokio::test]
async fn with_variables() {
    if std::env::var_os(CHILD).is_none() {
        // Only the test above gives it its variables.
        return;
    }
    let site = Site::new(&[("config/app.local.toml", "[server]\nport = 1\nhost = 'h'\nmore = true\n")]);
    let manager = site.builder().env_prefix("MY").start().await.expect("an engine");
    let expected = json!({"server": {"port": 81, "host": "123", "more": true}});
    assert_eq!(manager.snapshot().get("app"), Some(&expected), "a text stays a text, a number is one");
    let mut events = manager.subscribe();
    site.write("config/app.local.toml", "[server]\nport = 2\nhost = 'i'\nmore = false\n");
    assert_eq!(
        changed(&mut events, "app").await,
        json!({"server": {"port": 81, "host": "123", "more": false}})
    );
    let error = manager.watch::<Wrong>("app").await.expect_err("a port is no list");
    assert!(error.to_string().contains("environment variable MY_APP__SERVER__PORT"), "{error}");
}

#[derive(Clone, Debug, serde::Deserialize)]
struct Wrong {
    #[serde(rename = "server")]
    _server: WrongServer,
}

#[derive(Clone, Debug, serde::Deserialize)]
struct WrongServer {
    #[serde(rename = "port")]
    _port: Vec<u8>,
}

#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(default)]
struct Merged {
    a: u32,
    b: u32,
}

impl ConfigMerge for Merged {
    fn merge(self, other: Self) -> Self {
        Self { a: self.a.max(other.a), b: self.b.max(other.b) }
    }
}

#[tokio::test]
async fn several_names_merge_and_stand_or_fall_together() {
    let site = Site::new(&[("config/base.toml", "a = 1\n"), ("config/app.toml", "b = 2\n")]);
    let ws = site.workspace();
    let mut merged = ws.watch_config_layered::<Merged>(&["base", "missing", "app"]).await.expect("a stream");
    assert_eq!(merged.current(), &Merged { a: 1, b: 2 });
    site.write("config/base.toml", "a = 5\n");
    assert_eq!(soon("the base", merged.next()).await, Some(Merged { a: 5, b: 2 }));
    site.write("config/missing.toml", "b = 7\n");
    assert_eq!(soon("the missing", merged.next()).await, Some(Merged { a: 5, b: 7 }));

    let mut events = ws.start_hot_reload().await.expect("a manager").subscribe();
    site.write("config/app.toml", "b = 'no number'\n");
    let (error, path, line, column) = refused(&mut events, "app").await;
    assert!(error.contains("invalid type"), "{error}");
    assert_eq!((path, line, column), (Some(site.path("config/app.toml")), Some(1), Some(5)));
    assert!(ws.watch_config_layered::<Merged>(&["none", "nil"]).await.is_err());
}

/// Pain 9: what is good is refused only as long as its neighbour is bad.
#[tokio::test]
async fn what_was_refused_for_its_neighbour_arrives_once_that_alone_is_mended() {
    let site = Site::new(&[("config/base.toml", "a = 1\n"), ("config/app.toml", "b = 1\n")]);
    // Long: a loaded machine may hold the saver up between the two.
    let manager =
        site.builder().settle(std::time::Duration::from_millis(500)).start().await.expect("an engine");
    let stream = manager.watch_layered::<Merged>(&["base", "app"]).await.expect("a stream");
    let live = stream.live();
    let mut events = manager.subscribe();
    site.write("config/base.toml", "a = 1\na = 2\n");
    site.write("config/app.toml", "b = 2\n");
    let (error, ..) = refused(&mut events, "app").await;
    assert!(error.contains("base.toml"), "{error}");
    site.write("config/base.toml", "a = 2\n");
    soon("the end of all faults", async {
        while manager.status().is_degraded() {
            events.recv().await.expect("the bus is open");
        }
    })
    .await;
    assert_eq!(*live.load(), Merged { a: 2, b: 2 });
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"b": 2})));
}

/// Nobody looked at such a file when it was made: its name matches none of the default patterns.
#[tokio::test]
async fn a_configuration_that_was_made_before_it_is_asked_for_is_found() {
    let site = Site::new(&[("config/a.yml", "x: 1\n")]);
    let manager = site.start().await;
    let _armed = manager.watch::<serde_json::Value>("a").await.expect("a stream");
    let mut events = manager.subscribe();
    site.write("config/b.yml", "x: 2\n");
    // What comes after it in the queue has been seen, and so it has been, too.
    site.write("config/c.toml", "x = 3\n");
    changed(&mut events, "c").await;
    let mut b = manager.watch::<serde_json::Value>("b").await.expect("it is there");
    assert_eq!(b.current(), &json!({"x": 2}));
    site.write("config/b.yml", "x: 3\n");
    assert_eq!(soon("its next value", b.next()).await, Some(json!({"x": 3})));
}

#[cfg(unix)]
#[tokio::test]
async fn a_configuration_directory_that_is_a_link_may_lead_elsewhere() {
    use std::os::unix::fs::symlink;
    let site = Site::new(&[("one/app.toml", "x = 1\n"), ("two/app.toml", "x = 2\n")]);
    std::fs::remove_dir(site.path("config")).expect("an empty directory");
    symlink("one", site.path("config")).expect("a link");
    let manager = site.start().await;
    let mut events = manager.subscribe();
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 1})));
    site.write("one/app.toml", "x = 11\n");
    assert_eq!(changed(&mut events, "app").await, json!({"x": 11}));
    symlink("two", site.path("next")).expect("a link");
    std::fs::rename(site.path("next"), site.path("config")).expect("swapped");
    assert_eq!(changed(&mut events, "app").await, json!({"x": 2}));
    site.write("two/app.toml", "x = 22\n");
    assert_eq!(changed(&mut events, "app").await, json!({"x": 22}));
}
