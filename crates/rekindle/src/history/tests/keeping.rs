//! What is kept, and for how long.

use std::time::{Duration, SystemTime};

use super::{Root, file, listed, new, text, undone};
use crate::error::ErrorKind;
use crate::history::{History, HistoryEntry, Limits, Outcome, Trigger};

#[test]
fn a_revision_comes_back_with_the_bytes_and_modes_of_all_its_files() {
    let root = Root::new();
    let files = vec![file("config/app.toml", "# a comment\nn = 1\n"), file("config/app.local.toml", "")];
    let new = crate::history::NewRecord { files: files.clone(), ..new("app", "") };
    let recorded = root.history.record(new).expect("there is room");
    assert!(recorded.is_new && recorded.untidy.is_none());
    let record = root.history.get("app", recorded.record.revision).expect("it is there");
    assert_eq!(record, recorded.record);
    assert_eq!(root.history.contents(&record).expect("it is whole"), files);
}

#[test]
fn revisions_rise_for_each_configuration_and_go_on_after_a_restart() {
    let root = Root::new();
    assert_eq!(root.record("app", "1").record.revision, 1);
    assert_eq!(root.record("app", "2").record.revision, 2);
    assert_eq!(root.record("sub/app", "1").record.revision, 1);
    let again = History::open(root.path(), Limits::default());
    assert_eq!(again.record(new("app", "3")).expect("there is room").record.revision, 3);
    assert_eq!(again.names().expect("they can be listed"), ["app", "sub/app"]);
    assert_eq!(listed(&again, "app"), [1, 2, 3]);
    assert_eq!(text(&again, "app", 2), "2");
}

#[test]
fn the_same_content_makes_no_new_revision_unless_it_did_harm() {
    let root = Root::new();
    root.record("app", "good");
    root.confirm("app", 1);
    let same = root.record("app", "good");
    assert_eq!((same.is_new, same.record.revision), (false, 1));
    assert_eq!(same.record.outcome, Outcome::Confirmed);

    root.record("app", "bad");
    root.set("app", 2, &undone());
    let after_the_undo = root.record("app", "good");
    assert_eq!((after_the_undo.is_new, after_the_undo.record.revision), (false, 1));
    let bad_again = root.record("app", "bad");
    assert_eq!((bad_again.is_new, bad_again.record.revision), (true, 3));
}

#[test]
fn contents_are_kept_once_and_removed_with_the_last_that_has_them() {
    let root = Root::with(Limits { revisions: 2, ..Limits::default() });
    root.record("app", "a");
    root.record("other", "a");
    assert_eq!(root.blobs(), 1, "two configurations with one content");
    for text in ["b", "c", "d"] {
        root.record("app", text);
    }
    assert_eq!(listed(&root.history, "app"), [3, 4]);
    assert_eq!(root.blobs(), 3, "a is still the other's, b is gone");
    assert_eq!(text(&root.history, "other", 1), "a");
}

#[test]
fn the_oldest_are_removed_several_at_a_time() {
    let root = Root::with(Limits { revisions: 16, ..Limits::default() });
    let mut most = 0;
    for n in 1..=40 {
        root.record("app", &n.to_string());
        most = most.max(listed(&root.history, "app").len());
    }
    assert_eq!(most, 18, "an eighth more, for a while");
    assert_eq!(listed(&root.history, "app"), (25..=40).collect::<Vec<_>>());
    root.record("app", "another process has no count of its own");
    let other = History::open(root.path(), Limits { revisions: 16, ..Limits::default() });
    other.record(new("app", "so it begins with a look")).expect("it can be written");
    assert_eq!(listed(&other, "app"), (27..=42).collect::<Vec<_>>());
}

#[test]
fn what_is_known_to_be_good_is_written_down_as_such() {
    let root = Root::new();
    let confirmed = crate::history::NewRecord { outcome: Outcome::Confirmed, ..new("app", "a") };
    root.history.record(confirmed).expect("it can be written");
    let newest = root.history.newest_confirmed("app").expect("it can be read");
    assert_eq!(newest.map(|record| record.revision), Some(1));
}

#[test]
fn bytes_are_bounded_too_and_the_newest_confirmed_stays() {
    let root = Root::with(Limits { revisions: 50, bytes: 25 });
    root.record("app", "0123456789");
    root.confirm("app", 1);
    for n in 0..5 {
        root.record("app", &format!("123456789{n}"));
    }
    assert_eq!(listed(&root.history, "app"), [1, 6]);
    assert_eq!(root.history.newest_confirmed("app").expect("it can be read").map(|r| r.revision), Some(1));
    assert_eq!(root.history.before("app", 6).expect("it can be read").map(|r| r.revision), Some(1));
}

#[test]
fn what_to_go_back_to_is_the_newest_that_nothing_is_known_against() {
    let root = Root::new();
    let before = |revision| {
        let found = root.history.before("app", revision).expect("it can be read");
        found.map(|record| record.revision)
    };
    assert_eq!(before(1), None);
    for n in 1..=5 {
        root.record("app", &n.to_string());
    }
    root.confirm("app", 1);
    root.set("app", 3, &Outcome::Unconfirmed { crashes: 1 });
    root.set("app", 4, &undone());
    assert_eq!((before(6), before(5), before(2), before(1)), (Some(5), Some(2), Some(1), None));
}

#[test]
fn what_is_not_there_is_not_found_and_nothing_is_made_on_disk_for_it() {
    let root = Root::new();
    let error = root.history.get("app", 7).expect_err("nothing is there");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = root.history.set_outcome("app", 7, &Outcome::Confirmed).expect_err("nothing is there");
    let text = r#"there is no revision 7 of "app" in the history (the older ones are removed in time)"#;
    assert_eq!(error.to_string(), text);
    assert!(root.history.names().expect("none").is_empty() && listed(&root.history, "app").is_empty());
    assert!(!root.path().join("data").exists());
}

#[test]
fn names_and_paths_that_lead_elsewhere_are_refused() {
    let root = Root::new();
    for name in ["..", "../x", "/etc", ""] {
        assert_eq!(root.history.list(name).expect_err(name).kind(), ErrorKind::Name);
        assert_eq!(root.history.get(name, 1).expect_err(name).kind(), ErrorKind::Name);
        assert_eq!(root.history.record(new(name, "x")).expect_err(name).kind(), ErrorKind::Name);
    }
    for path in ["/etc/passwd", "../x.toml"] {
        let outside = crate::history::NewRecord { files: vec![file(path, "x")], ..new("app", "") };
        let error = root.history.record(outside).expect_err(path);
        assert_eq!(error.message(), format!("{path} is no plain path below the root"));
    }
    assert!(!root.path().join("data").exists());
}

#[test]
fn the_program_sees_what_was_recorded() {
    let root = Root::new();
    let entry = HistoryEntry::from(root.record("app", "n = 1").record);
    assert_eq!((entry.config_name.as_str(), entry.revision, entry.generation), ("app", 1, 1));
    assert_eq!((entry.trigger, entry.bytes, entry.time), (Trigger::Files, 5, SystemTime::UNIX_EPOCH));
    assert_eq!(entry.files, [std::path::Path::new("config/app.toml")]);
    assert_eq!(entry.outcome, Outcome::Unconfirmed { crashes: 0 });
}

#[test]
fn what_a_killed_writer_left_is_removed_after_an_hour() {
    let root = Root::new();
    root.record("app", "1");
    let directories = ["", ".blobs", "app"].map(|name| root.path().join("data/rekindle/history").join(name));
    let old = SystemTime::now() - Duration::from_secs(3601);
    for directory in &directories {
        for name in [".rekindle-new.tmp", ".rekindle-old.tmp", "foreign.tmp"] {
            std::fs::write(directory.join(name), "").expect("it is ours");
        }
        for name in [".rekindle-old.tmp", "foreign.tmp"] {
            let file = std::fs::File::options().write(true).open(directory.join(name));
            file.and_then(|file| file.set_modified(old)).expect("it is ours");
        }
    }
    let next_run = History::open(root.path(), Limits::default());
    next_run.record(new("app", "2")).expect("there is room");
    for directory in &directories {
        let is_there = |name: &str| directory.join(name).exists();
        assert!(is_there(".rekindle-new.tmp") && is_there("foreign.tmp"), "{}", directory.display());
        assert!(!is_there(".rekindle-old.tmp"), "{}", directory.display());
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it_and_version_control_leaves_it_out() {
    use std::os::unix::fs::PermissionsExt;

    let root = Root::new();
    root.record("app", "password = \"x\"");
    let home = root.path().join("data/rekindle");
    let mode = |path: &std::path::Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    let directories = [".", "history", "history/.blobs", "history/app"];
    let directories = directories.map(|name| home.join(name));
    for directory in &directories {
        assert_eq!(mode(directory), 0o700, "{}", directory.display());
        for entry in
            std::fs::read_dir(directory).expect("it is a directory").map(|entry| entry.expect("it is"))
        {
            let is_file = entry.path().is_file();
            assert!(!is_file || mode(&entry.path()) == 0o600, "{}", entry.path().display());
        }
    }
    assert_eq!(std::fs::read_to_string(home.join(".gitignore")).expect("it is there"), "*\n");
}
