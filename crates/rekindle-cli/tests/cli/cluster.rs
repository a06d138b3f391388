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

/// A store in which a directory is what all use; nobody is asked.
fn published() -> (tempfile::TempDir, String) {
    let (directory, store) = fleet();
    let new = directory.path().join("new").display().to_string();
    shown(&run(&["publish", &new, "--store", &store, "--force", "-m", "the first\nand more"]));
    (directory, store)
}

fn read(directory: &tempfile::TempDir, name: &str) -> String {
    std::fs::read_to_string(directory.path().join(name)).unwrap_or_else(|error| format!("{name}: {error}"))
}

fn write(directory: &tempfile::TempDir, name: &str, text: &str) {
    let path = directory.path().join(name);
    std::fs::create_dir_all(path.parent().expect("it has one")).expect("there is room");
    std::fs::write(path, text).expect("there is room");
}

#[test]
fn what_was_published_is_listed_and_can_be_taken_again() {
    let (directory, store) = published();
    let new = directory.path().join("new").display().to_string();
    write(&directory, "new/app.toml", "port = 9090\n");
    shown(&run(&["publish", &new, "--store", &store, "--force", "-m", "the second"]));
    let log = shown(&run(&["log", "--store", &store]));
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines.len() == 2 && lines[0].contains("in use") && lines[0].contains("the second"), "{log}");
    assert!(lines[1].contains("the first") && !lines[1].contains("and more"), "{log}");
    assert!(lines[1].ends_with("app.toml, shop/prices.json"), "{log}");
    let json = shown(&run(&["log", "--store", &store, "--json", "-n", "1"]));
    let json: serde_json::Value = serde_json::from_str(&json).expect("one line of JSON");
    assert_eq!((&json["state"], &json["message"]), (&"stable".into(), &"the second".into()));

    let first = lines[1].split(' ').next().expect("a name");
    let value =
        |options: &[&str]| shown(&run(&[&["get", "app", "/port", "--store", &store], options].concat()));
    assert_eq!(value(&[]), "9090\n");
    let pulled = directory.path().join("old").display().to_string();
    shown(&run(&["pull", &pulled, "--store", &store, "--payload", first]));
    assert_eq!(read(&directory, "old/app.toml"), "port = 8080\n");
    shown(&run(&["publish", "--payload", first, "--store", &store, "--force"]));
    assert_eq!(value(&[]), "8080\n");
    let explained = shown(&run(&["explain", "app", "--store", &store]));
    assert!(explained.contains("/port") && explained.contains("config/app.toml:1:8"), "{explained}");

    let none = run(&["publish", "--payload", "0000", "--store", &store]);
    assert!(none.status.code() == Some(1) && stderr(&none).contains("there is no payload 0000"));
    let both = run(&["publish", &new, "--payload", first, "--store", &store]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn what_nobody_could_read_is_not_published() {
    let (directory, store) = published();
    let new = directory.path().join("new").display().to_string();
    write(&directory, "new/app.toml", "port = = 1\n");
    write(&directory, "new/app.schema.json", "{}");
    let output = run(&["publish", &new, "--store", &store]);
    let told = stderr(&output);
    assert!(output.status.code() == Some(1) && told.contains("app.toml:1:"), "{told}");
    write(&directory, "new/app.toml", "port = 1\n");
    write(&directory, "new/app.yaml", "port: 2\n");
    let output = run(&["publish", &new, "--store", &store]);
    assert!(
        stderr(&output).contains("app.toml and app.yaml are the same configuration"),
        "{}",
        stderr(&output)
    );
    assert_eq!(shown(&run(&["log", "--store", &store])).lines().count(), 1);
}

/// `rekindle edit` with an editor that is a line of a shell.
#[cfg(unix)]
fn edit(directory: &tempfile::TempDir, store: &str, script: &str, arguments: &[&str]) -> Output {
    use std::os::unix::fs::PermissionsExt;

    let editor = directory.path().join("editor");
    write(directory, "editor", &format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let mut command = crate::support::rekindle(&["edit", "--store", store]);
    command.args(arguments).env_remove("VISUAL").env("EDITOR", editor.display().to_string());
    command.stdin(std::process::Stdio::null()).output().expect("it runs")
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_is_edited_and_goes_out() {
    let (directory, store) = published();
    let (one, member) = instance(directory.path(), &store, "one").await;
    member.status().wait_for(|status| status.instance.applied.is_some()).await.expect("it takes part");
    let output = edit(&directory, &store, "sed -i s/8080/9090/ \"$1\"", &["app", "--wait", "-m", "more"]);
    assert!(shown(&output).ends_with("all use it\n"), "{}", shown(&output));
    assert_eq!(one.snapshot().get("app").expect("it is there")["port"], 9090);
    assert_eq!(one.snapshot().get("shop/prices").expect("it is there")["bread"], 3);
    member.leave().await;

    assert_eq!(shown(&edit(&directory, &store, "true", &["app.toml"])), "nothing has changed\n");
    let failed = edit(&directory, &store, "exit 3", &["app"]);
    assert!(failed.status.code() == Some(1) && stderr(&failed).contains("nothing is published"));
    let unknown = edit(&directory, &store, "true", &["shop"]);
    assert!(unknown.status.code() == Some(2) && stderr(&unknown).contains("there are: app, shop/prices"));

    // What is not published is not lost.
    let failed = edit(&directory, &store, "echo port = 2 > \"$1\"; exit 3", &["app"]);
    assert_eq!(kept(&stderr(&failed)), "port = 2\n");
    let latin = edit(&directory, &store, "printf 'name = \"\\351\"' > \"$1\"", &["app"]);
    assert!(stderr(&latin).contains("is not UTF-8"), "{}", stderr(&latin));
    assert_eq!(kept(&stderr(&latin)), "name = \"\u{fffd}\"");
    let broken = edit(&directory, &store, "echo 'port = ' > \"$1\"", &["app"]);
    let told = stderr(&broken);
    assert!(broken.status.code() == Some(1) && told.contains("app.toml:1:"), "{told}");
    assert_eq!(kept(&told), "port = \n");
    let new = directory.path().join("new").display().to_string();
    let meanwhile = format!(
        "{} publish {new} --store {store} --force && echo port = 1 > \"$1\"",
        env!("CARGO_BIN_EXE_rekindle")
    );
    let late = edit(&directory, &store, &meanwhile, &["app"]);
    let told = stderr(&late);
    assert!(late.status.code() == Some(1) && told.contains("is stable meanwhile"), "{told}");
    assert_eq!(kept(&told), "port = 1\n");
}

/// What is kept of what was not published, taken away.
#[cfg(unix)]
fn kept(told: &str) -> String {
    let path = told.split("is kept in ").nth(1).and_then(|rest| rest.lines().next()).expect("it says where");
    let path = std::path::Path::new(path);
    let text = std::fs::read(path).expect("it is there");
    std::fs::remove_dir_all(path.parent().expect("a directory of its own")).expect("it is ours");
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn a_directory_and_a_store_take_over_from_each_other() {
    let (directory, store) = published();
    let sync = |name: &str, options: &[&str]| {
        let path = directory.path().join(name).display().to_string();
        run(&[&["sync", &path, "--store", &store, "--force"], options].concat())
    };
    // Two people, from what is there.
    for name in ["anna", "ben"] {
        let told = shown(&sync(name, &[]));
        assert!(told.contains("pulled") && told.contains("shop/prices.json"), "{told}");
        assert!(
            told.lines().last().is_some_and(|line| line.contains("2 configurations, rollout 1 of")),
            "{told}"
        );
    }
    // Each changes something else; one removes and adds something.
    write(&directory, "anna/app.toml", "port = 9090\n");
    write(&directory, "anna/new.yaml", "a: 1\n");
    write(&directory, "ben/shop/prices.json", r#"{"bread": 4}"#);
    assert!(shown(&sync("anna", &["-m", "hers"])).contains("published app.toml, new.yaml, as rollout 2 of"));
    let told = shown(&sync("ben", &[]));
    assert!(told.contains("pulled    app.toml") && told.contains("published shop/prices.json"), "{told}");
    std::fs::remove_file(directory.path().join("ben/new.yaml")).expect("it was pulled");
    assert!(shown(&sync("ben", &[])).contains("published new.yaml"));
    let told = shown(&sync("anna", &[]));
    assert!(told.contains("removed   new.yaml") && told.contains("pulled    shop/prices.json"), "{told}");
    assert_eq!(read(&directory, "anna/shop/prices.json"), r#"{"bread": 4}"#);
    assert_eq!(read(&directory, "ben/app.toml"), "port = 9090\n");
    assert_eq!(shown(&sync("anna", &[])), shown(&sync("ben", &[])));
    assert_eq!(shown(&sync("anna", &[])).lines().count(), 1);
}

#[test]
fn conflicts_are_shown_and_nothing_is_done() {
    let (directory, store) = published();
    let sync = |name: &str, options: &[&str]| {
        let path = directory.path().join(name).display().to_string();
        run(&[&["sync", &path, "--store", &store, "--force"], options].concat())
    };
    for name in ["anna", "ben", "cora"] {
        shown(&sync(name, &[]));
    }
    write(&directory, "anna/app.toml", "port = 1\n");
    shown(&sync("anna", &[]));
    write(&directory, "ben/app.toml", "port = 2\n");
    write(&directory, "ben/other.toml", "x = 1\n");
    let output = sync("ben", &[]);
    let told = stdout(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told.contains("conflict  app.toml") && told.contains("-port = 1") && told.contains("+port = 2"),
        "{told}"
    );
    assert!(!told.contains("other.toml") && stderr(&output).contains("--theirs"), "{told}");
    assert_eq!(read(&directory, "ben/app.toml"), "port = 2\n");
    // Nothing was published beside it.
    assert!(!shown(&run(&["get", "--store", &store])).contains("other"));

    write(&directory, "cora/app.toml", "port = 3\n");
    let told = shown(&sync("cora", &["--theirs"]));
    assert!(told.contains("pulled    app.toml, as it was: .app.toml.ours"), "{told}");
    assert_eq!(
        (read(&directory, "cora/app.toml"), read(&directory, "cora/.app.toml.ours")),
        ("port = 1\n".into(), "port = 3\n".into())
    );
    shown(&sync("ben", &["--ours"]));
    assert_eq!(shown(&run(&["get", "app", "/port", "--store", &store])), "2\n");

    // What was lost by accident is not taken from everybody.
    std::fs::remove_dir_all(directory.path().join("ben/shop")).expect("it is there");
    for name in ["ben/app.toml", "ben/other.toml"] {
        std::fs::remove_file(directory.path().join(name)).expect("it is there");
    }
    let output = sync("ben", &[]);
    assert!(output.status.code() == Some(2) && stderr(&output).contains("all configurations are gone"));
    // A store that was made anew takes nothing away.
    let other = format!("sqlite:{}", directory.path().join("other.db").display());
    let anna = directory.path().join("anna").display().to_string();
    let told = shown(&run(&["sync", &anna, "--store", &other, "--force"]));
    assert!(told.contains("published app.toml, shop/prices.json"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_kept_the_same_as_a_fleet() {
    let (directory, store) = published();
    let (one, member) = instance(directory.path(), &store, "one").await;
    member.status().wait_for(|status| status.instance.applied.is_some()).await.expect("it takes part");
    let path = directory.path().join("here");
    let mut command = crate::support::rekindle(&["sync", "--watch", "--json", "--store", &store]);
    command.arg(&path);
    let running = crate::support::Running::start(command);
    let until = |event: &str| running.event_of(event);
    until("same");
    write(&directory, "here/app.toml", "port = 7070\n");
    assert_eq!(until("published")["paths"][0], "app.toml");
    until("same");
    assert_eq!(one.snapshot().get("app").expect("it is there")["port"], 7070);
    // The fleet does not take it: the same is not asked for again, and something else is.
    write(&directory, "here/app.toml", "port = 'none'\n");
    until("published");
    write(&directory, "here/app.toml", "port = 6060\n");
    until("published");
    until("same");
    let new = directory.path().join("new").display().to_string();
    assert!(rekindle(&["publish", &new, "--store", &store, "--force"]).await.status.success());
    assert_eq!(until("pulled")["path"], "app.toml");
    assert_eq!(read(&directory, "here/app.toml"), "port = 8080\n");
    running.signal("TERM");
    assert_eq!(running.exit_code(), Some(0));
}
