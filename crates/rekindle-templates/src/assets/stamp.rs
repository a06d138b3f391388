//! What a file looks like, and the only place that opens one.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Seek};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// For how long after a change the next one may leave the same times behind: file systems count in ticks of
/// up to two seconds (FAT; ext4, XFS and tmpfs in milliseconds).
const TICK: Duration = Duration::from_secs(2);

/// How often a file that changes while it is read is read anew, before it is left to the next notice.
const ATTEMPTS: usize = 3;

/// What the file system says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Device and inode; all zero where there is no such thing.
    file: (u64, u64),
    len: u64,
    modified: Option<SystemTime>,
    /// When anything about it changed: what sets `modified` back shows here.
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn new(metadata: &Metadata) -> Self {
        let (file, changed) = identity(metadata);
        Self { file, len: metadata.len(), modified: metadata.modified().ok(), changed }
    }

    /// Bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// Whether a change right after `at`, when this was stamped, could leave the same stamp behind. So could one
    /// where the clock was set back since.
    fn is_fresh(&self, at: SystemTime) -> bool {
        let last = self.modified.max(system_time(self.changed));
        last.is_none_or(|last| at.duration_since(last).map_or(true, |age| age < TICK))
    }

    /// Whether both are of one file, whatever it holds.
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        self.file == other.file
    }

    /// Whether it is known to be of this very file, and not only of one that looks alike.
    pub(super) fn tells_files_apart(&self) -> bool {
        self.file != (0, 0)
    }
}

/// Seconds and nanoseconds since the epoch; `None` before it.
fn system_time((seconds, nanoseconds): (i64, i64)) -> Option<SystemTime> {
    let age = Duration::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?);
    SystemTime::UNIX_EPOCH.checked_add(age)
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> ((u64, u64), (i64, i64)) {
    use std::os::unix::fs::MetadataExt;
    ((metadata.dev(), metadata.ino()), (metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> ((u64, u64), (i64, i64)) {
    ((0, 0), (0, 0))
}

/// Opens a regular file. What is none is as good as not there, and is never waited on.
pub(super) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() { Ok((file, metadata)) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// Whether an error means that there is no such file.
pub(super) fn is_missing(cause: &io::Error) -> bool {
    #[cfg(unix)]
    {
        let errno = cause.raw_os_error();
        // A loop of links leads to nothing; a socket cannot be opened.
        if [rustix::io::Errno::LOOP, rustix::io::Errno::NXIO]
            .iter()
            .any(|code| Some(code.raw_os_error()) == errno)
        {
            return true;
        }
    }
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    matches!(cause.kind(), NotFound | NotADirectory | IsADirectory)
}

/// A file's content, by its hash, with what the file looked like.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) hash: blake3::Hash,
    pub(super) stamp: Stamp,
    /// When it was read.
    pub(super) at: SystemTime,
}

impl Content {
    /// Whether a file that looks like this holds it still, for sure.
    pub(super) fn is_still(&self, now: &Stamp) -> bool {
        self.stamp == *now && !self.stamp.is_fresh(self.at)
    }
}

/// Reads a file for its hash, anew when it changes meanwhile.
pub(super) fn content(file: &mut File) -> io::Result<Content> {
    let at = SystemTime::now();
    let mut stamp = Stamp::new(&file.metadata()?);
    for attempt in 1.. {
        file.rewind()?;
        let hash = hash(&mut *file)?;
        let after = Stamp::new(&file.metadata()?);
        if after == stamp || attempt == ATTEMPTS {
            // After the last attempt the earlier stamp: nobody will take the file for what was read of it.
            return Ok(Content { hash, stamp, at });
        }
        stamp = after;
    }
    Err(io::ErrorKind::Interrupted.into())
}

/// The hash of all that a reader gives.
pub(super) fn hash(reader: impl Read) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(reader)?;
    Ok(hasher.finalize())
}
