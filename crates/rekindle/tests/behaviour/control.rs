//! The control socket: who may ask, what is answered, and what a client cannot do.

#![cfg(unix)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rekindle_test::child::{self, Program};
use serde_json::{Value, json};

use crate::site::*;
use rekindle::prelude::*;

const SOCKET: &str = "data/rekindle/control.sock";

async fn open(site: &Site) -> HotReloadManager {
    site.builder().control_socket(true).start().await.expect("an engine")
}

async fn ask(site: &Site, request: Value) -> Value {
    let mut client = ControlClient::connect(control_socket_path(site.root())).await.expect("it listens");
    let mut request = request;
    request["rekindle"] = 1.into();
    soon("an answer", client.ask(&request)).await.expect("an answer")
}

/// Sends bytes as they are, and gives the lines that come back until the end.
async fn raw(path: PathBuf, bytes: Vec<u8>) -> Vec<Value> {
    let talk = tokio::task::spawn_blocking(move || {
        let mut stream = UnixStream::connect(path).expect("it listens");
        // The other end may hang up before all of it is read.
        let _hung_up = stream.write_all(&bytes);
        let _hung_up = stream.shutdown(std::net::Shutdown::Write);
        let lines = BufReader::new(stream).lines().map_while(std::result::Result::ok);
        lines.map(|line| serde_json::from_str(&line).expect("JSON")).collect()
    });
    soon("the end of the answers", talk).await.expect("no panic")
}

/// Looks again and again until something holds.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[tokio::test]
async fn the_socket_is_its_owners_alone_and_goes_with_the_engine() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let silent = site.start().await;
    assert!(!site.path(SOCKET).exists() && silent.status().control_socket.is_none());
    silent.shutdown().await.expect("it ends");

    let manager = open(&site).await;
    assert_eq!(manager.status().control_socket, Some(site.path(SOCKET)));
    assert_eq!((mode(&site.path(SOCKET)), mode(&site.path("data/rekindle"))), (0o600, 0o700));
    assert!(site.path("data/rekindle/.gitignore").exists());
    manager.shutdown().await.expect("it ends");
    assert!(!site.path(SOCKET).exists());

    let dropped = open(&site).await;
    assert!(site.path(SOCKET).exists(), "a new engine opens it anew");
    drop(dropped);
    until("the socket to go", || !site.path(SOCKET).exists()).await;
}

#[tokio::test]
async fn an_engine_that_runs_already_opens_it_for_whoever_wants_it() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let first = HotReload::builder(site.root()).start().await.expect("an engine");
    let _second = open(&site).await;
    assert_eq!(first.status().control_socket, Some(site.path(SOCKET)));
    assert_eq!(ask(&site, json!({"cmd": "get", "config_name": "app"})).await["value"], json!({"x": 1}));
}

#[tokio::test]
async fn values_are_told_with_their_places_and_without_their_secrets() {
    let site = Site::new(&[
        ("config/app.toml", "port = 80\nkey = 'hunter2'\n[tls]\non = true\n"),
        ("config/app.local.toml", "port = 81\n"),
        ("config/db.toml", "port = 5432\n"),
    ]);
    let builder = site.builder().control_socket(true).secret("app", "/key");
    let _manager = builder.start().await.expect("an engine");

    let app = json!({"port": 81, "key": "***", "tls": {"on": true}});
    let all = ask(&site, json!({"cmd": "get"})).await;
    assert_eq!(
        all,
        json!({"ok": true, "rekindle": 1, "generation": 1, "values": {"app": app, "db": {"port": 5432}}})
    );
    let one = ask(&site, json!({"cmd": "get", "config_name": "app", "pointer": "/tls/on", "id": 7})).await;
    let expected =
        json!({"ok": true, "rekindle": 1, "id": 7, "generation": 1, "config_name": "app", "value": true});
    assert_eq!(one, expected);

    let explained = ask(&site, json!({"cmd": "explain", "pointer": "/port"})).await;
    let values = explained["values"].as_array().expect("a list");
    let place = |value: &Value| value["origin"]["text"].as_str().map(str::to_owned);
    assert_eq!(values.len(), 2);
    assert_eq!(place(&values[0]).as_deref(), Some("config/app.local.toml:1:8"));
    let layers = values[0]["layers"].as_array().expect("a list");
    assert_eq!((&layers[1]["value"], &layers[1]["origin"]["layer"]), (&json!(80), &json!("base")));
    assert_eq!((&layers[1]["origin"]["line"], &layers[1]["origin"]["column"]), (&json!(1), &json!(8)));

    let told = ask(&site, json!({"cmd": "explain", "config_name": "app"})).await;
    assert_eq!(told["values"].as_array().map(Vec::len), Some(3));
    assert!(told.to_string().contains("***") && !told.to_string().contains("hunter2"), "{told}");
    let inside = ask(&site, json!({"cmd": "get", "config_name": "app", "pointer": "/key"})).await;
    assert_eq!(inside["value"], "***");

    for (request, message) in [
        (json!({"cmd": "get", "config_name": "nothing"}), "there is no configuration \"nothing\" in use"),
        (json!({"cmd": "get", "config_name": "app", "pointer": "/x"}), "there is no value at `/x` in app"),
        (json!({"cmd": "explain", "pointer": "/x"}), "no configuration has a value at `/x`"),
    ] {
        let answer = ask(&site, request).await;
        assert_eq!((&answer["ok"], &answer["error"]["kind"]), (&json!(false), &json!("not-found")));
        assert_eq!(answer["error"]["message"], message);
    }
}

#[tokio::test]
async fn the_status_tells_of_what_is_wrong_and_where() {
    let site = Site::new(&[("config/app.toml", "x = \n"), ("config/db.toml", "port = 1\n")]);
    let manager = site.builder().control_socket(true).restart("db", "/port").start().await.expect("it");
    site.write("config/db.toml", "port = 2\n");
    manager.reload_now().await.expect("a receipt");
    let answer = ask(&site, json!({"cmd": "status"})).await;
    let status = &answer["status"];
    assert_eq!(status["pid"], std::process::id());
    assert_eq!((&status["environment"], &status["generation"]), (&json!("development"), &json!(1)));
    assert_eq!(status["fingerprint"], manager.snapshot().fingerprint());
    let app = &status["configs"]["app"];
    assert_eq!((&app["state"], &app["drift"]), (&json!("degraded"), &json!("invalid")));
    assert_eq!((&app["error"]["path"], &app["error"]["line"]), (&json!("config/app.toml"), &json!(1)));
    let db = &status["configs"]["db"];
    assert_eq!((&db["state"], &db["drift"]), (&json!("good"), &json!("held for a restart")));
    assert_eq!(db["pending"], json!([{"pointer": "/port", "running": 1, "on_disk": 2}]));
    assert!(status["last_reload"]["stages_us"]["total"].is_u64());
    assert!(status["durations_us"]["total"]["p50"].is_u64());
    let receipts = ask(&site, json!({"cmd": "receipts"})).await;
    let receipts = receipts["receipts"].as_array().expect("a list");
    assert!(receipts.contains(&status["last_reload"]), "{receipts:#?}");
    let list = ask(&site, json!({"cmd": "list"})).await;
    let names: Vec<&Value> =
        list["configs"].as_array().expect("a list").iter().map(|config| &config["config_name"]).collect();
    assert_eq!(names, ["app", "db"]);
}

#[tokio::test]
async fn changes_are_made_for_the_generation_that_is_expected() {
    let site = Site::new(&[("config/app.toml", "port = 80 # usual\nname = 'a'\n")]);
    let manager = open(&site).await;
    let set = |value: u64, expect: Value| json!({"cmd": "set", "config_name": "app", "pointer": "/port", "value": value, "expect": expect});
    let done = ask(&site, set(81, json!(1))).await;
    assert_eq!((&done["ok"], &done["receipt"]["outcome"]), (&json!(true), &json!("applied")));
    assert_eq!((&done["receipt"]["trigger"], &done["receipt"]["generation"]), (&json!("update"), &json!(2)));
    let stale = ask(&site, set(82, json!(1))).await;
    assert_eq!((&stale["ok"], &stale["error"]["kind"]), (&json!(false), &json!("conflict")));
    let any = ask(&site, set(83, Value::Null)).await;
    assert_eq!(any["receipt"]["applied"], json!(["app"]));
    let removed = ask(&site, json!({"cmd": "remove", "config_name": "app", "pointer": "/name"})).await;
    assert_eq!(removed["ok"], true, "{removed}");
    let merged =
        ask(&site, json!({"cmd": "patch", "config_name": "app", "merge": {"a": {"b": 1}, "port": 84}})).await;
    assert_eq!(merged["ok"], true, "{merged}");
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"port": 84, "a": {"b": 1}})));
    assert!(std::fs::read_to_string(site.path("config/app.toml")).expect("it").contains("# usual"));
    let both = json!({"cmd": "patch", "config_name": "app", "merge": {}, "operations": []});
    assert_eq!(ask(&site, both).await["ok"], false);
}

#[tokio::test]
async fn what_was_refused_is_in_the_receipt_with_its_place() {
    let site = Site::new(&[("config/app.toml", "port = 80\n")]);
    let check = |value: &Value| match value["port"].as_u64() {
        Some(1..=1000) => Ok(()),
        _ => Err(Error::new(ErrorKind::Check, "too high").about("/port")),
    };
    let _manager = site.builder().control_socket(true).check("app", check).start().await.expect("it");
    let request = json!({"cmd": "set", "config_name": "app", "pointer": "/port", "value": 8080});
    let receipt = &ask(&site, request).await["receipt"];
    assert_eq!(receipt["outcome"], "refused");
    let refused = &receipt["refused"][0];
    assert_eq!((&refused["config_name"], &refused["by"]), (&json!("app"), &json!("check")));
    assert_eq!((&refused["error"]["line"], &refused["error"]["column"]), (&json!(1), &json!(8)));
    site.write("config/app.toml", "port = 9000\n");
    let reloaded = ask(&site, json!({"cmd": "reload"})).await;
    assert_eq!(reloaded["receipt"]["outcome"], "refused");
    let diff = ask(&site, json!({"cmd": "diff"})).await;
    let change = json!({"pointer": "/port", "from": 80, "to": 9000});
    let expected = json!([{"config_name": "app", "in_sync": false, "changes": [change]}]);
    assert_eq!(diff["configs"], expected, "what runs against what was refused");
    site.write("config/app.toml", "port = \n");
    let broken = ask(&site, json!({"cmd": "diff", "config_name": "app"})).await;
    assert_eq!(broken["configs"][0]["error"]["path"], "config/app.toml");
}

#[tokio::test]
async fn revisions_are_listed_compared_and_brought_back() {
    let site = Site::new(&[("config/app.toml", "x = 1\nkey = 'one'\n")]);
    let manager = site.builder().control_socket(true).secret("app", "/key").start().await.expect("it");
    manager.update("app", 1, Patch::merge(json!({"x": 2, "key": "two"}))).await.expect("a receipt");
    let history = ask(&site, json!({"cmd": "history"})).await;
    let revisions = history["revisions"].as_array().expect("a list");
    let shown: Vec<_> = revisions
        .iter()
        .map(|entry| (&entry["revision"], &entry["trigger"], &entry["config_name"]))
        .collect();
    let (start, update, app) = (json!("start"), json!("update"), json!("app"));
    assert_eq!(shown, [(&json!(1), &start, &app), (&json!(2), &update, &app)]);
    assert!(revisions[0]["time"].as_str().is_some_and(|time| time.ends_with('Z')));
    let request = json!({"cmd": "diff", "config_name": "app", "revisions": [1, 2]});
    let changes = &ask(&site, request).await["configs"][0]["changes"];
    let expected = json!([
        {"pointer": "/key", "from": "***", "to": "***"},
        {"pointer": "/x", "from": 1, "to": 2},
    ]);
    assert_eq!(*changes, expected);
    let back = ask(&site, json!({"cmd": "restore", "config_name": "app", "revision": 1})).await;
    assert_eq!(
        (&back["receipt"]["outcome"], &back["receipt"]["trigger"]),
        (&json!("applied"), &json!("rollback"))
    );
    assert_eq!(std::fs::read_to_string(site.path("config/app.toml")).expect("it"), "x = 1\nkey = 'one'\n");
    let none = ask(&site, json!({"cmd": "restore", "config_name": "app", "revision": 9})).await;
    assert_eq!(none["error"]["kind"], "not-found");
}

#[tokio::test]
async fn events_are_told_as_they_come_and_keep_no_engine_alive() {
    let site = Site::new(&[("config/app.toml", "x = 1\nkey = 'hunter1'\n")]);
    let manager = site.builder().control_socket(true).secret("app", "/key").start().await.expect("it");
    let mut client = ControlClient::connect(control_socket_path(site.root())).await.expect("it listens");
    let begun = client.ask(&json!({"rekindle": 1, "cmd": "events", "id": "e"})).await.expect("an answer");
    assert_eq!(begun, json!({"ok": true, "rekindle": 1, "id": "e", "generation": 1}));
    site.write("config/app.toml", "x = 2\nkey = 'hunter2'\n");
    let mut seen = Vec::new();
    let receipt = loop {
        let event = soon("an event", client.next()).await.expect("it is open").expect("it goes on");
        seen.push(event.to_string());
        if event["event"] == "config_changed" {
            assert_eq!((&event["changed"], &event["generation"]), (&json!(["/key", "/x"]), &json!(2)));
            assert_eq!(event["new_value"], json!({"x": 2, "key": "***"}));
        }
        if event["event"] == "reload" {
            break event;
        }
    };
    assert_eq!(
        (&receipt["receipt"]["outcome"], &receipt["receipt"]["trigger"]),
        (&json!("applied"), &json!("files"))
    );
    assert!(!seen.iter().any(|line| line.contains("hunter")), "{seen:#?}");
    assert!(seen.iter().any(|line| line.contains("config_changed")), "{seen:#?}");
    drop(manager);
    soon("the end of the events", async { while client.next().await.is_ok_and(|event| event.is_some()) {} })
        .await;
    until("the socket to go", || !site.path(SOCKET).exists()).await;
}

#[tokio::test]
async fn garbage_is_answered_and_what_follows_it_is_too() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let _manager = open(&site).await;
    let lines = b"GET / HTTP/1.1\n\n[1]\n\xff\xfe\n{\"rekindle\":1,\"cmd\":\"dance\"}\n{\"rekindle\":1,\"cmd\":\"list\"}";
    let answers = raw(site.path(SOCKET), lines.to_vec()).await;
    let ok: Vec<&Value> = answers.iter().map(|answer| &answer["ok"]).collect();
    assert_eq!(ok, [false, false, false, false, false, true], "{answers:#?}");
    assert!(answers[..5].iter().all(|answer| answer["error"]["kind"] == "request"));
    let deep = [vec![b'['; 100_000], b"\n".to_vec()].concat();
    assert_eq!(raw(site.path(SOCKET), deep).await[0]["ok"], false);
}

#[tokio::test]
async fn a_line_without_an_end_is_not_gathered_for_ever() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let _manager = open(&site).await;
    let answers = raw(site.path(SOCKET), vec![b' '; 8 << 20]).await;
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0]["error"]["message"], "a line has 1 MiB at the most");
    let mut longest = br#"{"rekindle":1,"cmd":"list"}"#.to_vec();
    longest.resize((1 << 20) - 1, b' ');
    longest.push(b'\n');
    assert_eq!(raw(site.path(SOCKET), longest).await[0]["ok"], true);
}

#[tokio::test]
async fn clients_that_hang_are_dropped_and_keep_nobody_waiting() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let manager = open(&site).await;
    let hang = || {
        let mut stream = UnixStream::connect(site.path(SOCKET)).expect("it listens");
        stream.write_all(b"{\"rekindle\":").expect("it reads");
        stream
    };
    let mut hanging: Vec<UnixStream> = (0..16).map(|_| hang()).collect();
    let turned_away = raw(site.path(SOCKET), Vec::new()).await;
    let message = turned_away[0]["error"]["message"].as_str().expect("a reason");
    assert!(message.starts_with("16 clients are connected already"), "{message}");
    site.write("config/app.toml", "x = 2\n");
    assert!(manager.reload_now().await.expect("a receipt").is_applied(), "the engine goes on");
    let last = hanging.pop().expect("a client");
    let told = tokio::task::spawn_blocking(move || {
        BufReader::new(last).lines().map_while(std::result::Result::ok).collect::<Vec<_>>()
    });
    let told = soon("the end of their patience", told).await.expect("no panic");
    assert!(told.len() == 1 && told[0].contains("no whole line came for 5 seconds"), "{told:?}");
    let answer = raw(site.path(SOCKET), b"{\"rekindle\":1,\"cmd\":\"list\"}\n".to_vec()).await;
    assert_eq!(answer[0]["ok"], true);
}

#[tokio::test]
async fn the_socket_of_a_dead_process_is_replaced_and_nothing_else_is() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    std::fs::create_dir(site.path("run")).expect("a directory");
    drop(UnixListener::bind(site.path("run/app.sock")).expect("a socket"));
    assert!(UnixStream::connect(site.path("run/app.sock")).is_err(), "nobody listens any more");
    let at = |path: &str| site.builder().control_socket_at(path);
    let manager = at("run/app.sock").start().await.expect("an engine");
    assert_eq!(manager.status().control_socket, Some(site.path("run/app.sock")));
    assert!(UnixStream::connect(site.path("run/app.sock")).is_ok());
    manager.shutdown().await.expect("it ends");

    site.write("run/precious", "data");
    let manager = at("run/precious").start().await.expect("it starts all the same");
    let failure = manager.status().control_failure.expect("it says why");
    assert_eq!(failure, "run/precious: something else is where the control socket is to be");
    assert_eq!(std::fs::read(site.path("run/precious")).expect("it"), b"data");
    manager.shutdown().await.expect("it ends");

    let _other = UnixListener::bind(site.path("run/live.sock")).expect("a socket");
    let manager = at("run/live.sock").start().await.expect("it starts all the same");
    let failure = manager.status().control_failure.expect("it says why");
    assert!(failure.starts_with("run/live.sock: another process listens"), "{failure}");
    assert!(std::fs::symlink_metadata(site.path("run/live.sock")).expect("it").file_type().is_socket());
}

#[tokio::test]
async fn of_two_programs_the_second_takes_over_when_the_first_is_killed() {
    let mut program = Program::start("control::body");
    let root = PathBuf::from(program.says("root: "));
    let builder = HotReload::builder(&root).environment("development").control_socket(true);
    let manager = builder.start().await.expect("it starts all the same");
    let failure = manager.status().control_failure.expect("it says why");
    assert!(failure.contains("another process listens at this control socket"), "{failure}");
    let request = json!({"rekindle": 1, "cmd": "status"});
    let asked = || async {
        let client = ControlClient::connect(control_socket_path(&root)).await;
        soon("an answer", client.expect("it listens").ask(&request)).await.expect("an answer")
    };
    assert_eq!(asked().await["status"]["pid"], program.id());
    program.kill();
    assert!(root.join(SOCKET).exists(), "nobody was left to remove it");
    until("the second to take over", || manager.status().control_socket.is_some()).await;
    assert_eq!(asked().await["status"]["pid"], std::process::id());
    assert_eq!(manager.status().control_failure, None);
    manager.shutdown().await.expect("it ends");
    std::fs::remove_dir_all(root).expect("the killed program left it");
}

/// The body: a program with a control socket, until it is killed.
#[test]
#[ignore = "runs for ever, started by the test above"]
fn body() {
    if !child::is_this_one() {
        return;
    }
    let root = tempfile::tempdir().expect("a directory").keep();
    std::fs::create_dir(root.join("config")).expect("config/");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let start = HotReload::builder(&root).control_socket(true).start();
    let _manager = runtime.block_on(start).expect("an engine");
    println!("root: {}", root.display());
    let _killed = std::io::stdin().lines().count();
}

#[tokio::test]
async fn a_path_that_is_too_long_for_a_socket_is_none_for_this_one() {
    let site = Site::new(&[]);
    let root = site.path(&format!("{}/{}", "deep-".repeat(20), "down-".repeat(20)));
    std::fs::create_dir_all(root.join("config")).expect("the directories");
    std::fs::write(root.join("config/app.toml"), "x = 1\n").expect("a file");
    let manager = HotReload::builder(&root).control_socket(true).start().await.expect("an engine");
    assert_eq!(manager.status().control_failure, None);
    assert!(UnixStream::connect(root.join(SOCKET)).is_err(), "not by its whole name");
    let mut client = ControlClient::connect(control_socket_path(&root)).await.expect("it listens");
    let answer = client.ask(&json!({"rekindle": 1, "cmd": "get"})).await.expect("an answer");
    assert_eq!(answer["values"]["app"]["x"], 1);
}

/// As root only: nobody else can become somebody else. It asks for nothing, since it is told at once.
#[tokio::test]
async fn another_user_is_turned_away_even_where_the_file_would_let_them() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    std::fs::create_dir(site.path("run")).expect("a directory");
    let _manager = site.builder().control_socket_at("run/app.sock").start().await.expect("an engine");
    let everybody = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    everybody(site.root(), 0o755);
    everybody(&site.path("run"), 0o755);
    everybody(&site.path("run/app.sock"), 0o666);
    let script = "use IO::Socket::UNIX; $) = '65534 65534'; $> = 65534; $> == 65534 or exit 3; \
        my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!; print <$s>";
    let mut perl = std::process::Command::new("perl");
    let output = perl.args(["-e", script]).arg(site.path("run/app.sock")).output().expect("perl runs");
    if output.status.code() == Some(3) {
        eprintln!("NOT RUN, only root can become somebody else");
        return;
    }
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(told["ok"], false);
    assert!(
        told["error"]["message"].as_str().is_some_and(|why| why.contains("and not to user 65534")),
        "{told}"
    );
}

#[tokio::test]
async fn the_program_can_answer_the_same_questions_itself() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let manager = site.builder().history(false).start().await.expect("an engine");
    let answer = manager.control(json!({"rekindle": 1, "cmd": "get", "pointer": "/x"})).await;
    assert_eq!(answer["values"], json!({"app": 1}));
    let events = manager.control(json!({"rekindle": 1, "cmd": "events"})).await;
    assert_eq!(events["ok"], false);
    let history = manager.control(json!({"rekindle": 1, "cmd": "history"})).await;
    assert_eq!((&history["ok"], &history["revisions"]), (&json!(true), &json!([])));
    assert!(!site.path("data").exists(), "to ask leaves nothing behind");
}
