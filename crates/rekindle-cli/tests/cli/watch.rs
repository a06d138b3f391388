//! `rekindle watch`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Project, Running, rekindle, run, stderr};

const APP: &str = "port = 8080\nname = \"a\"\n\n[log]\nlevel = \"info\"\n";

fn project() -> Project {
    Project::new(&[("config/app.toml", APP), ("templates/page.html", "<p>")])
}

fn file_changed(path: &str, change_type: &str, kind: &str) -> Value {
    json!({"event": "file_changed", "path": path, "change_type": change_type, "kind": kind})
}

#[test]
fn ready_is_first_and_what_is_invalid_already_is_next() {
    let project = project();
    project.write("config/broken.toml", "a = 1\nb = = 2\n");
    let mut command = rekindle(&["watch", "--json"]);
    let running = Running::start({
        command.arg(project.root());
        command
    });
    let root = project.root().to_str().unwrap();
    assert_eq!(running.event(), json!({"event": "ready", "root": root, "watched_dirs": 4}));
    let failed = running.event();
    assert_eq!(failed["event"], "validation_failed");
    assert_eq!(failed["config_name"], "broken");
    assert_eq!(failed["path"], "config/broken.toml");
    assert_eq!((&failed["line"], &failed["column"]), (&json!(2), &json!(5)));
}

#[test]
fn a_change_is_told_field_by_field_and_with_its_duration() {
    let project = project();
    let running = Running::watch(&project, &[]);
    project.write("config/app.toml", "port = 9090\nname = \"a\"\n\n[log]\nlevel = \"warn\"\n");
    assert_eq!(running.event(), file_changed("config/app.toml", "modified", "config"));
    let changed = running.event();
    assert_eq!(changed["event"], "config_changed");
    assert_eq!(changed["config_name"], "app");
    assert_eq!(changed["generation"], 2);
    assert_eq!(changed["changed"], json!(["/log/level", "/port"]));
    assert_eq!(changed["old_value"], json!({"port": 8080, "name": "a", "log": {"level": "info"}}));
    assert_eq!(changed["new_value"], json!({"port": 9090, "name": "a", "log": {"level": "warn"}}));
    let micros = changed["duration_us"].as_u64().expect("a number");
    assert!((1..5_000_000).contains(&micros), "{micros}");
    let completed = running.event();
    assert_eq!(completed["event"], "reload_completed");
    assert_eq!(completed["config_name"], "app");
    assert!(completed["duration_us"].as_u64() >= Some(micros));
}

#[test]
fn files_come_change_are_renamed_and_go() {
    let project = project();
    let running = Running::watch(&project, &["--debounce", "100"]);
    project.write("templates/page.html", "<p>1</p>");
    assert_eq!(running.event(), file_changed("templates/page.html", "modified", "template"));
    project.write("static/a.css", "a {}");
    assert_eq!(running.event(), file_changed("static/a.css", "created", "asset"));
    std::fs::rename(project.path("static/a.css"), project.path("static/b.css")).unwrap();
    let mut renamed = file_changed("static/b.css", "renamed", "asset");
    renamed["from"] = "static/a.css".into();
    assert_eq!(running.event(), renamed);
    std::fs::remove_file(project.path("static/b.css")).unwrap();
    assert_eq!(running.event(), file_changed("static/b.css", "deleted", "asset"));
}

#[test]
fn a_refusal_has_its_place_and_a_mended_file_recovers() {
    let project = project();
    let running = Running::watch(&project, &["--debounce", "100"]);
    project.write("config/app.toml", "port = 1\nname = nope\n");
    let failed = running.event_of("validation_failed");
    assert_eq!(failed["config_name"], "app");
    assert_eq!(failed["path"], "config/app.toml");
    assert_eq!((&failed["line"], &failed["column"]), (&json!(2), &json!(8)));
    assert!(
        failed["error"].as_str().is_some_and(|text| text.starts_with("config/app.toml:2:8: ")),
        "{failed}"
    );
    project.write("config/app.toml", APP);
    assert_eq!(running.event_of("recovered"), json!({"event": "recovered", "config_name": "app"}));
}

#[test]
fn the_options_reach_the_engine() {
    let project = project();
    project.write("config/app.staging.toml", "port = 1\n");
    let options = [
        "--env",
        "staging",
        "--settle",
        "0",
        "--backup",
        "--watch",
        "config/*.toml",
        "--exclude",
        "config/no*",
    ];
    let running = Running::watch(&project, &options);
    project.write("static/unwatched.css", "a {}");
    project.write("config/not.toml", "a = 1");
    project.write("config/app.staging.toml", "port = 2\n");
    assert_eq!(running.event(), file_changed("config/app.staging.toml", "modified", "config"));
    assert_eq!(running.event_of("config_changed")["new_value"]["port"], 2);
    let backups: Vec<_> = std::fs::read_dir(project.path("data/backups/configs")).unwrap().collect();
    assert_eq!(backups.len(), 1);
}

#[test]
fn polling_sees_the_same() {
    let project = project();
    let running = Running::watch(&project, &["--poll", "20"]);
    project.write("config/app.toml", "port = 1\n");
    assert_eq!(running.event_of("config_changed")["changed"], json!(["/log", "/name", "/port"]));
}

#[test]
#[cfg(target_os = "linux")]
fn a_name_that_is_not_utf_8_is_shown_as_near_as_text_can() {
    use std::os::unix::ffi::OsStrExt;

    let project = project();
    let running = Running::watch(&project, &[]);
    std::fs::write(project.path("static").join(std::ffi::OsStr::from_bytes(b"\xff.css")), "a {}").unwrap();
    assert_eq!(running.event(), file_changed("static/\u{fffd}.css", "created", "asset"));
}

#[test]
#[cfg(unix)]
fn signals_end_it_well() {
    for signal in ["INT", "TERM"] {
        let running = Running::watch(&project(), &[]);
        running.signal(signal);
        assert_eq!(running.exit_code(), Some(0), "SIG{signal}");
    }
}

#[test]
#[cfg(unix)]
fn a_closed_pipe_ends_it_without_a_word() {
    let project = project();
    let mut command = rekindle(&["watch", "--json"]);
    let mut child =
        command.arg(project.root()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("ready"));
    // The reader is dropped here. Nothing is written, and it ends all the same.
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), stderr(&ended).as_str()), (Some(0), ""));
}

#[test]
#[cfg(unix)]
fn a_reader_that_does_not_read_cannot_keep_it_from_ending() {
    let project = project();
    let mut command = rekindle(&["watch", "--json"]);
    let mut child = command.arg(project.root()).stdout(Stdio::piped()).spawn().unwrap();
    let mut unread = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("file_changed") {
        line.clear();
        unread.read_line(&mut line).unwrap();
        if line.contains("ready") {
            // More than any pipe holds.
            project.write("config/app.toml", &format!("name = \"{}\"", "x".repeat(4 << 20)));
        }
    }
    // The long line has begun, and stops at what the pipe holds.
    assert!(!unread.fill_buf().unwrap().is_empty());
    let running = Running::of(child);
    running.signal("TERM");
    assert_eq!(running.exit_code(), Some(0));
}

#[test]
fn for_people_the_fields_stand_below_each_other() {
    let project = project();
    let mut command = rekindle(&["watch"]);
    command.arg(project.root());
    let running = Running::start(command);
    while !running.line().contains("Ctrl-C") {}
    project.write("config/app.toml", "port = 9090\nname = \"a longer name\"\n\n[log]\nlevel = \"info\"\n");
    let lines = [running.line(), running.line(), running.line(), running.line()];
    // The first columns are the time of day.
    let shown: Vec<&str> = lines.iter().map(|line| &line[14..]).collect();
    assert_eq!(shown[0], "modified   config/app.toml  config");
    assert!(shown[1].starts_with("reloaded   app, generation 2, visible after "), "{shown:?}");
    assert_eq!(shown[2], "           /name  \"a\"  -> \"a longer name\"");
    assert_eq!(shown[3], "           /port  8080 -> 9090");
}

#[test]
fn for_people_a_refusal_shows_the_line() {
    let project = project();
    let mut command = rekindle(&["watch", "--debounce", "100"]);
    command.arg(project.root());
    let running = Running::start(command);
    while !running.line().contains("Ctrl-C") {}
    project.write("config/app.toml", "port = = 1\n");
    while !running.line().ends_with("refused    app, the last good value stays") {}
    while running.line() != "1 | port = = 1" {}
    assert_eq!(running.line(), "  |        ^");
}

#[test]
fn wrong_usage_is_told_apart() {
    let project = project();
    let root = project.root().to_str().unwrap();
    let cases: [(&[&str], &str); 6] = [
        (&["watch", "/nowhere/at/all"], "/nowhere/at/all: this root cannot be watched"),
        (&["watch", root, "--watch", "config/["], "bad pattern \"config/[\""),
        (&["watch", root, "--exclude", "../*"], "bad pattern \"../*\": it leaves the root"),
        (&["watch", root, "--env", "a.b"], "\"a.b\" is no environment"),
        (&["watch", root, "--debounce", "soon"], "expected a whole number of milliseconds"),
        (&["watch", root, "--no-such-option"], "unexpected argument '--no-such-option'"),
    ];
    for (arguments, said) in cases {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
}

/// Stopped while more happens than the queue of notifications holds: told of, and nothing is lost.
#[cfg(target_os = "linux")]
#[test]
fn an_overflow_is_a_rescan_and_the_last_write_wins() {
    let limit = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: u32 = limit.trim().parse().unwrap();
    let project = project();
    let running = Running::watch(&project, &[]);
    running.signal("STOP");
    for n in 0..=limit {
        project.write("config/app.toml", &format!("port = {n}\n"));
        project.write("templates/page.html", &format!("<p>{n}"));
    }
    project.write("static/new.css", "a {}");
    running.signal("CONT");
    // What came before the queue was full may be told first.
    let (mut told, mut rescanned) = (Vec::new(), false);
    while told.len() < 4 || !rescanned {
        let event = running.event();
        let what = match event["event"].as_str().unwrap() {
            "rescanned" => {
                assert!(event["reason"].as_str().unwrap().contains("overflowed"), "{event}");
                rescanned = true;
                continue;
            }
            "file_changed" => event["path"].clone(),
            "config_changed" if event["new_value"]["port"] == limit => event["config_name"].clone(),
            _ => continue,
        };
        if !told.contains(&what) {
            told.push(what);
        }
    }
    told.sort_by_key(Value::to_string);
    assert_eq!(told, ["app", "config/app.toml", "static/new.css", "templates/page.html"]);
}

#[test]
fn secrets_are_masked_for_programs_and_for_people() {
    let schema = r#"{"properties": {"key": {"x-rekindle": "secret"}, "auth": {"x-rekindle": "secret"}}}"#;
    let text = |key: &str| format!("key = \"{key}\"\nport = 1\n[auth]\n{key} = \"{key}\"\n");
    let project = Project::new(&[("config/app.toml", &text("hunter1")), ("config/app.schema.json", schema)]);
    let running = Running::watch(&project, &[]);
    let people = Running::start({
        let mut command = rekindle(&["watch"]);
        command.arg(project.root());
        command
    });
    while !people.line().contains("Ctrl-C") {}

    project.write("config/app.toml", &text("hunter2"));
    let changed = running.event_of("config_changed");
    assert_eq!(changed["changed"], json!(["/auth", "/key"]));
    let masked = json!({"key": "***", "port": 1, "auth": "***"});
    assert_eq!((&changed["old_value"], &changed["new_value"]), (&masked, &masked));
    let mut lines: Vec<String> = Vec::new();
    while !lines.iter().any(|line| line.contains("/key ")) {
        lines.push(people.line());
    }
    assert!(lines.iter().any(|line| line.contains("/auth  \"***\" -> \"***\"")), "{lines:#?}");

    project.write("config/app.toml", "key = \"hunter3\" \"hunter4\"\n");
    let failed = running.event_of("validation_failed");
    while !lines.iter().any(|line| line.contains("1 | ")) {
        lines.push(people.line());
    }
    assert!(lines.iter().any(|line| line.contains("1 | key = ***")), "{lines:#?}");
    assert!(!failed.to_string().contains("hunter") && !lines.concat().contains("hunter"), "{lines:#?}");
}
