//! What is known of every wanted file.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::path_map::PathMap;
use crate::event::ChangeType;
use crate::load::read_bytes;
use crate::settle::Due;

/// How many files, and how many bytes, are read at the start to know their content.
const FINGERPRINT_FILES: usize = 2000;
const FINGERPRINT_BYTES: u64 = 16 * 1024 * 1024;

/// For how long after a change the next one may leave the same times behind: file systems count in
/// ticks of up to two seconds (FAT; ext4, XFS and tmpfs in milliseconds).
const TICK: Duration = Duration::from_secs(2);

/// What a file looked like.
#[derive(Debug, Clone)]
pub(crate) struct Stamp {
    /// Device and inode.
    file: (u64, u64),
    size: u64,
    modified: Option<SystemTime>,
    /// When anything about it changed, the times included: what sets `modified` back shows here.
    changed: Option<(i64, i64)>,
    /// It was there and could not be looked at.
    unknown: bool,
    /// Known once the file has been read.
    hash: Option<blake3::Hash>,
    /// When it was stamped.
    at: SystemTime,
}

impl Stamp {
    /// From what the file system says, following links.
    pub(crate) fn new(metadata: &Metadata) -> Self {
        let (file, changed) = identity(metadata);
        let (size, modified) = (metadata.len(), metadata.modified().ok());
        Self { file, size, modified, changed, unknown: false, hash: None, at: SystemTime::now() }
    }

    /// Of a file that is there and cannot be looked at.
    pub(crate) fn unknown() -> Self {
        let (file, at) = ((0, 0), SystemTime::now());
        Self { file, size: 0, modified: None, changed: None, unknown: true, hash: None, at }
    }

    /// One of many that differ, for tests.
    #[cfg(test)]
    pub(crate) fn numbered(number: u64) -> Self {
        Self { file: (0, number), unknown: false, at: SystemTime::UNIX_EPOCH, ..Self::unknown() }
    }

    /// The stamp of the file at `path`, or `None` when there is none, or a link that leads nowhere.
    ///
    /// What cannot be looked at, for want of a permission or for any other reason, is not gone.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match std::fs::metadata(path) {
            Ok(metadata) => Some(Self::new(&metadata)),
            Err(error) if leads_nowhere(&error) => None,
            Err(_) => Some(Self::unknown()),
        }
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

    /// With the hash of the content, if that is not known yet and the file still looks as it did.
    pub(crate) fn fingerprint(&self, root: &Path, path: &Path) -> Option<Self> {
        let full = root.join(path);
        let read = self.hash.is_none().then(|| self.clone().read(root, &full, self.size))?;
        Self::of(&full).filter(|now| now.looks_like(self)).map(|_| read)
    }

    /// With the hash of the content that was read.
    pub(crate) fn with_hash(mut self, hash: blake3::Hash) -> Self {
        self.hash = Some(hash);
        self
    }

    /// Whether it is there and cannot be looked at.
    pub(crate) fn is_unknown(&self) -> bool {
        self.unknown
    }

    /// Whether there is nothing in it, as far as can be seen.
    pub(super) fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Whether the file system says the same of both.
    pub(crate) fn looks_like(&self, other: &Self) -> bool {
        let key = |stamp: &Self| (stamp.file, stamp.size, stamp.modified, stamp.changed, stamp.unknown);
        key(self) == key(other)
    }

    /// Whether a change right after this was stamped could have left the same times behind.
    ///
    /// By the later of both times: whoever renames an old file, or sets its times, leaves an old
    /// `modified` and a new `changed`.
    pub(crate) fn is_fresh(&self) -> bool {
        let last = self.modified.max(self.changed.and_then(system_time));
        last.is_some_and(|last| since(last, self.at).is_none_or(|age| age < TICK))
    }

    /// Whether the tick in which it was stamped is over, so that a stamp made now is sure.
    pub(crate) fn has_aged(&self) -> bool {
        since(self.at, SystemTime::now()).is_some_and(|age| age > TICK)
    }

    /// Whether this is the same file as it was, and longer.
    pub(crate) fn has_grown_from(&self, before: &Self) -> bool {
        self.file == before.file && self.size > before.size && before.size > 0
    }

    /// Whether both are the same content, as far as can be told.
    fn same_content(&self, other: &Self) -> bool {
        match (self.hash, other.hash) {
            (Some(a), Some(b)) => a == b,
            _ => self.looks_like(other),
        }
    }
}

/// How long after `from` the moment `to` is; `None` where a clock was set back.
fn since(from: SystemTime, to: SystemTime) -> Option<Duration> {
    to.duration_since(from).ok()
}

/// Seconds and nanoseconds since the epoch; `None` before it.
fn system_time((seconds, nanoseconds): (i64, i64)) -> Option<SystemTime> {
    let age = Duration::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?);
    SystemTime::UNIX_EPOCH.checked_add(age)
}

/// Device and inode, and the time of the last change of any kind.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> ((u64, u64), Option<(i64, i64)>) {
    use std::os::unix::fs::MetadataExt;
    ((metadata.dev(), metadata.ino()), Some((metadata.ctime(), metadata.ctime_nsec())))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> ((u64, u64), Option<(i64, i64)>) {
    ((0, 0), None)
}

/// Whether an error means that there is nothing at a path. A loop of links leads to nothing, too.
pub(super) fn leads_nowhere(error: &std::io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return true;
    }
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// Every wanted file that exists, as far as is known.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    stamps: PathMap<Stamp>,
}

impl Inventory {
    /// What is known of a file.
    pub(crate) fn get(&self, path: &Path) -> Option<&Stamp> {
        self.stamps.get(path)
    }

    /// All files.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.stamps.iter().map(|(path, _)| path)
    }

    /// All files below a directory.
    pub(crate) fn below(&self, directory: &Path) -> impl Iterator<Item = &Path> {
        self.stamps.below(directory).map(|(path, _)| path)
    }

    /// The names in a directory that files are known of, or files below: each at least once.
    pub(crate) fn names_in(&self, directory: &Path) -> impl Iterator<Item = PathBuf> {
        self.stamps.names_in(directory)
    }

    /// Notes a file.
    pub(crate) fn insert(&mut self, path: PathBuf, stamp: Stamp) {
        self.stamps.insert(path, stamp);
    }

    /// The files among those that `wanted` picks whose content is to be known, so that saving the same
    /// again is no change; up to a budget, since nobody wants a whole project to be read. Beyond it the
    /// first look at a file cannot tell.
    pub(crate) fn to_fingerprint(&self, wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
        let mut bytes_left = FINGERPRINT_BYTES;
        let unread = self.stamps.iter().filter(|(path, stamp)| stamp.hash.is_none() && wanted(path));
        let affordable = unread.take(FINGERPRINT_FILES).filter(|(_, stamp)| {
            let left = bytes_left.checked_sub(stamp.size);
            bytes_left = left.unwrap_or(bytes_left);
            left.is_some()
        });
        affordable.map(|(path, _)| path.to_path_buf()).collect()
    }

    /// Notes what a file is now, and says how it changed, if it did.
    pub(crate) fn note(&mut self, root: &Path, due: &Due, now: Option<Stamp>) -> Option<ChangeType> {
        let path = &due.path;
        let Some(now) = now else {
            return self.stamps.remove(path).map(|_| ChangeType::Deleted);
        };
        if now.is_unknown() && self.stamps.contains(path) {
            // What cannot be looked at is still what it was, as far as anybody knows.
            return None;
        }
        let before = self.stamps.insert(path.clone(), now.clone());
        let renamed_from = due.from.as_ref().filter(|from| {
            // If the old name exists again, an editor made a backup: no rename.
            self.stamps.contains(from) && Stamp::of(&root.join(from)).is_none()
        });
        match (before, renamed_from) {
            (_, Some(from)) => {
                self.stamps.remove(&from.clone());
                Some(ChangeType::Renamed { from: root.join(from) })
            }
            (Some(before), None) if before.same_content(&now) => None,
            (Some(_), None) => Some(ChangeType::Modified),
            (None, None) => Some(ChangeType::Created),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stamp made a thousand seconds after the epoch, of a file with these times.
    fn stamped(modified: u64, changed: Option<i64>) -> Stamp {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let (modified, changed) = (Some(at(modified)), changed.map(|seconds| (seconds, 0)));
        Stamp { modified, changed, at: at(1000), ..Stamp::numbered(1) }
    }

    #[test]
    fn a_file_is_fresh_for_a_tick_after_the_later_of_its_times() {
        assert!(stamped(999, None).is_fresh());
        assert!(!stamped(998, None).is_fresh());
        assert!(stamped(10, Some(999)).is_fresh());
        assert!(!stamped(10, Some(998)).is_fresh());
        assert!(stamped(999, Some(10)).is_fresh(), "a file system may keep the second time badly");
        assert!(stamped(10, Some(1001)).is_fresh(), "the clock was set back since");
        assert!(!stamped(10, Some(-1)).is_fresh(), "before the epoch");
    }

    #[cfg(unix)]
    #[test]
    fn an_old_file_is_fresh_when_its_times_were_just_set() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("old.css");
        std::fs::write(&path, "a").expect("written");
        let file = std::fs::File::options().write(true).open(&path).expect("opened");
        file.set_modified(SystemTime::UNIX_EPOCH + TICK).expect("set");
        // Stamped as if at once, however long this test was kept waiting.
        let mut stamp = Stamp::of(&path).expect("it is there");
        stamp.at = stamp.changed.and_then(system_time).expect("it is known on every Unix");
        assert!(stamp.is_fresh());
    }
}
