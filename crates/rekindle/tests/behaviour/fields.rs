//! Fields that need a restart keep their running values; immutable ones refuse a change.

use rekindle::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::site::*;

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct App {
    port: u16,
    name: String,
}

/// What is pending of a configuration: pointer, running value, value on disk.
fn pending(manager: &HotReloadManager, config: &str) -> Vec<(String, Option<Value>, Option<Value>)> {
    let pending = manager.status().configs[config].pending.clone();
    pending.into_iter().map(|one| (one.pointer, one.running, one.on_disk)).collect()
}

fn one(
    pointer: &str,
    running: impl Into<Value>,
    on_disk: impl Into<Value>,
) -> (String, Option<Value>, Option<Value>) {
    (pointer.to_owned(), Some(running.into()), Some(on_disk.into()))
}

async fn reload(manager: &HotReloadManager) -> Receipt {
    soon("a receipt", manager.reload_now()).await.expect("a running engine")
}

#[tokio::test]
async fn a_restart_field_keeps_its_running_value_and_the_rest_is_applied() {
    let site = Site::new(&[("config/app.toml", "port = 80\nname = 'a'\n")]);
    let manager = site.builder().restart("app", "/port").start().await.expect("an engine");
    let mut apps = manager.watch::<App>("app").await.expect("a stream");
    let mut events = manager.subscribe();
    assert_eq!(pending(&manager, "app"), []);

    site.write("config/app.toml", "port = 81\nname = 'b'\n");
    assert_eq!(changed(&mut events, "app").await, json!({"port": 80, "name": "b"}));
    assert_eq!(soon("the value", apps.next()).await, Some(App { port: 80, name: "b".into() }));
    reload(&manager).await;
    assert_eq!(pending(&manager, "app"), [one("/port", 80, 81)]);
    assert!(!manager.status().is_degraded(), "it is as it was asked to be");

    // Another edit, and a third that takes the field away.
    site.write("config/app.toml", "name = 'c'\nport = 82\n");
    assert_eq!(changed(&mut events, "app").await, json!({"port": 80, "name": "c"}));
    reload(&manager).await;
    assert_eq!(pending(&manager, "app"), [one("/port", 80, 82)]);
    let files = &manager.status().configs["app"].files;
    assert_eq!(*files, [site.path("config/app.toml")], "the file that 80 is from is no layer");

    site.write("config/app.toml", "# as it was\nport = 80\nname = 'd'\n");
    assert_eq!(changed(&mut events, "app").await, json!({"port": 80, "name": "d"}));
    reload(&manager).await;
    assert_eq!(pending(&manager, "app"), [], "nothing is pending any more");
}

#[tokio::test]
async fn a_change_of_restart_fields_alone_is_no_change_but_pending() {
    let site = Site::new(&[("config/app.toml", "port = 80\n"), ("config/other.toml", "x = 1\n")]);
    let manager = site.builder().restart("app", "/port").start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "port = 81\n");
    let receipt = reload(&manager).await;
    assert!(matches!(receipt.outcome, ReloadOutcome::Unchanged) && receipt.generation == 1, "{receipt:?}");
    assert_eq!(pending(&manager, "app"), [one("/port", 80, 81)]);
    // The same bytes again, whoever asks.
    for _ in 0..3 {
        site.write("config/app.toml", "port = 81\n");
        reload(&manager).await;
        assert_eq!(pending(&manager, "app"), [one("/port", 80, 81)]);
    }
    // A comment more, many times over.
    for number in 0..3 {
        site.write("config/app.toml", format!("# {number}\nport = 81\n"));
        reload(&manager).await;
        assert_eq!(pending(&manager, "app"), [one("/port", 80, 81)]);
    }
    site.write("config/app.toml", "port = 80\n");
    reload(&manager).await;
    assert_eq!(pending(&manager, "app"), []);
    let is_change = |event: &ChangeEvent| matches!(event, ChangeEvent::ConfigChanged { .. });
    assert!(!so_far(&mut events).iter().any(is_change), "no value has changed");
    assert_eq!(manager.snapshot().generation(), 1);
}

#[tokio::test]
async fn a_field_that_appears_or_disappears_waits_for_a_restart_as_well() {
    let site = Site::new(&[("config/app.toml", "a = 1\n[tls]\ncert = 'c'\n[pools]\nx = { size = 1 }\n")]);
    let builder = site.builder().restart("app", "/tls/cert").restart("app", "/b");
    let builder = builder.restart("app", "/pools/*/size");
    let manager = builder.start().await.expect("an engine");
    site.write("config/app.toml", "a = 2\nb = 3\n[pools]\nx = { size = 2 }\ny = { size = 3 }\n");
    reload(&manager).await;
    let expected = json!({"a": 2, "tls": {"cert": "c"}, "pools": {"x": {"size": 1}, "y": {"size": 3}}});
    assert_eq!(manager.snapshot().get("app"), Some(&expected));
    let expected = [
        ("/b".to_owned(), None, Some(json!(3))),
        one("/pools/x/size", 1, 2),
        ("/tls/cert".to_owned(), Some(json!("c")), None),
    ];
    assert_eq!(pending(&manager, "app"), expected);
}

#[tokio::test]
async fn the_elements_of_a_list_are_held_by_index_and_those_beyond_are_applied() {
    let site = Site::new(&[("config/app.yaml", "ports: [1, 2]\n")]);
    let manager = site.builder().restart("app", "/ports/*").start().await.expect("an engine");
    site.write("config/app.yaml", "ports: [3, 2, 4]\n");
    reload(&manager).await;
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"ports": [1, 2, 4]})));
    assert_eq!(pending(&manager, "app"), [one("/ports/0", 1, 3)]);
    site.write("config/app.yaml", "ports: [3]\n");
    reload(&manager).await;
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"ports": [1]})));
}

#[tokio::test]
async fn code_and_schema_declare_alike_and_together() {
    let schema = |rule: &str| format!(r#"{{"properties": {{"a": {{"x-rekindle": {rule}}}}}}}"#);
    let site = Site::new(&[
        ("config/app.toml", "a = 1\nb = 1\nc = 1\n"),
        ("config/app.schema.json", &schema("[\"restart\"]")),
    ]);
    let manager = site.builder().restart("app", "/b").start().await.expect("an engine");
    site.write("config/app.toml", "a = 2\nb = 2\nc = 2\n");
    reload(&manager).await;
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"a": 1, "b": 1, "c": 2})));
    assert_eq!(pending(&manager, "app"), [one("/a", 1, 2), one("/b", 1, 2)]);

    let mut events = manager.subscribe();
    site.write("config/app.schema.json", schema("\"secret\""));
    assert_eq!(changed(&mut events, "app").await, json!({"a": 2, "b": 1, "c": 2}), "the rule is gone");
    reload(&manager).await;
    assert_eq!(pending(&manager, "app"), [one("/b", 1, 2)]);
}

#[tokio::test]
async fn without_validation_the_rules_of_code_stay() {
    let schema = r#"{"properties": {"a": {"x-rekindle": "restart"}}}"#;
    let site = Site::new(&[("config/app.toml", "a = 1\nb = 1\n"), ("config/app.schema.json", schema)]);
    let builder = site.builder().validate(false).restart("app", "/b");
    let manager = builder.start().await.expect("an engine");
    site.write("config/app.toml", "a = 2\nb = 2\n");
    reload(&manager).await;
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"a": 2, "b": 1})));
}

#[tokio::test]
async fn an_immutable_field_refuses_the_change_and_points_at_it() {
    let site = Site::new(&[("config/app.toml", "id = 'a'\nn = 1\n")]);
    let manager = site.builder().immutable("app", "/id").start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "n = 2\nid = 'b'\n");
    let (error, path, line, column) = refused(&mut events, "app").await;
    let expected = "config/app.toml:2:6: /id is immutable, and is \"a\" in the running program \
                    (put it back, or restart the program)";
    assert_eq!(error, expected);
    assert_eq!((path, line, column), (Some(site.path("config/app.toml")), Some(2), Some(6)));
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"id": "a", "n": 1})));
    let status = manager.status();
    let (_, error) = status.failures().next().expect("a failure");
    assert_eq!((error.kind(), error.pointer()), (ErrorKind::Immutable, Some("/id")));

    site.write("config/app.toml", "n = 2\n");
    let (error, ..) = refused(&mut events, "app").await;
    assert!(error.starts_with("config/app.toml:1:1: /id is immutable"), "{error}");
    site.write("config/app.toml", "n = 3\nid = 'a'\n");
    assert_eq!(changed(&mut events, "app").await, json!({"id": "a", "n": 3}));
}

#[tokio::test]
async fn an_immutable_field_of_the_schema_that_appears_is_refused_too() {
    let schema = r#"{"properties": {"id": {"x-rekindle": ["immutable", "secret"]}}}"#;
    let site = Site::new(&[("config/app.toml", "n = 1\n"), ("config/app.schema.json", schema)]);
    let manager = site.start().await;
    let mut events = manager.subscribe();
    site.write("config/app.toml", "n = 1\nid = 'hunter2'\n");
    let (error, ..) = refused(&mut events, "app").await;
    let expected = "config/app.toml:2:6: /id is immutable, and is absent from the running program \
                    (put it back, or restart the program)";
    assert_eq!(error, expected);
}

#[tokio::test]
async fn what_is_on_disk_has_to_be_good_for_a_restart() {
    let schema = r#"{"properties": {"port": {"maximum": 100}}}"#;
    let site =
        Site::new(&[("config/app.toml", "port = 80\nname = 'a'\n"), ("config/app.schema.json", schema)]);
    let manager = site.builder().restart("app", "/port").start().await.expect("an engine");
    let _apps = manager.watch::<App>("app").await.expect("a stream");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "port = 101\nname = 'b'\n");
    let (error, _, line, _) = refused(&mut events, "app").await;
    assert_eq!(
        (error.as_str(), line),
        ("config/app.toml:1:8: 101 is greater than the maximum of 100", Some(1))
    );
    site.write("config/app.toml", "port = 'x'\nname = 'b'\n");
    let (error, ..) = refused(&mut events, "app").await;
    assert!(error.contains("invalid type: string \"x\", expected u16"), "{error}");
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"port": 80, "name": "a"})));
}

#[tokio::test]
async fn what_only_the_mixture_gets_wrong_is_explained() {
    let site = Site::new(&[("config/app.toml", "min = 1\nmax = 2\n")]);
    let check = |value: &Value| match value["min"].as_u64() <= value["max"].as_u64() {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::Check, "min is above max").about("/min")),
    };
    let manager = site.builder().restart("app", "/max").check("app", check).start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "min = 3\nmax = 4\n");
    let (error, ..) = refused(&mut events, "app").await;
    assert_eq!(error, "config/app.toml:1:7: min is above max (/max keeps its running value until a restart)");
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"min": 1, "max": 2})));
}

#[tokio::test]
async fn a_rule_that_is_none_is_pointed_at_and_the_schema_refused() {
    let site = Site::new(&[("config/app.toml", "a = 1\n")]);
    let manager = site.start().await;
    let mut events = manager.subscribe();
    site.write("config/app.schema.json", "{\"properties\":\n {\"a\": {\"x-rekindle\": \"restrat\"}}}");
    let (error, _, line, column) = refused(&mut events, "app").await;
    let expected = "config/app.schema.json:2:23: \"restrat\" is no rule for a field: \"x-rekindle\" takes \
                    \"restart\", \"immutable\", \"secret\", or a list of them";
    assert_eq!((error.as_str(), line, column), (expected, Some(2), Some(23)));
    for pointer in ["port", ""] {
        let started = HotReload::builder(Site::new(&[]).root()).restart("app", pointer).start().await;
        assert_eq!(started.expect_err("no pointer").kind(), ErrorKind::Pattern);
    }
}

#[tokio::test]
async fn two_starts_have_to_state_the_same_rules() {
    let site = Site::new(&[("config/app.toml", "a = 1\n")]);
    let builder = || site.builder().restart("app", "/a").secret("app", "/b");
    let _manager = builder().start().await.expect("an engine");
    let other_order = site.builder().secret("app", "/b").restart("app", "/a");
    other_order.start().await.expect("the same rules");
    let refused = builder().immutable("app", "/c").start().await.expect_err("other rules");
    assert_eq!(refused.kind(), ErrorKind::Conflict);
}
