//! Disks that are full, and rights that are missing.

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use rekindle_test::child;

use super::{Root, listed, new, text};
use crate::error::ErrorKind;
use crate::history::Outcome;
use crate::history::runs::Run;

/// Makes a small disk of a directory and has temporary files on it.
const ON_A_SMALL_DISK: &str =
    r#"mount -t tmpfs -o size=1m tmpfs "$DISK" && export TMPDIR="$DISK" && exec "$@""#;

#[test]
fn a_full_disk_is_an_error_and_costs_nothing_that_was_kept() {
    let disk = tempfile::tempdir().expect("a place to mount it");
    let disk = format!("DISK={}", disk.path().display());
    let wrapper = [child::MOUNTS, &["env", &disk, "sh", "-c", ON_A_SMALL_DISK, "sh"]].concat();
    child::run(&wrapper, "history::tests::faults::on_a_full_disk");
}

#[test]
#[ignore = "runs in a mount namespace of its own, started by the test above"]
fn on_a_full_disk() {
    if !child::is_this_one() {
        return;
    }
    let root = Root::new();
    root.record("app", "1");
    let (mut run, _) = Run::begin(root.path()).expect("there is room");
    run.begin_use("app", 1).expect("there is room");
    let filler = root.path().join("filler");
    // With every page of room that may be left: it fails at the first write, or at a later one.
    for room in 0..6 {
        fill(&filler, room);
        let blobs = root.blobs();
        let error = root.history.record(new("app", &"x".repeat(20_000))).expect_err("it is full");
        assert_eq!(error.kind(), ErrorKind::History);
        assert!(error.message().contains("(os error 28)"), "{error}");
        assert_eq!((listed(&root.history, "app"), root.blobs()), (vec![1], blobs), "room for {room}");
    }
    fill(&filler, 0);
    root.history.set_outcome("app", 1, &Outcome::Confirmed).expect_err("it is full");
    run.begin_use("app", 2).expect_err("it is full");
    assert_eq!(root.history.get("app", 1).expect("it is there").outcome, Outcome::Unconfirmed { crashes: 0 });
    drop(run);
    Run::begin(root.path()).expect_err("it is full");

    std::fs::remove_file(&filler).expect("it is there");
    let (_run, crashed) = Run::begin(root.path()).expect("there is room");
    assert_eq!(crashed[0].unconfirmed["app"], 1, "what was noted before");
    assert_eq!(root.record("app", "2").record.revision, 2);
    assert_eq!((text(&root.history, "app", 1), text(&root.history, "app", 2)), ("1".into(), "2".into()));
}

/// Leaves room for so many pages.
fn fill(filler: &std::path::Path, pages: u64) {
    let mut file =
        File::options().create(true).append(true).open(filler).expect("no room is needed for that");
    while file.write_all(&[0; 4096]).is_ok() {}
    let length = file.metadata().expect("it is open").len();
    file.set_len(length - pages * 4096).expect("it is longer than that");
}

#[test]
fn a_directory_that_may_not_be_written_to_is_an_error_and_stays_readable() {
    child::run(child::NOBODY, "history::tests::faults::read_only");
}

#[test]
#[ignore = "runs without the rights of root, started by the test above"]
fn read_only() {
    if !child::is_this_one() {
        return;
    }
    let root = Root::new();
    root.record("app", "1");
    let kept = root.path().join("data/rekindle/history");
    for name in [".blobs", "app", ""] {
        let set = |mode| std::fs::set_permissions(kept.join(name), Permissions::from_mode(mode));
        set(0o500).expect("it is ours");
        let content = format!("not kept: {name}");
        let written = root.history.record(new("app", &content)).map(|recorded| recorded.record.revision);
        // What is written into is below: the directory itself matters when something is to be made in it.
        assert_eq!(written.is_ok(), name.is_empty(), "{name}: {written:?}");
        assert_eq!(text(&root.history, "app", 1), "1");
        set(0o700).expect("it is ours");
    }
    assert_eq!(listed(&root.history, "app"), [1, 2]);
    assert_eq!(root.record("app", "3").record.revision, 3);
}
