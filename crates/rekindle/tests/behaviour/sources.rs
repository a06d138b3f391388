//! defaults < files < secrets < `.env` < environment variables < overrides, at run time, and what is told
//! of where a value is from.

use std::sync::{Arc, Condvar, Mutex};

use rekindle::prelude::*;
use rekindle_test::child;
use serde_json::json;

use crate::site::*;

/// What an origin shows, and the value.
fn layers(manager: &HotReloadManager, pointer: &str) -> Vec<String> {
    let layers = manager.snapshot().layers("app", pointer);
    layers.iter().map(|(origin, value)| format!("{origin}: {value}")).collect()
}

fn port(manager: &HotReloadManager) -> serde_json::Value {
    manager.snapshot().get("app").expect("it exists")["port"].clone()
}

async fn start(builder: HotReloadBuilder) -> HotReloadManager {
    builder.start().await.expect("an engine")
}

#[tokio::test]
async fn each_layer_lies_over_the_one_below() {
    let site = Site::new(&[("secrets/x", "")]);
    let builder = site.builder().defaults("app", json!({"port": 1, "host": "code"}));
    let builder = builder.secrets_dir("secrets").dotenv(".env").env_prefix("NOBODY_SETS_THIS");
    let manager = start(builder).await;
    let mut events = manager.subscribe();
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"port": 1, "host": "code"})));
    site.write("config/app.toml", "port = 2\n");
    assert_eq!(changed(&mut events, "app").await, json!({"port": 2, "host": "code"}));
    site.write("config/app.local.toml", "port = 3\n");
    assert_eq!(changed(&mut events, "app").await["port"], 3);
    site.write("secrets/APP__PORT", "4\n");
    assert_eq!(changed(&mut events, "app").await["port"], 4);
    site.write(".env", "NOBODY_SETS_THIS_APP__PORT=5\n");
    assert_eq!(changed(&mut events, "app").await["port"], 5);
    let expected = [
        ".env:1:28: 5",
        "secrets/APP__PORT: 4",
        "config/app.local.toml:1:8: 3",
        "config/app.toml:1:8: 2",
        "code default: 1",
    ];
    assert_eq!(layers(&manager, "/port"), expected);
    site.remove(".env");
    assert_eq!(changed(&mut events, "app").await["port"], 4);
    site.remove("secrets/APP__PORT");
    assert_eq!(changed(&mut events, "app").await["port"], 3);
    assert!(!manager.status().is_degraded());
}

#[tokio::test]
async fn overrides_are_over_everything_and_stay() {
    let site = Site::new(&[("config/app.toml", "port = 2\nlist = [1, 2]\n"), (".env", "APP__PORT=3\n")]);
    let builder = site.builder().dotenv(".env").set_override("app", "/list/1", 9);
    let manager = start(builder.override_args(["app.port=7", "app.port=8", "app.new.key=text"])).await;
    let mut events = manager.subscribe();
    let value = json!({"port": 8, "list": [1, 9], "new": {"key": "text"}});
    assert_eq!(manager.snapshot().get("app"), Some(&value));
    site.write("config/app.toml", "port = 4\nlist = [5, 6]\n");
    assert_eq!(changed(&mut events, "app").await, json!({"port": 8, "list": [5, 9], "new": {"key": "text"}}));
    let expected = ["override: 8", "override: 7", ".env:1:11: 3", "config/app.toml:1:8: 4"];
    assert_eq!(layers(&manager, "/port"), expected);
}

#[tokio::test]
async fn malformed_defaults_and_overrides_do_not_start() {
    let site = Site::new(&[]);
    let builder = site.builder().override_args(["app"]).set_override("app", "port", 1);
    let builder = builder.defaults("app", 5).defaults("../app", json!({}));
    let error = builder.start().await.expect_err("refused");
    let problems: Vec<String> = error.problems().map(|problem| problem.message().to_owned()).collect();
    assert_eq!(problems.len(), 4, "{problems:?}");
    assert_eq!(problems[0], "the override \"app\" has no `=`");
    assert_eq!(problems[1], "\"port\" is no JSON pointer to a key");
    assert_eq!(problems[2], "the defaults of \"app\" are no table of keys at the top");
}

#[tokio::test]
async fn with_defaults_the_deletion_of_the_last_file_goes_back_to_them() {
    let site = Site::new(&[("config/app.toml", "port = 2\n")]);
    let manager = start(site.builder().defaults("app", json!({"port": 1}))).await;
    let stream = manager.watch::<serde_json::Value>("app").await.expect("a stream");
    let live = stream.live();
    let mut events = manager.subscribe();
    site.remove("config/app.toml");
    assert_eq!(changed(&mut events, "app").await, json!({"port": 1}));
    assert!(!manager.status().is_degraded());
    assert_eq!(manager.snapshot().origin("app", "/port").expect("there").layer(), LayerKind::Defaults);
    site.write("config/app.toml", "port = 3\n");
    assert_eq!(changed(&mut events, "app").await, json!({"port": 3}));
    assert_eq!(live.load()["port"], 3);
}

#[tokio::test]
async fn defaults_alone_can_be_watched_and_a_file_of_any_format_is_noticed() {
    let site = Site::new(&[]);
    let manager = start(site.builder().defaults("sub/app", json!({"port": 1}))).await;
    let mut stream = manager.watch::<serde_json::Value>("sub/app").await.expect("a stream");
    assert_eq!(stream.current(), &json!({"port": 1}));
    site.write("config/sub/app.yml", "port: 2\n");
    assert_eq!(soon("the file", stream.next()).await, Some(json!({"port": 2})));
    assert!(manager.watch::<serde_json::Value>("other").await.is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn secrets_are_swapped_as_the_kubelet_does() {
    use rekindle_test::ConfigMap;
    let site = Site::new(&[("config/app.toml", "db = { user = 'u', pool = 1 }\n")]);
    std::fs::create_dir(site.path("mounted")).expect("a directory");
    let old = [("APP__DB__PASSWORD", "old\n"), ("APP__DB__POOL", "2")];
    let mut mounted = ConfigMap::mount(site.path("mounted"), &old);
    let manager = start(site.builder().secrets_dir("mounted")).await;
    let mut events = manager.subscribe();
    let db = |password: &str, pool: u32| json!({"db": {"user": "u", "password": password, "pool": pool}});
    assert_eq!(manager.snapshot().get("app"), Some(&db("old", 2)));
    let secrets = manager.snapshot().secrets("app");
    assert!(["/db/password", "/db/pool"].iter().all(|pointer| secrets.is_secret(pointer)));
    assert!(!secrets.is_secret("/db"));
    mounted.update(&[("APP__DB__PASSWORD", "new\n"), ("APP__DB__POOL", "3")]);
    assert_eq!(changed(&mut events, "app").await, db("new", 3), "both at once");
    assert_eq!(manager.snapshot().generation(), 2);
    mounted.update(&[("APP__DB__PASSWORD", "12345")]);
    assert_eq!(changed(&mut events, "app").await, db("12345", 1));
}

#[tokio::test]
async fn a_secrets_directory_and_a_dotenv_file_are_noticed_when_they_appear() {
    let site = Site::new(&[("config/app.toml", "port = 1\n")]);
    let builder = site.builder().secrets_dir("late/secrets").dotenv("later/.env");
    let manager = start(builder).await;
    let mut events = manager.subscribe();
    assert!(!manager.status().is_degraded());
    site.write("late/secrets/app__port", "2");
    assert_eq!(changed(&mut events, "app").await["port"], 2);
    site.write("later/.env", "APP__PORT=3");
    assert_eq!(changed(&mut events, "app").await["port"], 3);
    site.write("later/.env", "APP__PORT=4");
    assert_eq!(changed(&mut events, "app").await["port"], 4);
    site.write("late/secrets/app__key", "k");
    assert_eq!(changed(&mut events, "app").await, json!({"port": 4, "key": "k"}));
}

#[tokio::test]
async fn sources_are_polled_where_nothing_tells_of_changes() {
    let site = Site::new(&[("config/app.toml", "port = 1\n"), (".env", "APP__PORT=2\n")]);
    let builder = site.builder().secrets_dir("secrets").dotenv(".env");
    let manager = start(builder.poll(std::time::Duration::from_millis(20))).await;
    let mut events = manager.subscribe();
    site.write(".env", "APP__PORT=33\n");
    assert_eq!(changed(&mut events, "app").await["port"], 33);
    site.write("secrets/APP__KEY", "k");
    assert_eq!(changed(&mut events, "app").await["key"], "k");
}

#[tokio::test]
async fn asking_takes_in_what_lies_beside_the_files() {
    let site = Site::new(&[("config/app.toml", "port = 1\n"), (".env", "APP__PORT=2\n")]);
    // Nothing but the question brings it up.
    let builder = site.builder().dotenv(".env").poll(std::time::Duration::from_secs(3600));
    let manager = start(builder).await;
    site.write(".env", "APP__PORT=3\n");
    let receipt = manager.reload_now().await.expect("it runs");
    assert!(receipt.is_applied() && receipt.applied() == ["app"], "{receipt:?}");
    assert_eq!(port(&manager), 3);
    site.write(".env", "# the same\nAPP__PORT=3\n");
    let receipt = manager.reload_now().await.expect("it runs");
    assert!(matches!(receipt.outcome, ReloadOutcome::Unchanged), "{receipt:?}");
    let origin = manager.snapshot().origin("app", "/port").expect("there");
    assert_eq!(origin.to_string(), ".env:2:11", "though the value is the same");
}

#[cfg(unix)]
#[tokio::test]
async fn a_secret_that_cannot_be_opened_is_tried_again() {
    let site = Site::new(&[("config/app.toml", "x = 1\n"), ("secrets/app__key", "k")]);
    let manager = start(site.builder().secrets_dir("secrets")).await;
    let mut events = manager.subscribe();
    std::os::unix::fs::symlink("app__key", site.path("loop")).expect("a link to itself");
    std::fs::rename(site.path("loop"), site.path("secrets/app__key")).expect("moved");
    let (error, path, ..) = refused(&mut events, "app").await;
    assert!(error.starts_with("secrets/app__key: cannot read the file"), "{error}");
    assert_eq!(path, Some(site.path("secrets/app__key")));
    site.write("other", "l");
    std::fs::rename(site.path("other"), site.path("secrets/app__key")).expect("moved");
    assert_eq!(changed(&mut events, "app").await, json!({"x": 1, "key": "l"}));
    recovered(&mut events, "app").await;
}

#[tokio::test]
async fn a_snapshot_can_be_printed_without_telling_a_secret() {
    let site = Site::new(&[("config/app.toml", "x = 1\n"), ("secrets/app__key", "hush")]);
    let manager = start(site.builder().secrets_dir("secrets")).await;
    assert_eq!(manager.snapshot().get("app").expect("there")["key"], "hush");
    let shown = format!("{:?} {:?}", manager.snapshot(), manager.status());
    assert!(shown.contains("app") && !shown.contains("hush"), "{shown}");
}

#[tokio::test]
async fn a_broken_dotenv_file_is_a_refused_change_until_it_is_mended() {
    let site = Site::new(&[("config/app.toml", "port = 1\n"), (".env", "APP__PORT=2\n")]);
    let manager = start(site.builder().dotenv(".env")).await;
    let mut events = manager.subscribe();
    site.write(".env", "APP__PORT=3\nAPP__NAME='open\n");
    let (error, path, line, column) = refused(&mut events, "app").await;
    assert_eq!(error, ".env:2:11: this quote is never closed");
    assert_eq!((path, line, column), (Some(site.path(".env")), Some(2), Some(11)));
    assert_eq!((port(&manager), manager.status().is_degraded()), (json!(2), true));
    site.write("config/app.toml", "port = 1\nother = true\n");
    let receipt = manager.reload_now().await.expect("it runs");
    assert!(!receipt.refusals().is_empty(), "{receipt:?}");
    site.write(".env", "APP__PORT=2\nAPP__NAME='closed'\n");
    assert_eq!(changed(&mut events, "app").await, json!({"port": 2, "other": true, "name": "closed"}));
    recovered(&mut events, "app").await;
    assert!(!manager.status().is_degraded());
    site.write(".env", "APP__PORT='\n");
    refused(&mut events, "app").await;
    site.write(".env", "APP__PORT=2\nAPP__NAME='closed'\n");
    recovered(&mut events, "app").await;
}

#[tokio::test]
async fn a_start_beside_a_broken_dotenv_file_is_degraded_and_heals() {
    let site = Site::new(&[("config/app.toml", "port = 1\n"), (".env", "oh no\n")]);
    let manager = start(site.builder().dotenv(".env").defaults("bare", json!({"x": 1}))).await;
    let mut events = manager.subscribe();
    let status = manager.status();
    let failures: Vec<String> = status.failures().map(|(name, error)| format!("{name}: {error}")).collect();
    let error = ".env:1:4: expected `=` after the name of a variable";
    assert_eq!(failures, [format!("app: {error}"), format!("bare: {error}")]);
    site.write(".env", "");
    recovered(&mut events, "app").await;
    recovered(&mut events, "bare").await;
    assert_eq!(port(&manager), 1);
    assert_eq!(manager.snapshot().get("bare"), Some(&json!({"x": 1})));
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_refuses_its_configuration_alone() {
    let site = Site::new(&[("config/app.toml", "x = 1\n"), ("config/other.toml", "x = 1\n")]);
    site.write("secrets/app__key", "good");
    let manager = start(site.builder().secrets_dir("secrets")).await;
    let mut events = manager.subscribe();
    site.write("secrets/app__key", b"bad\xff!".as_slice());
    let (error, ..) = refused(&mut events, "app").await;
    assert_eq!(error, "secrets/app__key:1:4: the file is not UTF-8 from here on (save it as UTF-8)");
    site.write("config/other.toml", "x = 2\n");
    assert_eq!(changed(&mut events, "other").await, json!({"x": 2}));
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 1, "key": "good"})));
    site.write("secrets/app__key", vec![b'x'; 1024 * 1024 + 1]);
    let (error, ..) = refused(&mut events, "app").await;
    assert!(error.starts_with("secrets/app__key: the file has 1048577 bytes"), "{error}");
    site.write("secrets/app__key", "mended");
    assert_eq!(changed(&mut events, "app").await, json!({"x": 1, "key": "mended"}));
    recovered(&mut events, "app").await;
}

#[tokio::test]
async fn what_a_source_sets_is_validated_and_its_place_is_named() {
    let site = Site::new(&[("config/app.toml", "port = 1\n"), ("secrets/app__key", "k")]);
    let check = |value: &serde_json::Value| {
        let refuse = |pointer: &str| Err(Error::new(ErrorKind::Check, "no").about(pointer));
        match (value["port"].as_u64(), value["key"].as_str()) {
            (Some(..1000), Some("k")) => Ok(()),
            (Some(..1000), _) => refuse("/key"),
            _ => refuse("/port"),
        }
    };
    let builder = site.builder().secrets_dir("secrets").dotenv(".env").check("app", check);
    let manager = start(builder).await;
    let mut events = manager.subscribe();
    site.write(".env", "# too much\nexport APP__PORT=\"5000\"\n");
    let (error, path, line, column) = refused(&mut events, "app").await;
    assert_eq!(error, ".env:2:18: no");
    assert_eq!((path, line, column), (Some(site.path(".env")), Some(2), Some(18)));
    site.write(".env", "APP__PORT=50\n");
    recovered(&mut events, "app").await;
    assert_eq!(port(&manager), 50);
    site.write("secrets/app__key", "j");
    let (error, path, ..) = refused(&mut events, "app").await;
    assert_eq!((error.as_str(), path), ("secrets/app__key: no", Some(site.path("secrets/app__key"))));
}

#[tokio::test]
async fn a_handler_of_a_configurations_files_is_told_of_changes_beside_them() {
    let site = Site::new(&[("config/app.toml", "port = 1\n")]);
    let manager = start(site.builder().dotenv(".env")).await;
    let told = Told::default();
    manager.register_handler_for("config/app.toml", told.clone()).expect("a good pattern");
    site.write(".env", "APP__PORT=2\n");
    soon("the handler", async {
        while told.0.lock().expect("no panic").is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(*told.0.lock().expect("no panic"), ["app"]);
}

#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl ReloadHandler for Told {
    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        if let ChangeEvent::ConfigChanged { config_name, .. } = event {
            self.0.lock().expect("no panic").push(config_name);
        }
        Ok(())
    }

    fn can_handle(&self, _: &ChangeEvent) -> bool {
        true
    }
}

/// Lets every check pass while it is open, and says when one waits for that.
#[derive(Clone, Debug, Default)]
struct Gate {
    closed: Arc<(Mutex<bool>, Condvar)>,
    waits: Arc<tokio::sync::Notify>,
}

impl Gate {
    fn set(&self, closed: bool) {
        *self.closed.0.lock().expect("no panic") = closed;
        self.closed.1.notify_all();
    }

    fn pass(&self) {
        let closed = self.closed.0.lock().expect("no panic");
        if *closed {
            self.waits.notify_one();
        }
        drop(self.closed.1.wait_timeout_while(closed, rekindle_test::LIMIT, |closed| *closed));
    }
}

#[derive(Clone, Debug, serde::Deserialize)]
struct Both(serde_json::Map<String, serde_json::Value>);

impl ConfigMerge for Both {
    fn merge(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// Both came up while a job was on them, and so they are in one group.
#[tokio::test]
async fn a_change_beside_the_files_does_not_wait_for_a_neighbours_unfinished_file() {
    let site = Site::new(&[("config/base.toml", "a = 1\n"), ("config/app.toml", "b = 1\n")]);
    site.write("config/other.toml", "x = 1\n");
    let gate = Gate::default();
    let own = gate.clone();
    let builder = site.builder().dotenv(".env").debounce(rekindle_test::LONG_WINDOW);
    let builder = builder.time_limit(rekindle_test::LONG_WINDOW).check("base", move |_| {
        own.pass();
        Ok(())
    });
    let manager = start(builder).await;
    let _together = manager.watch_layered::<Both>(&["base", "app"]).await.expect("a stream");
    let mut events = manager.subscribe();
    gate.set(true);
    site.write("config/base.toml", "a = 2\n");
    soon("the check", gate.waits.notified()).await;
    site.write(".env", "APP__B=5\nOTHER__X=2\n");
    changed(&mut events, "other").await;
    site.write("config/base.toml", "a = ");
    site.write("config/fence.toml", "x = 1\n");
    changed(&mut events, "fence").await;
    gate.set(false);
    assert_eq!(changed(&mut events, "app").await, json!({"b": 5}));
    site.write("config/base.toml", "a = 3\n");
    assert_eq!(changed(&mut events, "base").await, json!({"a": 3}));
}

#[tokio::test]
async fn fingerprints_are_of_values_and_not_of_files() {
    let one = Site::new(&[("config/app.toml", "port = 1\n[db]\nhost = 'h'\n"), ("s/app__db__key", "one")]);
    let two = Site::new(&[("config/app.local.json", r#"{"db": {"host": "h"}}"#), ("s/APP__DB__KEY", "two")]);
    let one = (start(one.builder().secrets_dir("s")).await, one);
    let builder = two.builder().secrets_dir("s").defaults("app", json!({"port": 1, "db": {"host": "x"}}));
    let two = (start(builder).await, two);
    let print = |manager: &HotReloadManager| manager.snapshot().fingerprint();
    assert_eq!(print(&one.0), print(&two.0), "the secret differs, and all else is the same");
    assert_eq!(one.0.snapshot().fingerprint_of("app"), two.0.snapshot().fingerprint_of("app"));
    assert_eq!(one.0.snapshot().fingerprint_of("none"), None);
    // printf '%s' '{"app":{"db":{"host":"h","key":***},"port":1}}' | sha256sum
    assert_eq!(print(&one.0), "d1b71773fd4c7259e7ada10ee980310d906bbec294330af3c72fa6a24a879515");
    let mut events = one.0.subscribe();
    one.1.write("config/app.toml", "port = 2\n[db]\nhost = 'h'\n");
    changed(&mut events, "app").await;
    assert_ne!(print(&one.0), print(&two.0));
}

#[test]
fn environment_variables_lie_between_the_dotenv_file_and_the_overrides() {
    child::run(&["env", "MY_APP__PORT=4", "MY_APP__HOST=variable"], "sources::body_with_variables");
}

#[test]
#[ignore = "runs in a process with variables of its own"]
fn body_with_variables() {
    if !child::is_this_one() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let env = "MY_APP__PORT=3\nMY_APP__HOST=line\nMY_APP__USER=line\n";
        let site = Site::new(&[("config/app.toml", "port = 1\n"), (".env", env)]);
        let builder = site.builder().env_prefix("MY").dotenv(".env").set_override("app", "/port", 5);
        let manager = start(builder).await;
        let expected = json!({"port": 5, "host": "variable", "user": "line"});
        assert_eq!(manager.snapshot().get("app"), Some(&expected));
        let expected =
            ["override: 5", "environment variable MY_APP__PORT: 4", ".env:1:14: 3", "config/app.toml:1:8: 1"];
        assert_eq!(layers(&manager, "/port"), expected);
        let host = manager.snapshot().origin("app", "/host").expect("there");
        assert_eq!((host.layer(), host.variable()), (LayerKind::Variable, Some("MY_APP__HOST")));
        let user = manager.snapshot().origin("app", "/user").expect("there");
        assert_eq!((user.path(), user.line(), user.column()), (Some(&*site.path(".env")), Some(3), Some(14)));
        assert_eq!(user.variable(), Some("MY_APP__USER"));
    });
}
