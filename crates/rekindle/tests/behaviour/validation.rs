//! Validated first, all or nothing; what is refused stays visible until a good file arrives.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::site::*;
use rekindle::prelude::*;

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct App {
    port: u16,
}

const SCHEMA: &str = r#"{"type": "object", "properties": {"port": {"maximum": 1000}}, "required": ["port"]}"#;

#[tokio::test]
async fn a_syntax_error_is_pointed_at_and_the_good_value_stays() {
    let site = Site::new(&[("config/app.toml", "port = 1\n")]);
    let manager = site.start().await;
    let mut apps = manager.watch::<App>("app").await.expect("a stream");
    let live = apps.live();
    let mut events = manager.subscribe();

    site.write("config/app.toml", "# comment\nport = = 2\n");
    let (error, path, line, column) = refused(&mut events, "app").await;
    assert!(error.starts_with("config/app.toml:2:8: "), "{error}");
    assert_eq!((path, line, column), (Some(site.path("config/app.toml")), Some(2), Some(8)));
    assert_eq!(live.load().port, 1);
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"port": 1})));
    assert!(manager.status().is_degraded());

    site.write("config/app.toml", "port = 2\n");
    assert_eq!(soon("the mended file", apps.next()).await, Some(App { port: 2 }));
    recovered(&mut events, "app").await;
    assert!(!manager.status().is_degraded());
    assert_eq!(live.load().port, 2);
}

#[tokio::test]
async fn going_back_to_the_good_content_recovers_without_a_change() {
    let site = Site::new(&[("config/app.toml", "port = 1\n")]);
    let manager = site.start().await;
    let mut events = manager.subscribe();
    site.write("config/app.toml", "port = \n");
    refused(&mut events, "app").await;
    site.write("config/app.toml", "port = 1\n");
    recovered(&mut events, "app").await;
    assert_eq!(manager.snapshot().generation(), 1);
}

/// Pain 13 in other libraries: a subscriber for whom the value makes no sense cannot refuse it.
#[tokio::test]
async fn every_subscribers_type_has_a_veto_for_all() {
    #[derive(Clone, Debug, Deserialize)]
    struct Other {
        #[serde(rename = "name")]
        _name: String,
    }
    let site = Site::new(&[("config/app.toml", "port = 1\nname = 'x'\n")]);
    let manager = site.start().await;
    let apps = manager.watch::<App>("app").await.expect("a stream");
    let others = manager.watch::<Other>("app").await.expect("another");
    let live = apps.live();
    let mut events = manager.subscribe();

    site.write("config/app.toml", "port = 2\nname = 5\n");
    let (error, _, line, column) = refused(&mut events, "app").await;
    assert!(error.contains("expected a string"), "{error}");
    assert_eq!((line, column), (Some(2), Some(8)));
    assert_eq!(live.load().port, 1, "nobody sees what one of them cannot read");

    // Once nobody reads it as that type any more, it is nobody's business.
    drop(others);
    site.write("config/app.toml", "port = 3\nname = 5\n");
    assert_eq!(changed(&mut events, "app").await["port"], 3);
    assert_eq!(live.load().port, 3);
}

#[tokio::test]
async fn a_schema_is_found_by_name_and_may_change_itself() {
    let site = Site::new(&[("config/app.toml", "port = 80\n"), ("config/app.schema.json", SCHEMA)]);
    let manager = site.start().await;
    assert_eq!(manager.snapshot().names(), ["app"], "a schema is no configuration");
    let mut events = manager.subscribe();

    site.write("config/app.toml", "# ports\n\nport = 5000\n");
    let (error, path, line, column) = refused(&mut events, "app").await;
    assert!(error.contains("5000 is greater than the maximum of 1000"), "{error}");
    assert_eq!((path, line, column), (Some(site.path("config/app.toml")), Some(3), Some(8)));

    site.write("config/app.schema.json", SCHEMA.replace("1000", "9000"));
    assert_eq!(
        changed(&mut events, "app").await,
        json!({"port": 5000}),
        "the schema was the fault, and is mended"
    );
    recovered(&mut events, "app").await;

    site.write("config/app.schema.json", r#"{"type": 12}"#);
    let (error, path, ..) = refused(&mut events, "app").await;
    assert!(error.contains("no usable JSON Schema"), "{error}");
    assert_eq!(path, Some(site.path("config/app.schema.json")));
    site.remove("config/app.schema.json");
    recovered(&mut events, "app").await;
}

#[tokio::test]
async fn a_missing_field_points_at_the_table_that_lacks_it() {
    let site = Site::new(&[("config/app.toml", "port = 80\n"), ("config/app.schema.json", SCHEMA)]);
    let manager = site.start().await;
    let mut events = manager.subscribe();
    site.write("config/app.toml", "other = 1\n");
    let (error, path, ..) = refused(&mut events, "app").await;
    assert!(error.contains("\"port\" is a required property"), "{error}");
    assert_eq!(path, Some(site.path("config/app.toml")));
}

#[tokio::test]
async fn a_check_refuses_points_and_may_panic() {
    let site = Site::new(&[("config/app.toml", "port = 80\n")]);
    let check = |value: &Value| match value["port"].as_u64() {
        Some(13) => panic!("unlucky"),
        Some(..=99) => Ok(()),
        _ => Err(Error::new(ErrorKind::Check, "is too high").about("/port")),
    };
    let manager = site.builder().check("app", check).start().await.expect("an engine");
    let mut events = manager.subscribe();

    site.write("config/app.toml", "a = 1\nport = 100\n");
    let (error, _, line, column) = refused(&mut events, "app").await;
    assert_eq!(error, "config/app.toml:2:8: is too high");
    assert_eq!((line, column), (Some(2), Some(8)));

    site.write("config/app.toml", "port = 13\n");
    let (error, ..) = refused(&mut events, "app").await;
    assert!(error.contains("a check panicked: unlucky"), "{error}");
    site.write("config/app.toml", "port = 14\n");
    assert_eq!(
        changed(&mut events, "app").await,
        json!({"port": 14}),
        "the panic harmed only its own change"
    );
}

#[tokio::test]
async fn without_validation_schema_and_checks_are_skipped_but_never_syntax_and_type() {
    let site = Site::new(&[("config/app.toml", "port = 80\n"), ("config/app.schema.json", SCHEMA)]);
    let never = |_: &Value| Err(Error::from("no"));
    let manager = site.builder().validate(false).check("app", never).start().await.expect("an engine");
    let apps = manager.watch::<App>("app").await.expect("a stream");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "port = 5000\n");
    assert_eq!(changed(&mut events, "app").await, json!({"port": 5000}));
    site.write("config/app.toml", "port = 'x'\n");
    refused(&mut events, "app").await;
    site.write("config/app.toml", "port = \n");
    refused(&mut events, "app").await;
    assert_eq!(apps.live().load().port, 5000);
}

/// Pain 9: one bad file drops all the others.
#[tokio::test]
async fn one_bad_file_keeps_no_other_back() {
    let site = Site::new(&[("config/bad.toml", "x = \n"), ("config/good.toml", "x = 1\n")]);
    let manager = site.start().await;
    assert_eq!(manager.snapshot().get("good"), Some(&json!({"x": 1})));
    assert_eq!(manager.snapshot().get("bad"), None);
    let mut events = manager.subscribe();
    site.write("config/bad.toml", "x = = \n");
    site.write("config/good.toml", "x = 2\n");
    assert_eq!(changed(&mut events, "good").await, json!({"x": 2}));
    refused(&mut events, "bad").await;
}

/// Pain 11: a reload hangs, and everything with it.
#[tokio::test]
async fn a_check_that_hangs_harms_its_own_configuration_only() {
    let site = Site::new(&[("config/slow.toml", "x = 1\n"), ("config/fast.toml", "x = 1\n")]);
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let check = move |value: &Value| {
        if value["x"] == 2 {
            gate.lock().expect("a whole gate").recv().expect("the test lets it go");
        }
        Ok(())
    };
    let limit = std::time::Duration::from_secs(2);
    let manager = site.builder().check("slow", check).time_limit(limit).start().await.expect("an engine");
    let (mut events, mut slow) = (manager.subscribe(), manager.subscribe());
    site.write("config/slow.toml", "x = 2\n");
    site.write("config/fast.toml", "x = 2\n");
    assert_eq!(changed(&mut events, "fast").await, json!({"x": 2}));
    let (error, ..) = refused(&mut slow, "slow").await;
    assert!(error.contains("longer than the limit"), "{error}");
    site.write("config/slow.toml", "x = 3\n");
    site.write("config/fast.toml", "x = 3\n");
    assert_eq!(changed(&mut events, "fast").await, json!({"x": 3}));
    release.send(()).expect("the check still waits");
    assert_eq!(changed(&mut slow, "slow").await, json!({"x": 3}), "what came meanwhile has its turn");
}

#[tokio::test]
async fn a_deleted_configuration_keeps_its_last_value_and_is_told_of() {
    let site = Site::new(&[("config/app.toml", "port = 1\n")]);
    let manager = site.start().await;
    let mut events = manager.subscribe();
    site.remove("config/app.toml");
    let path = event(&mut events, "the deletion", |event| match event {
        ChangeEvent::FileChanged { path, change_type: ChangeType::Deleted } => Some(path.clone()),
        _ => None,
    })
    .await;
    assert_eq!(path, site.path("config/app.toml"));
    let (error, ..) = refused(&mut events, "app").await;
    assert!(error.contains("was deleted"), "{error}");
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"port": 1})));
    site.write("config/app.toml", "port = 2\n");
    assert_eq!(changed(&mut events, "app").await, json!({"port": 2}));
}

#[tokio::test]
async fn a_bad_file_that_never_was_good_is_forgotten_with_its_deletion() {
    let site = Site::new(&[]);
    let manager =
        site.builder().debounce(std::time::Duration::from_millis(50)).start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/oops.toml", "x = \n");
    refused(&mut events, "oops").await;
    site.remove("config/oops.toml");
    recovered(&mut events, "oops").await;
    assert!(!manager.status().is_degraded() && manager.status().configs.is_empty());
}

/// The content is what is in use, and all the same it is not what the schema allows now. Pain 7.
#[tokio::test]
async fn a_refusal_by_a_new_schema_stays_visible_until_the_value_or_the_schema_is_mended() {
    let site = Site::new(&[("config/app.toml", "port = 1\n")]);
    let manager = site.start().await;
    let mut events = manager.subscribe();
    let schema = |minimum: u32| format!(r#"{{"properties": {{"port": {{"minimum": {minimum}}}}}}}"#);
    site.write("config/app.schema.json", schema(10));
    let (error, ..) = refused(&mut events, "app").await;
    assert!(error.contains("minimum"), "{error}");
    site.write("config/app.toml", "port = 1\n");
    site.write("config/other.toml", "x = 1\n");
    changed(&mut events, "other").await;
    assert!(manager.status().is_degraded(), "port = 1 still is below the minimum");
    manager.reload_now().await.expect("an answer");
    assert!(manager.status().is_degraded(), "and it is when asked");

    site.write("config/app.schema.json", schema(1));
    recovered(&mut events, "app").await;
    assert!(!manager.status().is_degraded());
}
