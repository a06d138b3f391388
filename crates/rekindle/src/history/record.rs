//! [`Record`]: what is written down of one revision. Pure.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Content, NewRecord, Outcome, Trigger};

/// The format that is written, and the newest one that is read.
const FORMAT: u64 = 1;

/// Of a file's mode, the bits that say what may be done with it.
const PERMISSIONS: u32 = 0o7777;

/// A blob's name: the hash of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Digest(blake3::Hash);

impl Digest {
    /// That of a content.
    pub(super) fn of(content: &[u8]) -> Self {
        Self(blake3::hash(content))
    }

    /// The one that a blob's file name says.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let digest = Self(blake3::Hash::from_hex(name).ok()?);
        (digest.to_name() == name).then_some(digest)
    }

    /// A blob's file name.
    pub(super) fn to_name(self) -> String {
        self.0.to_hex().to_string()
    }
}

impl From<blake3::Hash> for Digest {
    fn from(hash: blake3::Hash) -> Self {
        Self(hash)
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::from_name(&name).ok_or("a blob's name is 64 hexadecimal digits")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_name()
    }
}

/// One revision of a configuration. The contents of its files are in blobs of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(super) format: u64,
    pub(crate) config: String,
    /// From 1, for each configuration, across restarts.
    pub(crate) revision: u64,
    /// The generation of the run that it was made in.
    pub(crate) generation: u64,
    /// The run that it was made in.
    pub(crate) run: String,
    pub(crate) time: jiff::Timestamp,
    pub(crate) trigger: Trigger,
    /// Weakest layer first.
    pub(crate) files: Vec<RecordedFile>,
    /// JSON pointers. No values: they may be secrets.
    pub(crate) changed: Vec<String>,
    pub(crate) outcome: Outcome,
}

/// A file as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordedFile {
    /// Relative to the root.
    pub(crate) path: PathBuf,
    pub(super) blob: Digest,
    /// Bytes.
    pub(crate) size: u64,
    /// The permission bits, where the system has them.
    pub(crate) mode: Option<u32>,
}

impl RecordedFile {
    /// What is written down of a file.
    pub(super) fn of(file: &Content) -> Self {
        Self {
            path: file.path.clone(),
            blob: Digest::of(&file.bytes),
            size: file.bytes.len() as u64,
            mode: file.mode.map(|mode| mode & PERMISSIONS),
        }
    }
}

/// Why a record cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It was written by a later version, which knows what is in it.
    Newer(u64),
    /// It is cut off, or is no record of this revision.
    Damaged(String),
}

impl Record {
    /// The record of a generation whose contents are kept.
    pub(super) fn new(new: NewRecord, revision: u64, files: Vec<RecordedFile>) -> Self {
        let NewRecord { config, generation, run, time, trigger, files: _, changed, outcome } = new;
        let format = FORMAT;
        Self { format, config, revision, generation, run, time, trigger, files, changed, outcome }
    }

    /// Whether these are its files: the same paths with the same contents, in the same order.
    pub(crate) fn holds(&self, files: &[(&Path, blake3::Hash)]) -> bool {
        let own = self.files.iter().map(|file| (file.path.as_path(), file.blob.0));
        own.eq(files.iter().copied())
    }

    /// The contents that it names.
    pub(super) fn blobs(&self) -> impl Iterator<Item = Digest> {
        self.files.iter().map(|file| file.blob)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        to_bytes(&serde_json::to_value(self).unwrap_or_default())
    }

    /// Whether it is of the same files with the same contents.
    pub(super) fn has_files(&self, files: &[RecordedFile]) -> bool {
        let alike = |(a, b): (&RecordedFile, &RecordedFile)| a.path == b.path && a.blob == b.blob;
        self.files.len() == files.len() && self.files.iter().zip(files).all(alike)
    }
}

fn to_bytes(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

/// Reads the record that is kept as this revision of this configuration.
pub(super) fn parse(bytes: &[u8], config: &str, revision: u64) -> Result<Record, Fault> {
    let value: Value = serde_json::from_slice(bytes).map_err(damaged)?;
    match value["format"].as_u64() {
        Some(newer) if newer > FORMAT => return Err(Fault::Newer(newer)),
        _ => {}
    }
    let record: Record = serde_json::from_value(value).map_err(damaged)?;
    if (record.config.as_str(), record.revision) != (config, revision) {
        return Err(damaged(format!("it is revision {} of {:?}", record.revision, record.config)));
    }
    check_paths(record.files.iter().map(|file| file.path.as_path())).map_err(damaged)?;
    Ok(record)
}

fn damaged(why: impl std::fmt::Display) -> Fault {
    Fault::Damaged(format!("{why}"))
}

/// The same record with another outcome. What a later version added to it is kept.
pub(super) fn with_outcome(bytes: &[u8], outcome: &Outcome) -> serde_json::Result<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(bytes)?;
    value["outcome"] = serde_json::to_value(outcome)?;
    Ok(to_bytes(&value))
}

/// Paths are written to when a revision is restored: none may lead out of the root, and none is there twice.
pub(super) fn check_paths<'a>(paths: impl Iterator<Item = &'a Path>) -> Result<(), String> {
    let mut known = HashSet::new();
    for path in paths {
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        if !is_inside || path.as_os_str().is_empty() {
            return Err(format!("{} is no plain path below the root", path.display()));
        }
        if path.to_str().is_none() {
            return Err(format!("{} is not UTF-8", path.display()));
        }
        if !known.insert(path) {
            return Err(format!("{} is named twice", path.display()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let file = RecordedFile {
            path: "config/app.toml".into(),
            blob: Digest::of(b"x"),
            size: 1,
            mode: Some(0o640),
        };
        Record {
            format: FORMAT,
            config: "app".into(),
            revision: 7,
            generation: 3,
            run: "a run".into(),
            time: jiff::Timestamp::UNIX_EPOCH,
            trigger: Trigger::Files,
            files: vec![file],
            changed: vec!["/server/port".into()],
            outcome: Outcome::Unconfirmed { crashes: 0 },
        }
    }

    fn parse_value(value: &Value) -> Result<Record, Fault> {
        parse(&to_bytes(value), "app", 7)
    }

    fn value() -> Value {
        serde_json::to_value(record()).expect("a record is an object")
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        assert_eq!(parse(&record().to_bytes(), "app", 7), Ok(record()));
    }

    #[test]
    fn a_record_cut_off_anywhere_is_damaged_or_whole() {
        let bytes = record().to_bytes();
        for length in 0..bytes.len() - 1 {
            assert!(matches!(parse(&bytes[..length], "app", 7), Err(Fault::Damaged(_))), "{length}");
        }
        assert_eq!(parse(&bytes[..bytes.len() - 1], "app", 7), Ok(record()), "but for the end of the line");
    }

    #[test]
    fn a_record_in_anothers_place_is_damaged() {
        for (config, revision) in [("app", 8), ("other", 7)] {
            let fault = parse(&record().to_bytes(), config, revision).expect_err("it is not its place");
            assert_eq!(fault, Fault::Damaged(r#"it is revision 7 of "app""#.into()));
        }
    }

    #[test]
    fn paths_out_of_the_root_and_blobs_that_are_paths_are_refused() {
        for path in ["/etc/passwd", "../x", "config/../../x", "", "./x"] {
            let mut value = value();
            value["files"][0]["path"] = path.into();
            assert!(matches!(parse_value(&value), Err(Fault::Damaged(_))), "{path}");
        }
        for blob in ["../../../etc/passwd", "", "ab", &"A".repeat(64), &"z".repeat(64)] {
            let mut value = value();
            value["files"][0]["blob"] = blob.into();
            assert!(matches!(parse_value(&value), Err(Fault::Damaged(_))), "{blob}");
        }
        let mut twice = value();
        twice["files"] =
            Value::from([vec![twice["files"][0].clone()], vec![twice["files"][0].clone()]].concat());
        assert_eq!(parse_value(&twice), Err(Fault::Damaged("config/app.toml is named twice".into())));
    }

    #[test]
    fn a_later_version_may_add_fields_and_they_stay_when_the_outcome_changes() {
        let mut later = value();
        later["weather"] = "rain".into();
        assert_eq!(parse_value(&later), Ok(record()));
        let bytes = with_outcome(&to_bytes(&later), &Outcome::Confirmed).expect("it is JSON");
        let kept: Value = serde_json::from_slice(&bytes).expect("it is JSON");
        assert_eq!((&kept["weather"], &kept["outcome"]["state"]), (&"rain".into(), &"confirmed".into()));
    }

    #[test]
    fn another_format_is_not_guessed_at() {
        let mut later = value();
        later["format"] = 2.into();
        later["files"] = "somewhere else".into();
        assert_eq!(parse_value(&later), Err(Fault::Newer(2)));
        later["format"] = "two".into();
        assert!(matches!(parse_value(&later), Err(Fault::Damaged(_))));
    }
}
