//! What is known of every wanted file, and what a look at it says beside that.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::event::ChangeType;
use crate::load::read_bytes;
use crate::settle::Due;

/// How many files, and how many bytes, a start reads to know their content: some 20 ms of work.
const FINGERPRINT_FILES: usize = 2000;
const FINGERPRINT_BYTES: u64 = 16 * 1024 * 1024;

/// What a file looked like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    size: u64,
    modified: Option<SystemTime>,
    /// Known once the file has been read.
    hash: Option<blake3::Hash>,
}

impl Stamp {
    /// From what the file system says, following links.
    pub(crate) fn new(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self { inode, size: metadata.len(), modified: metadata.modified().ok(), hash: None }
    }

    /// The stamp of the file at `path`, or `None` when there is none, or a link that leads nowhere.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|metadata| Self::new(&metadata))
    }

    /// What a file is now, read if it has at most `limit` bytes. A directory is no file, whatever its name.
    pub(crate) fn read_at(path: &Path, root: &Path, limit: u64) -> Option<Self> {
        Self::of(path).filter(|_| !path.is_dir()).map(|stamp| stamp.read(root, path, limit))
    }

    /// With the hash of the content, if it can be read and has at most `limit` bytes.
    fn read(self, root: &Path, path: &Path, limit: u64) -> Self {
        match (self.size <= limit).then(|| read_bytes(path, root, limit)) {
            Some(Ok(Some(bytes))) => self.with_hash(bytes.hash),
            _ => self,
        }
    }

    /// With the hash of the content that was read.
    pub(crate) fn with_hash(mut self, hash: blake3::Hash) -> Self {
        self.hash = Some(hash);
        self
    }

    /// Whether the file system says the same of both: not proof, but all that a listing can say.
    pub(crate) fn looks_like(&self, other: &Self) -> bool {
        (self.inode, self.size, self.modified) == (other.inode, other.size, other.modified)
    }

    /// Whether both are the same content, as far as can be told.
    fn same_content(&self, other: &Self) -> bool {
        match (self.hash, other.hash) {
            (Some(a), Some(b)) => a == b,
            _ => self.looks_like(other),
        }
    }
}

/// What a look at a file found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    /// It is what it was.
    Same,
    /// It changed.
    Changed(ChangeType),
    /// It is missing or empty, and may be about to be written.
    Unfinished,
}

/// Every wanted file that exists, as far as is known.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    stamps: BTreeMap<PathBuf, Stamp>,
}

impl Inventory {
    /// What is known of a file.
    pub(crate) fn get(&self, path: &Path) -> Option<&Stamp> {
        self.stamps.get(path)
    }

    /// All files.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.stamps.keys()
    }

    /// All files below a directory.
    pub(crate) fn below<'a>(&'a self, directory: &'a Path) -> impl Iterator<Item = &'a PathBuf> {
        let from_there = self.stamps.range(directory.to_path_buf()..).map(|(path, _)| path);
        from_there.take_while(move |path| path.starts_with(directory))
    }

    /// Notes a file.
    pub(crate) fn insert(&mut self, path: PathBuf, stamp: Stamp) {
        self.stamps.insert(path, stamp);
    }

    /// Reads the files that `wanted` picks, so that saving the same again is no change; up to a budget,
    /// since a start must not read a whole project. Beyond it the first look at a file cannot tell.
    pub(crate) fn fingerprint(&mut self, root: &Path, wanted: impl Fn(&Path) -> bool) {
        let mut bytes_left = FINGERPRINT_BYTES;
        let unread = self.stamps.iter_mut().filter(|(path, stamp)| stamp.hash.is_none() && wanted(path));
        for (path, stamp) in unread.take(FINGERPRINT_FILES) {
            if let Some(left) = bytes_left.checked_sub(stamp.size) {
                bytes_left = left;
                let read = stamp.clone().read(root, &root.join(path), stamp.size);
                *stamp = read;
            }
        }
    }

    /// Judges what was read of a file that is no configuration, and notes what it is now.
    pub(crate) fn judge(&mut self, root: &Path, due: &Due, now: Option<Stamp>) -> Look {
        let patient = !due.last_chance && now.as_ref().is_none_or(|stamp| stamp.size == 0);
        let known_to_be_empty = self.get(&due.path).is_some_and(|stamp| stamp.size == 0);
        if patient
            && !(now.is_some() && known_to_be_empty)
            && (now.is_some() || self.get(&due.path).is_some())
        {
            return Look::Unfinished;
        }
        self.note(root, due, now)
    }

    /// Notes what a file is now, and says what that makes of it.
    pub(crate) fn note(&mut self, root: &Path, due: &Due, now: Option<Stamp>) -> Look {
        let path = &due.path;
        let Some(now) = now else {
            let was_there = self.stamps.remove(path).is_some();
            return if was_there { Look::Changed(ChangeType::Deleted) } else { Look::Same };
        };
        let before = self.stamps.insert(path.clone(), now.clone());
        let same = before.as_ref().is_some_and(|before| before.same_content(&now));
        let renamed_from = due.from.as_ref().filter(|from| {
            // If the old name exists again, an editor made a backup: no rename.
            self.stamps.contains_key(*from) && Stamp::of(&root.join(from)).is_none()
        });
        match (before, renamed_from) {
            (_, Some(from)) => {
                let change = ChangeType::Renamed { from: root.join(from) };
                self.stamps.remove(&from.clone());
                Look::Changed(change)
            }
            (Some(_), None) if same => Look::Same,
            (Some(_), None) => Look::Changed(ChangeType::Modified),
            (None, None) => Look::Changed(ChangeType::Created),
        }
    }
}
