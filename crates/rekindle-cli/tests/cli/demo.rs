//! `rekindle demo`.

use crate::support::{Running, rekindle, stderr, stdout};

#[test]
fn every_edit_is_seen_and_nothing_is_left_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let output = rekindle(&["demo"]).env("TMPDIR", temporary.path()).output().unwrap();
    let shown = stdout(&output);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{shown}");
    assert!(shown.contains(" edits were seen as they should be"), "{shown}");
    let rows = [
        "port, saved by rename        port 8080 -> 9090",
        "a typo: port = = 9090        refused at 3:8, nothing changes",
        "app.production.toml appears  log.level \"info\" -> \"warn\"",
        "app.toml, from its backup    workers 16 -> 8",
        "workers = 60: a veto         refused at 4:11, nothing changes",
        "no greeting: valid, harmful  unhealthy, undone, no other value",
        "back by one, from history    greeting \"Welcome\" -> \"Good morning\"",
        "greeting = \"Welcome\"         answers \"Welcome\"",
        "another port                 port ",
        "a port that is taken         refused at 5:7, nothing changes",
        "back to the first            port ",
        " requests meanwhile, 0 failed.",
    ];
    for row in rows {
        assert!(shown.contains(row), "{row}\n{shown}");
    }
    let widest = shown.lines().filter(|line| line.ends_with(" ms")).map(|line| line.chars().count()).max();
    assert_eq!(widest, Some(79));
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
#[cfg(unix)]
fn with_keep_it_goes_on_watching() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = rekindle(&["demo", "--keep"]);
    command.env("TMPDIR", temporary.path());
    let running = Running::start(command);
    let line =
        std::iter::repeat_with(|| running.line()).find(|line| line.starts_with("The project is kept: "));
    let root = line.unwrap().replace("The project is kept: ", "");
    while !running.line().contains("Ctrl-C") {}
    let path = std::path::Path::new(&root).join("config/app.toml");
    let text = std::fs::read_to_string(&path).unwrap().replace("port = 9091", "port = 1234");
    std::fs::write(path, text).unwrap();
    while !running.line().ends_with("/port  9091 -> 1234") {}
    running.signal("INT");
    assert_eq!(running.exit_code(), Some(0));
    assert!(std::path::Path::new(&root).is_dir());
}

#[test]
#[cfg(unix)]
fn broken_off_it_cleans_up() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = rekindle(&["demo"]);
    command.env("TMPDIR", temporary.path());
    let running = Running::start(command);
    while !running.line().starts_with(" 1  ") {}
    running.signal("INT");
    assert_eq!(running.exit_code(), Some(130));
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn a_fleet_takes_what_is_good_and_takes_back_what_is_not() {
    let temporary = tempfile::tempdir().unwrap();
    let output = rekindle(&["demo", "--cluster"]).env("TMPDIR", temporary.path()).output().unwrap();
    let shown = stdout(&output);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{shown}");
    let lines = [
        "all greet with \"Good morning\"; 5 of 5 have used it",
        "refused, and nobody used it",
        "an answer takes 900 ms",
        "all greet with \"Good morning\"; 1 of 5 have used it",
        "All three went as they should.",
    ];
    for line in lines {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
