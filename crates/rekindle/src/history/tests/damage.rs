//! Damage to any file, at any byte, costs that file and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Root, listed, new, text};
use crate::history::{History, Limits};

/// Every file below a directory, with its bytes.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).expect("it is a directory") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).expect("it is ours"));
        }
    }
    found
}

/// Makes the directory hold exactly these files.
fn restore(directory: &Path, wanted: &BTreeMap<PathBuf, Vec<u8>>) {
    let found = files(directory);
    for path in found.keys().filter(|path| !wanted.contains_key(*path)) {
        std::fs::remove_file(path).expect("it is ours");
    }
    for (path, bytes) in wanted.iter().filter(|(path, bytes)| found.get(*path) != Some(*bytes)) {
        std::fs::write(path, bytes).expect("it is ours");
    }
}

/// Reads, records, prunes and reads back, and holds what is there against what was recorded.
fn works(root: &Path, what: &str) {
    let history = History::open(root, Limits { revisions: 3, ..Limits::default() });
    let listing = history.list("app").expect(what);
    assert_eq!(listing.records.len() + listing.damaged.len(), 3, "{what}");
    assert!(listing.damaged.len() <= 1, "one file was cut, and two share none: {what}");
    for record in &listing.records {
        assert_eq!(text(&history, "app", record.revision), format!("n = {}", record.revision), "{what}");
    }
    assert_eq!(listed(&history, "other").len(), 1, "not what was cut: {what}");
    let before = history.before("app", 4).expect(what);
    assert_eq!(before.map(|record| record.revision), listing.records.last().map(|record| record.revision));

    for n in 4..=5 {
        let recorded = history.record(new("app", &format!("n = {n}"))).expect(what);
        assert!(recorded.is_new && recorded.record.revision == n && recorded.untidy.is_none(), "{what}");
    }
    let listing = history.list("app").expect(what);
    let revisions: Vec<u64> = listing.records.iter().map(|record| record.revision).collect();
    assert!(revisions.ends_with(&[4, 5]) && revisions.is_sorted(), "{what}: {revisions:?}");
    assert_eq!(text(&history, "app", 5), "n = 5");
    assert_eq!(text(&history, "other", 1), "m = 1");
}

#[test]
fn any_file_cut_off_anywhere_leaves_the_rest_readable_and_a_history_that_goes_on() {
    let root = Root::in_memory(Limits { revisions: 3, ..Limits::default() });
    root.record("other", "m = 1");
    for n in 1..=3 {
        root.record("app", &format!("n = {n}"));
    }
    root.confirm("app", 1);
    let kept = root.path().join("data/rekindle/history");
    let whole = files(&kept);
    assert!(whole.len() >= 8, "four records and four contents");
    let others = |path: &Path, bytes: &[u8]| path.starts_with(kept.join("other")) || bytes == b"m = 1";
    for (path, bytes) in whole.iter().filter(|(path, bytes)| !others(path, bytes)) {
        for length in 0..=bytes.len() {
            restore(&kept, &whole);
            std::fs::write(path, &bytes[..length]).expect("it is ours");
            works(root.path(), &format!("{} cut off at {length}", path.display()));
        }
    }
}

#[test]
fn what_is_damaged_is_told_of_where_it_stands() {
    let root = Root::new();
    root.record("app", "n = 1");
    root.record("app", "n = 2");
    root.record("app", "n = 3");
    let records = root.path().join("data/rekindle/history/app");
    let blob =
        root.path().join("data/rekindle/history/.blobs").join(blake3::hash(b"n = 2").to_hex().as_str());
    std::fs::write(records.join("0000000001.json"), "{").expect("it is ours");
    std::fs::remove_file(&blob).expect("it is there");
    let listing = root.history.list("app").expect("it can be listed");
    assert_eq!(listed(&root.history, "app"), [3]);
    let told: Vec<String> = listing.damaged.iter().map(|damaged| damaged.error.to_string()).collect();
    let shown = blob.strip_prefix(root.path()).expect("it is below").display();
    let expected = [
        "data/rekindle/history/app/0000000001.json: this record is damaged: \
         EOF while parsing an object at line 1 column 1"
            .to_owned(),
        format!("{shown}: the content of config/app.toml is missing"),
    ];
    assert_eq!(told, expected);
    assert_eq!(listing.damaged.iter().map(|damaged| damaged.revision).collect::<Vec<_>>(), [1, 2]);

    std::fs::write(&blob, "n = 9").expect("it is ours");
    let listing = root.history.list("app").expect("it can be listed");
    assert!(listing.damaged[1].error.message().ends_with("is damaged"), "{:?}", listing.damaged);
    let record = root.history.get("app", 2).expect("the record itself is whole");
    assert!(root.history.contents(&record).is_err(), "a content is never another's");
}

#[test]
fn recording_a_content_mends_its_damaged_blob() {
    let root = Root::new();
    root.record("app", "n = 1");
    let blob =
        root.path().join("data/rekindle/history/.blobs").join(blake3::hash(b"n = 1").to_hex().as_str());
    std::fs::write(&blob, "n = ").expect("it is ours");
    assert!(listed(&root.history, "app").is_empty());
    let same = root.record("app", "n = 1");
    assert_eq!((same.is_new, same.record.revision), (false, 1));
    assert_eq!(text(&root.history, "app", 1), "n = 1");
}

#[test]
fn contents_stay_while_a_record_of_a_later_version_may_name_them() {
    let root = Root::with(Limits { revisions: 1, ..Limits::default() });
    root.record("app", "n = 1");
    root.record("other", "n = 1");
    let later = root.path().join("data/rekindle/history/other/0000000001.json");
    std::fs::write(&later, r#"{ "format": 2 }"#).expect("it is ours");
    root.record("app", "n = 2");
    assert_eq!((listed(&root.history, "app"), root.blobs()), (vec![2], 2));
    let damaged = root.history.list("other").expect("it can be listed").damaged;
    assert_eq!(damaged[0].error.message(), "a later version wrote this record, in format 2");
    std::fs::remove_file(&later).expect("it is ours");
    root.record("app", "n = 3");
    assert_eq!(root.blobs(), 1);
}

#[test]
fn what_is_foreign_is_left_alone() {
    let root = Root::new();
    root.record("app", "n = 1");
    let kept = root.path().join("data/rekindle/history");
    for name in ["notes", "notes.txt", ".blobs/notes.txt", "app/notes.txt", "app/1.json"] {
        std::fs::write(kept.join(name), "mine").expect("it is ours");
    }
    std::fs::create_dir(kept.join("app/0000000009.json")).expect("it is ours");
    let next_run = History::open(root.path(), Limits::default());
    let recorded = next_run.record(new("app", "n = 2")).expect("there is room");
    assert_eq!((recorded.record.revision, recorded.untidy.is_none()), (10, true));
    assert_eq!(listed(&next_run, "app"), [1, 10]);
    for name in ["notes", "notes.txt", ".blobs/notes.txt", "app/notes.txt", "app/1.json"] {
        assert!(kept.join(name).exists(), "{name}");
    }
}
