//! Fleets: a directory out to instances, and what is shown of it.

use std::process::Output;
use std::sync::Arc;

use rekindle::{HotReload, RemoteLayer};
use rekindle_cluster::{Host, Member, Options};

use crate::support::{run, stderr, stdout};

/// A directory with a store, and configurations to publish.
fn fleet() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let store = format!("sqlite:{}", directory.path().join("fleet.db").display());
    std::fs::create_dir_all(directory.path().join("new/shop")).expect("there is room");
    std::fs::write(directory.path().join("new/app.toml"), "port = 8080\n").expect("there is room");
    std::fs::write(directory.path().join("new/shop/prices.json"), r#"{"bread": 3}"#).expect("there is room");
    (directory, store)
}

async fn instance(root: &std::path::Path, store: &str, id: &str) -> (rekindle::HotReloadManager, Member) {
    let root = root.join(id);
    std::fs::create_dir_all(root.join("config")).expect("there is room");
    std::fs::write(root.join("config/app.toml"), "port = 80\n").expect("there is room");
    std::fs::write(root.join("config/app.schema.json"), r#"{"properties": {"port": {"type": "integer"}}}"#)
        .expect("there is room");
    let manager =
        HotReload::builder(&root).remote_layer(RemoteLayer::AboveFiles).start().await.expect("an engine");
    let store = rekindle_cluster::store::open(store).await.expect("it opens");
    let member = Member::join(store, Arc::new(Host::new(manager.clone())), None, Options::new(id));
    (manager, member)
}

/// What a command that ended well has printed.
fn shown(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", stdout(output), stderr(output));
    stdout(output)
}

async fn rekindle(arguments: &[&str]) -> Output {
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let run = move || run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.expect("it does not panic")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_goes_out_to_a_fleet_and_comes_back() {
    let (directory, store) = fleet();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let (one, member) = instance(directory.path(), &store, "one").await;
    let (other, second) = instance(directory.path(), &store, "other").await;
    let output = rekindle(&["publish", &path("new"), "--store", &store, "-m", "a port", "--wait"]).await;
    assert!(shown(&output).ends_with("all use it\n"), "{}", shown(&output));
    for (manager, member) in [(&one, &member), (&other, &second)] {
        member.status().wait_for(|status| status.instance.applied.is_some()).await.expect("it takes part");
        assert_eq!(manager.snapshot().get("app").expect("it is there")["port"], 8080);
        assert_eq!(manager.snapshot().get("shop/prices").expect("it is there")["bread"], 3);
    }
    let status = shown(&rekindle(&["rollout", "status", "--store", &store]).await);
    assert!(
        status.contains("rollout 1 of") && status.contains("one") && status.contains("other"),
        "{status}"
    );
    let json = rekindle(&["rollout", "status", "--store", &store, "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&shown(&json)).expect("JSON");
    assert_eq!(json["head"]["last"]["outcome"], "promoted");
    assert_eq!(json["instances"].as_array().map(Vec::len), Some(2));
    let pulled = rekindle(&["pull", &path("old"), "--store", &store]).await;
    assert_eq!(shown(&pulled).lines().count(), 2);
    assert_eq!(
        std::fs::read_to_string(path("old/shop/prices.json")).expect("it is there"),
        r#"{"bread": 3}"#
    );

    std::fs::write(path("new/app.toml"), "port = 'none'\n").expect("there is room");
    let refused =
        rekindle(&["rollout", "start", &path("new"), "--store", &store, "--bake", "0", "--wait"]).await;
    assert_eq!(refused.status.code(), Some(1));
    let told = stdout(&refused);
    assert!(told.contains("refused, and nobody used it") && told.contains("app.toml:1:8"), "{told}");
    assert_eq!(one.snapshot().get("app").expect("it is there")["port"], 8080);
    let nothing = rekindle(&["rollout", "abort", "--store", &store]).await;
    assert_eq!(nothing.status.code(), Some(1));
    assert!(stderr(&nothing).contains("no rollout is on its way"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_is_led_by_hand() {
    let (directory, store) = fleet();
    let new = directory.path().join("new").display().to_string();
    let (_one, _member) = instance(directory.path(), &store, "one").await;
    let begun =
        rekindle(&["rollout", "start", &new, "--store", &store, "--manual", "--bake", "0", "--steps", "100"])
            .await;
    assert!(shown(&begun).starts_with("rollout 1 of "), "{}", shown(&begun));
    let second = rekindle(&["publish", &new, "--store", &store]).await;
    assert_eq!(second.status.code(), Some(1));
    assert!(stderr(&second).contains("rollout 1 is still on its way"));
    let client =
        rekindle_cluster::Client::new(rekindle_cluster::store::open(&store).await.expect("it opens"));
    let mut watch = client.watch();
    for _ in 0..2 {
        while watch
            .next()
            .await
            .expect("it can be read")
            .head
            .candidate
            .is_none_or(|candidate| candidate.paused.is_none())
        {}
        let approved = shown(&rekindle(&["rollout", "approve", "--store", &store]).await);
        assert!(approved.starts_with("rollout 1 of "), "{approved}");
        while watch
            .next()
            .await
            .expect("it can be read")
            .head
            .candidate
            .is_some_and(|candidate| candidate.paused.is_some())
        {}
    }
    let ended = rekindle(&["rollout", "watch", "--store", &store]).await;
    assert!(shown(&ended).ends_with("all use it\n"), "{}", shown(&ended));
}

#[test]
fn what_makes_no_sense_is_said() {
    let run = |arguments: &[&str]| {
        let output = run(arguments);
        (output.status.code(), stderr(&output))
    };
    let (code, told) = run(&["rollout", "status", "--store", "redis:localhost"]);
    assert!(code == Some(2) && told.contains("is no address of a store"), "{told}");
    let (code, told) = run(&["rollout", "status"]);
    assert!(code == Some(2) && told.contains("--store"), "{told}");
    let empty = tempfile::tempdir().expect("a directory");
    let path = empty.path().display().to_string();
    let store = format!("sqlite:{path}/.fleet.db");
    let (code, told) = run(&["publish", &path, "--store", &store]);
    assert!(code == Some(2) && told.contains("there is no configuration in it"), "{told}");
    std::fs::write(empty.path().join("app.local.toml"), "x = 1").expect("there is room");
    let (code, told) = run(&["publish", &path, "--store", &store]);
    assert!(code == Some(2) && told.contains("only whole configurations"), "{told}");
    let (code, told) = run(&["rollout", "start", &path, "--store", &store, "--steps", "50"]);
    assert!(code == Some(2), "{told}");
}
