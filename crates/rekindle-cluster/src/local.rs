//! [`restore`]: the copy of what was good last, by which an instance starts though the store is away.
//!
//! An engine reads the files of the store's layer one by one, and a program can end between two of them. So all of a release is kept
//! in one file beside them as well, with its hash, replaced in one piece after the engine has taken the release. Before
//! an engine starts, the files are made what that says.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Digest, Document, FORMAT, Payload, Release, Versioned, from_bytes, to_bytes};

/// Where the files of the store's layer are.
const DIRECTORY: &str = "data/rekindle/remote";

/// The copy, among them.
const COPY: &str = ".release.json";

/// All of a release.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Copy {
    format: u32,
    release: Release,
    documents: Vec<Document>,
    /// Of the documents.
    hash: Digest,
}

impl Versioned for Copy {
    fn format(&self) -> u32 {
        self.format
    }
}

impl Copy {
    pub(crate) fn of(release: Release, payload: &Payload) -> Self {
        let documents = payload.documents.clone();
        let hash = Digest::of(&to_bytes(&documents));
        Self { format: FORMAT, release, documents, hash }
    }

    /// What files it is, by their names below the directory.
    fn files(&self) -> BTreeMap<PathBuf, &[u8]> {
        let file = |document: &Document| format!("{}.{}", document.config, document.format);
        self.documents.iter().map(|document| (file(document).into(), document.text.as_bytes())).collect()
    }
}

/// Makes the files of the store's layer those of the release that was in use last, before an engine starts. Gives that release.
///
/// What is damaged is not used: it is moved to `data/rekindle/remote-damaged`, which is told in the log, and the engine starts
/// without the store's layer until the store can be read.
///
/// # Errors
///
/// [`Error::Local`] when they cannot be read, written or moved.
pub async fn restore(root: impl Into<PathBuf>) -> Result<Option<Release>> {
    let root = root.into();
    tokio::task::spawn_blocking(move || restored(&root)).await.map_err(Error::local)?
}

fn restored(root: &Path) -> Result<Option<Release>> {
    let directory = root.join(DIRECTORY);
    let copy = match read(&directory) {
        Ok(Some(copy)) => copy,
        Ok(None) => return Ok(None),
        Err(Error::Malformed { key, why }) => {
            tracing::error!(%key, %why, "what was in use last is damaged: it is set aside");
            return set_aside(root, &directory).map(|()| None);
        }
        Err(other) => return Err(other),
    };
    let (wanted, there) = (copy.files(), files(&directory)?);
    for (name, text) in &wanted {
        if there.get(name).map(Vec::as_slice) != Some(*text) {
            tracing::warn!(file = %name.display(), "is not what was in use last: it is put right");
            write(&directory.join(name), text)?;
        }
    }
    for name in there.keys().filter(|name| !wanted.contains_key(*name)) {
        tracing::warn!(file = %name.display(), "was not in use: it is removed");
        std::fs::remove_file(directory.join(name)).map_err(|cause| local(&directory.join(name), &cause))?;
    }
    Ok(Some(copy.release))
}

/// The release whose copy is there, if the files are those of it.
pub(crate) fn release(root: &Path) -> Result<Option<Release>> {
    let directory = root.join(DIRECTORY);
    let copy = match read(&directory) {
        Ok(Some(copy)) => copy,
        Ok(None) | Err(Error::Malformed { .. }) => return Ok(None),
        Err(other) => return Err(other),
    };
    let there = files(&directory)?;
    let is_it = copy.files().into_iter().eq(there.iter().map(|(name, text)| (name.clone(), text.as_slice())));
    Ok(is_it.then_some(copy.release))
}

/// Replaces the copy, or removes it.
pub(crate) fn keep(root: &Path, copy: Option<&Copy>) -> Result<()> {
    let path = root.join(DIRECTORY).join(COPY);
    match copy {
        Some(copy) => write(&path, &to_bytes(copy)),
        None => match std::fs::remove_file(&path) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => Err(local(&path, &cause)),
            _ => Ok(()),
        },
    }
}

/// The copy, if there is one: what it says is checked against its hash.
fn read(directory: &Path) -> Result<Option<Copy>> {
    let path = directory.join(COPY);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(local(&path, &cause)),
    };
    let name = path.display().to_string();
    let copy: Copy = from_bytes(&name, &bytes)?;
    if Digest::of(&to_bytes(&copy.documents)) != copy.hash {
        return Err(Error::malformed(&name, "its hash is of something else"));
    }
    // Nothing else can have been in use; but this decides where is written.
    let is_below =
        |name: &PathBuf| name.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !copy.files().keys().all(is_below) {
        return Err(Error::malformed(&name, "it names files elsewhere"));
    }
    Ok(Some(copy))
}

/// What the files below a directory hold, but for those that a dot hides.
fn files(directory: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(current) = directories.pop() {
        for entry in std::fs::read_dir(&current).map_err(|cause| local(&current, &cause))? {
            let path = entry.map_err(|cause| local(&current, &cause))?.path();
            let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if path.is_dir() {
                directories.push(path);
            } else if !is_hidden && let Ok(name) = path.strip_prefix(directory) {
                let bytes = std::fs::read(&path).map_err(|cause| local(&path, &cause))?;
                found.insert(name.to_owned(), bytes);
            }
        }
    }
    Ok(found)
}

/// Writes a file in one piece, for the user alone.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |cause: std::io::Error| local(path, &cause);
    let directory = path.parent().unwrap_or(path);
    std::fs::create_dir_all(directory).map_err(failed)?;
    // Made with mode 0600.
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(directory).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map(drop).map_err(|error| failed(error.error))
}

/// Out of the engine's sight, for a person to look at; the last one only.
fn set_aside(root: &Path, directory: &Path) -> Result<()> {
    let aside = root.join(format!("{DIRECTORY}-damaged"));
    match std::fs::remove_dir_all(&aside) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(local(&aside, &cause)),
        _ => {}
    }
    std::fs::rename(directory, &aside).map_err(|cause| local(directory, &cause))
}

fn local(path: &Path, cause: &std::io::Error) -> Error {
    Error::local(format!("{}: {cause}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> (tempfile::TempDir, Release) {
        let root = tempfile::tempdir().expect("a directory");
        let payload = Payload::new([
            Document::new("app", "toml", "port = 1\n"),
            Document::new("shop/prices", "json", "{}"),
        ]);
        let release = Release { line: 1, rollout: 2, payload: payload.digest() };
        std::fs::create_dir_all(root.path().join(DIRECTORY)).expect("there is room");
        keep(root.path(), Some(&Copy::of(release, &payload))).expect("there is room");
        (root, release)
    }

    fn text(root: &Path, name: &str) -> Option<String> {
        std::fs::read_to_string(root.join(DIRECTORY).join(name)).ok()
    }

    #[test]
    fn files_that_are_cut_short_changed_or_missing_are_put_right() {
        let (root, release) = kept();
        assert_eq!(super::release(root.path()), Ok(None), "nothing is there yet");
        for damage in ["", "port = 2\n"] {
            std::fs::write(root.path().join(DIRECTORY).join("app.toml"), damage).expect("there is room");
            std::fs::write(root.path().join(DIRECTORY).join("more.toml"), "x = 1").expect("there is room");
            assert_eq!(restored(root.path()), Ok(Some(release)));
            assert_eq!(text(root.path(), "app.toml").as_deref(), Some("port = 1\n"));
            assert_eq!(text(root.path(), "shop/prices.json").as_deref(), Some("{}"));
            assert_eq!(text(root.path(), "more.toml"), None);
            assert_eq!(super::release(root.path()), Ok(Some(release)));
        }
    }

    #[test]
    fn a_copy_that_is_damaged_is_not_used_and_not_lost() {
        for (from, to) in [("port = 1", "port = 2"), ("{", "["), ("app", "../../../app")] {
            let (root, _) = kept();
            let path = root.path().join(DIRECTORY).join(COPY);
            let whole = std::fs::read_to_string(&path).expect("it is there");
            std::fs::write(&path, whole.replacen(from, to, 1)).expect("there is room");
            assert_eq!(restored(root.path()), Ok(None), "{to}");
            assert!(!root.path().join(DIRECTORY).exists());
            assert!(root.path().join("data/rekindle/remote-damaged").join(COPY).exists());
        }
        let empty = tempfile::tempdir().expect("a directory");
        assert_eq!(restored(empty.path()), Ok(None), "an instance that never took part");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_look() {
        use std::os::unix::fs::PermissionsExt;
        let (root, _) = kept();
        restored(root.path()).expect("it is whole");
        for name in [COPY, "app.toml", "shop/prices.json"] {
            let mode =
                std::fs::metadata(root.path().join(DIRECTORY).join(name)).expect("it is there").permissions();
            assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
        }
    }
}
