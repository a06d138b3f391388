//! Where everything lies below `data/rekindle`, and what it is called.
//!
//! ```text
//! data/rekindle/                   0700
//!   .gitignore                     keeps all of it, which may hold secrets, out of version control
//!   history/.lock                  held while something is written
//!   history/.blobs/{blake3}        contents, each once
//!   history/{config}/{revision}.json
//!   runs/.lock, runs/{run}.run, runs/{run}.json
//! ```
//!
//! A configuration's name has no dot, so that what begins with one is never a configuration's.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::record::Digest;
use crate::commit::atomic;
use crate::error::{Error, ErrorKind, Location};

/// The paths of one root.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn home(&self) -> PathBuf {
        self.root.join("data/rekindle")
    }

    pub(super) fn history(&self) -> PathBuf {
        self.home().join("history")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.history().join(".lock")
    }

    pub(super) fn blobs(&self) -> PathBuf {
        self.history().join(".blobs")
    }

    pub(super) fn blob(&self, digest: Digest) -> PathBuf {
        self.blobs().join(digest.to_name())
    }

    /// Where the records of a configuration are.
    pub(super) fn records(&self, config: &str) -> PathBuf {
        self.history().join(escape(config))
    }

    pub(super) fn record(&self, config: &str, revision: u64) -> PathBuf {
        self.records(config).join(record_name(revision))
    }

    pub(super) fn runs(&self) -> PathBuf {
        self.home().join("runs")
    }

    /// Makes the directories of the history, and what they are in.
    pub(super) fn make_history(&self) -> io::Result<()> {
        self.make_home()?;
        atomic::make_private_directory(&self.history())?;
        atomic::make_private_directory(&self.blobs())
    }

    /// Makes the directory of the runs, and what it is in.
    pub(super) fn make_runs(&self) -> io::Result<()> {
        self.make_home()?;
        atomic::make_private_directory(&self.runs())
    }

    pub(super) fn make_home(&self) -> io::Result<()> {
        // The program's own, made as it would have made it.
        atomic::make_directory_below(&self.root, &self.root.join("data"))?;
        atomic::make_private_directory(&self.home())?;
        let ignore = self.home().join(".gitignore");
        if ignore.exists() { Ok(()) } else { atomic::replace(&ignore, b"*\n", None) }
    }

    /// An error of the history, about one of its files.
    pub(super) fn error(&self, path: &Path, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::History, message).at(Location::file(path, &self.root))
    }

    /// What an IO failure on one of its files becomes.
    pub(super) fn failed(&self, doing: &str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |cause| self.error(path, format!("{doing}: {cause}")).because(cause)
    }
}

/// The names in a directory; none when it is not there, or is none.
pub(super) fn names_in(directory: &Path) -> io::Result<Vec<OsString>> {
    match std::fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.file_name())).collect(),
        Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(cause) => Err(cause),
    }
}

/// Removes a file, unless it is gone already.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// A configuration's name as that of a single directory.
fn escape(config: &str) -> String {
    config.replace('%', "%25").replace('/', "%2F")
}

/// The configuration that a directory is of.
pub(super) fn unescape(directory: &str) -> Option<String> {
    let config = directory.replace("%2F", "/").replace("%25", "%");
    let is_one = !config.contains('.') && escape(&config) == directory;
    is_one.then_some(config)
}

fn record_name(revision: u64) -> String {
    format!("{revision:010}.json")
}

/// The revision that a file in a configuration's directory is of.
pub(super) fn parse_record_name(name: &str) -> Option<u64> {
    let revision: u64 = name.strip_suffix(".json")?.parse().ok()?;
    (revision > 0 && record_name(revision) == name).then_some(revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_configurations_and_directories_are_one_to_one() {
        for config in ["app", "sub/app", "a%2Fb", "100%", "größe", "blobs", "a/b/c", "%25"] {
            let directory = escape(config);
            assert!(!directory.contains('/'), "{directory}");
            assert_eq!(unescape(&directory).as_deref(), Some(config));
        }
        for foreign in [".blobs", ".lock", "50%", "a%2fb", "lost+found.d"] {
            assert_eq!(unescape(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn only_the_names_that_are_written_are_records() {
        assert_eq!(parse_record_name("0000000042.json"), Some(42));
        assert_eq!(parse_record_name(&record_name(u64::MAX)), Some(u64::MAX));
        let foreign =
            ["42.json", "0000000000.json", "+000000042.json", "0000000042.json~", "0000000042", "x"];
        for name in foreign {
            assert_eq!(parse_record_name(name), None, "{name}");
        }
    }
}
