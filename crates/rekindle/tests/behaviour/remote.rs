//! The layer of a shared store: handed in, judged as files are, and kept as files.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::site::*;
use rekindle::prelude::*;
use rekindle::{RemoteDocument, RemoteLayer};

const BASE: &str = "port = 80\nhost = 'base'\n";

fn document(config: &str, text: &str) -> RemoteDocument {
    RemoteDocument::new(config, "toml", text)
}

fn value(manager: &HotReloadManager, config: &str) -> Value {
    manager.snapshot().get(config).cloned().unwrap_or(Value::Null)
}

async fn with_remote(site: &Site, place: RemoteLayer) -> HotReloadManager {
    site.builder().remote_layer(place).start().await.expect("an engine")
}

#[tokio::test]
async fn it_lies_above_or_below_the_files_as_told_and_every_value_says_so() {
    for (place, port, layer) in
        [(RemoteLayer::AboveFiles, 1, "remote"), (RemoteLayer::BelowFiles, 80, "remote-base")]
    {
        let site = Site::new(&[("config/app.toml", BASE)]);
        let manager = with_remote(&site, place).await;
        let receipt = manager.apply_remote(vec![document("app", "port = 1\ntier = 'gold'\n")]).await;
        let receipt = receipt.expect("a receipt");
        assert!(receipt.is_applied() && receipt.trigger == Trigger::Remote, "{receipt:?}");
        assert_eq!(value(&manager, "app"), json!({"port": port, "host": "base", "tier": "gold"}));
        let snapshot = manager.snapshot();
        let origin = snapshot.origin("app", "/tier").expect("it is there");
        assert_eq!(
            (origin.layer().as_str(), origin.to_string()),
            (layer, "data/rekindle/remote/app.toml:2:8".into())
        );
        let host = snapshot.origin("app", "/host").expect("it is there");
        assert_eq!(host.to_string(), "config/app.toml:2:8");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new(&[("config/app.toml", BASE)]);
    let manager =
        site.builder().remote_layer(RemoteLayer::AboveFiles).history(false).start().await.expect("an engine");
    manager
        .apply_remote(vec![document("app", "port = 1\n"), document("sub/x", "a = 1\n")])
        .await
        .expect("a receipt");
    let mode = |path: &str| site.path(path).metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode("data/rekindle/remote"), 0o700);
    assert_eq!(mode("data/rekindle/remote/app.toml"), 0o600);
    assert_eq!(mode("data/rekindle/remote/sub/x.toml"), 0o600);
    assert_eq!(value(&manager, "sub/x"), json!({"a": 1}));
}

/// Notes what it is asked, and refuses what is negative.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    fn note(&self, what: &str, candidate: &Candidate) {
        let port = &candidate.new_value()["port"];
        self.0.lock().expect("no panic").push(format!("{what} {port}"));
    }
}

#[async_trait::async_trait]
impl ReloadHandler for Asked {
    async fn handle_change(&self, _: ChangeEvent) -> Result<()> {
        Ok(())
    }

    fn can_handle(&self, event: &ChangeEvent) -> bool {
        matches!(event, ChangeEvent::ConfigChanged { .. })
    }

    async fn prepare(&self, candidate: &Candidate) -> Result<()> {
        self.note("prepares", candidate);
        match candidate.new_value()["port"].as_i64() {
            Some(port) if port < 0 => Err(Error::from("cannot be negative").about("/port")),
            _ => Ok(()),
        }
    }

    async fn abort(&self, candidate: &Candidate) {
        self.note("aborts", candidate);
    }
}

#[tokio::test]
async fn a_check_asks_everybody_and_leaves_no_trace() {
    let site = Site::new(&[("config/app.toml", BASE)]);
    let asked = Asked::default();
    let builder = site.builder().remote_layer(RemoteLayer::AboveFiles);
    let builder = builder.register(Registration::new(asked.clone()).named("asked"));
    let manager = builder.start().await.expect("an engine");
    let stream = manager.watch::<Value>("app").await.expect("a stream");
    let (mut events, mut receipts) = (manager.subscribe(), manager.receipts());
    let good = manager.check_remote(vec![document("app", "port = 1\n"), document("new", "a = 1\n")]).await;
    let good = good.expect("a receipt");
    assert_eq!(good.applied(), ["app", "new"], "{good:?}");
    for (text, by, what) in [
        ("port = -1\n", "handler asked", "data/rekindle/remote/app.toml:1:8: the handler asked refused it"),
        ("port = \n", "syntax", "data/rekindle/remote/app.toml:1"),
    ] {
        let bad = manager.check_remote(vec![document("app", text), document("new", "a = 1\n")]).await;
        let bad = bad.expect("a receipt");
        let refusal = &bad.refusals()[0];
        assert_eq!(refusal.by, by);
        assert!(refusal.error.to_string().starts_with(what), "{}", refusal.error);
    }
    let expected = ["prepares 1", "prepares null", "aborts null", "aborts 1", "prepares -1"];
    assert_eq!(*asked.0.lock().expect("no panic"), expected);
    assert!(!site.path("data/rekindle/remote").exists());
    assert_eq!(
        (manager.snapshot().generation(), stream.current()),
        (1, &json!({"port": 80, "host": "base"}))
    );
    assert!(
        matches!(manager.status().configs["app"].state, ConfigState::Good)
            && !manager.status().configs.contains_key("new")
    );
    assert!(events.try_recv().is_err() && receipts.try_recv().is_err(), "nobody is told");
}

#[tokio::test]
async fn all_of_it_is_one_generation_or_nothing() {
    let site = Site::new(&[("config/app.toml", BASE), ("config/other.toml", "a = 0\n")]);
    let manager = with_remote(&site, RemoteLayer::AboveFiles).await;
    let _typed = manager.watch::<std::collections::BTreeMap<String, i64>>("other").await.expect("a stream");
    let both = |port: &str, a: &str| vec![document("app", port), document("other", a)];
    let receipt = manager.apply_remote(both("port = 1\n", "a = 1\n")).await.expect("a receipt");
    assert_eq!((receipt.generation, receipt.applied().len()), (2, 2), "{receipt:?}");
    let refused = manager.apply_remote(both("port = 2\n", "a = 'text'\n")).await.expect("a receipt");
    assert_eq!((refused.generation, refused.refusals().len()), (2, 2), "{refused:?}");
    assert_eq!(value(&manager, "app")["port"], 1);
    assert_eq!(
        std::fs::read_to_string(site.path("data/rekindle/remote/app.toml")).expect("it is there"),
        "port = 1\n"
    );
    assert!(
        manager.status().configs.values().all(|config| matches!(config.state, ConfigState::Good)),
        "{:?}",
        manager.status()
    );
    let same = manager.apply_remote(both("port = 1\n", "a = 1\n")).await.expect("a receipt");
    assert!(matches!(same.outcome, ReloadOutcome::Unchanged), "{same:?}");
}

#[tokio::test]
async fn what_was_good_last_is_there_at_the_next_start() {
    let site = Site::new(&[("config/app.toml", BASE)]);
    let manager = with_remote(&site, RemoteLayer::AboveFiles).await;
    manager
        .apply_remote(vec![document("app", "port = 1\n"), document("new", "a = 1\n")])
        .await
        .expect("a receipt");
    manager.shutdown().await.expect("a clean end");
    let again = with_remote(&site, RemoteLayer::AboveFiles).await;
    assert_eq!((value(&again, "app")["port"].clone(), value(&again, "new")), (json!(1), json!({"a": 1})));
    again.shutdown().await.expect("a clean end");
    let without = site.builder().start().await.expect("an engine");
    assert_eq!(value(&without, "app")["port"], 80);
    assert_eq!(value(&without, "new"), Value::Null);
    let error = without.apply_remote(vec![document("app", "port = 2\n")]).await.expect_err("no such layer");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("remote_layer"), "{error}");
}

#[tokio::test]
async fn a_document_that_is_gone_takes_its_layer_along() {
    let site = Site::new(&[("config/app.toml", BASE), ("config/other.toml", "a = 0\n")]);
    let manager = with_remote(&site, RemoteLayer::AboveFiles).await;
    manager
        .apply_remote(vec![document("app", "port = 1\n"), document("other", "a = 1\n")])
        .await
        .expect("a receipt");
    let other_format = RemoteDocument::new("other", "json", r#"{"a": 2}"#);
    let receipt = manager.apply_remote(vec![other_format]).await.expect("a receipt");
    assert!(receipt.is_applied(), "{receipt:?}");
    assert_eq!(
        (value(&manager, "app")["port"].clone(), value(&manager, "other")),
        (json!(80), json!({"a": 2}))
    );
    assert!(!site.path("data/rekindle/remote/app.toml").exists());
    assert!(!site.path("data/rekindle/remote/other.toml").exists());
    let cleared = manager.apply_remote(Vec::new()).await.expect("a receipt");
    assert_eq!(cleared.applied(), ["other"], "{cleared:?}");
    assert_eq!(value(&manager, "other"), json!({"a": 0}));
}

#[tokio::test]
async fn a_configuration_of_which_nothing_is_left_is_refused() {
    let site = Site::new(&[]);
    let manager = with_remote(&site, RemoteLayer::AboveFiles).await;
    manager.apply_remote(vec![document("only", "a = 1\n")]).await.expect("a receipt");
    let receipt = manager.apply_remote(Vec::new()).await.expect("a receipt");
    assert!(receipt.refusals()[0].error.to_string().contains("no other layer"), "{receipt:?}");
    assert_eq!(value(&manager, "only"), json!({"a": 1}));
    assert!(site.path("data/rekindle/remote/only.toml").exists());
}

#[tokio::test]
async fn its_files_are_files_like_any_others() {
    let site = Site::new(&[("config/app.toml", BASE)]);
    let manager = with_remote(&site, RemoteLayer::AboveFiles).await;
    manager.apply_remote(vec![document("app", "port = 1\n")]).await.expect("a receipt");
    let mut events = manager.subscribe();
    site.write("data/rekindle/remote/app.toml", "port = 2\n");
    changed(&mut events, "app").await;
    assert_eq!(value(&manager, "app")["port"], 2);
    let revision = manager.history("app").await.expect("a history")[1].revision;
    let back = manager.rollback("app", revision).await.expect("a receipt");
    assert!(back.is_applied(), "{back:?}");
    assert_eq!(value(&manager, "app")["port"], 1);
}

#[tokio::test]
async fn what_is_no_document_is_an_error_that_says_why() {
    let site = Site::new(&[("config/app.toml", BASE)]);
    let manager = with_remote(&site, RemoteLayer::AboveFiles).await;
    let error = async |documents| manager.check_remote(documents).await.expect_err("malformed").to_string();
    assert!(error(vec![document("../app", "")]).await.contains("leaves the configuration directory"));
    assert!(error(vec![RemoteDocument::new("app", "ini", "")]).await.contains("use one of toml"));
    assert!(error(vec![document("app", ""), document("app", "")]).await.contains("twice"));
    let latin = RemoteDocument::new("app", "toml", b"host = '\xe9'");
    let receipt = manager.check_remote(vec![latin]).await.expect("a receipt");
    assert!(receipt.refusals()[0].error.to_string().contains("not UTF-8"), "{receipt:?}");
}

#[tokio::test]
async fn a_bad_document_is_not_mended_by_the_history() {
    let site = Site::new(&[("config/app.toml", BASE)]);
    let builder =
        || site.builder().remote_layer(RemoteLayer::AboveFiles).start_policy(StartPolicy::StartFromLastGood);
    let manager = builder().start().await.expect("an engine");
    manager.apply_remote(vec![document("new", "a = 1\n")]).await.expect("a receipt");
    manager.shutdown().await.expect("a clean end");
    std::fs::remove_file(site.path("data/rekindle/remote/new.toml")).expect("it is there");
    let again = builder().start().await.expect("an engine");
    for receipt in [
        again.check_remote(vec![document("new", "a = \n")]).await,
        again.apply_remote(vec![document("new", "a = \n")]).await,
    ] {
        assert_eq!(receipt.expect("a receipt").refusals().len(), 1);
    }
    assert!(!site.path("data/rekindle/remote/new.toml").exists());
}

#[tokio::test]
async fn what_would_not_be_read_is_not_written_and_secrets_are_not_shown() {
    let site = Site::new(&[("config/app.toml", BASE)]);
    let builder = site.builder().remote_layer(RemoteLayer::AboveFiles).max_file_size(100);
    let manager = builder.secret("app", "/password").start().await.expect("an engine");
    let large = format!("text = '{}'\n", "x".repeat(100));
    let receipt = manager.apply_remote(vec![document("app", &large)]).await.expect("a receipt");
    assert!(receipt.refusals()[0].error.to_string().contains("100 are allowed"), "{receipt:?}");
    let receipt =
        manager.check_remote(vec![document("app", "password = 'hunter2\n")]).await.expect("a receipt");
    let error = &receipt.refusals()[0].error;
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn nothing_excludes_it_and_a_check_makes_no_backup() {
    let site = Site::new(&[("config/app.toml", BASE)]);
    let config = HotReloadConfig {
        exclude_patterns: vec!["data/**".into(), "**/rekindle".into()],
        backup_on_change: true,
        ..HotReloadConfig::default()
    };
    let builder = || site.builder().remote_layer(RemoteLayer::AboveFiles).config(config.clone());
    let manager = builder().start().await.expect("an engine");
    manager.apply_remote(vec![document("app", "port = 1\n")]).await.expect("a receipt");
    let backups = || manager.backups("data/rekindle/remote/app.toml").expect("they can be listed").len();
    let before = backups();
    let checked = manager.check_remote(vec![document("app", "port = 2\n")]).await.expect("a receipt");
    assert_eq!((checked.applied().len(), backups()), (1, before));
    manager.shutdown().await.expect("a clean end");
    let again = builder().start().await.expect("an engine");
    assert_eq!(value(&again, "app")["port"], 1);
}

#[tokio::test]
async fn of_two_at_the_same_time_one_comes_after_the_other() {
    let site = Site::new(&[("config/app.toml", BASE), ("config/other.toml", "a = 0\n")]);
    let manager = with_remote(&site, RemoteLayer::AboveFiles).await;
    for _ in 0..20 {
        let (one, other) = tokio::join!(
            manager.apply_remote(vec![document("app", "port = 1\n")]),
            manager.apply_remote(vec![document("other", "a = 1\n")])
        );
        assert!(one.is_ok() && other.is_ok());
        let there =
            ["app", "other"].map(|name| site.path(&format!("data/rekindle/remote/{name}.toml")).exists());
        assert_eq!(there.iter().filter(|is_there| **is_there).count(), 1, "{there:?}");
    }
}
