//! The thread that looks after encoded siblings: `app.css.br` and `app.css.gz` beside `app.css`.
//!
//! In: assets that are new, or beside which something changed. Out: siblings that are known to hold the very
//! content of their source. One that does not is rebuilt; one that cannot be is not served.

use std::fs::Permissions;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::codec;
use super::look;
use super::manifest::Entry;
use super::media;
use super::representation::{Encoding, Representation};
use super::shared::Shared;
use super::stamp::{self, Content, Stamp};
use super::write;
use crate::inbox::{Inbox, Work};

/// Below so many bytes compressing does not pay: it all fits into one packet.
const SMALL: u64 = 1024;

/// The thread's work.
pub(super) struct Siblings {
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: Arc<Inbox>,
    /// Whether missing ones are made.
    pub(super) precompress: bool,
}

/// What stands where a sibling would.
enum Found {
    /// It holds what its source holds.
    Good(Representation),
    /// It holds something else. The mode is to be kept.
    Stale(Permissions),
    /// There is none.
    Missing,
    /// It is nothing that may be served or replaced, for this reason.
    Unfit(String),
}

impl Siblings {
    /// Works until the inbox is closed.
    pub(super) fn run(self) {
        while let Some(work) = self.inbox.next(None) {
            for path in self.paths(work) {
                if self.shared.is_closed() {
                    return;
                }
                self.tend_all(&path);
            }
        }
    }

    fn paths(&self, work: Work) -> Vec<PathBuf> {
        if !work.everything {
            return work.paths.into_iter().collect();
        }
        let manifest = self.shared.manifest.load();
        manifest.names().map(|name| self.shared.scope.path(name)).collect()
    }

    /// Looks at both siblings of an asset, as it is by now.
    fn tend_all(&self, path: &Path) {
        let Some(name) = self.shared.scope.name(path) else { return };
        let Some(entry) = self.shared.manifest.load().entry(&name).map(Arc::clone) else { return };
        if !media::is_compressible(&name) {
            return;
        }
        for encoding in Encoding::ALL {
            let sibling = sibling(path, encoding);
            let finding = self.tend(&entry, encoding, &sibling);
            self.shared.note([(self.shared.shown(&sibling), finding)]);
        }
    }

    /// Looks at one sibling, and rebuilds it if need be. Returns what is wrong with it then.
    fn tend(&self, entry: &Entry, encoding: Encoding, path: &Path) -> Option<String> {
        let looks = path.metadata().ok().map(|metadata| Stamp::new(&metadata));
        let known = entry.encoded(encoding);
        if known.zip(looks).is_some_and(|(known, now)| known.content().is_still(&now)) {
            return None;
        }
        let (mode, is_missing) = match self.inspect(entry, encoding, path) {
            Found::Stale(mode) => (Some(mode), false),
            Found::Missing if self.precompress && entry.plain.len() > SMALL => (None, true),
            found => return settle(entry, encoding, found),
        };
        entry.set_encoded(encoding, None);
        match self.build(entry, encoding, path, mode) {
            Ok(true) => settle(entry, encoding, self.inspect(entry, encoding, path)),
            Ok(false) => None,
            Err(cause) if is_missing => Some(format!("it cannot be written: {cause}")),
            Err(cause) => Some(format!(
                "it does not hold what its source holds, and cannot be rebuilt: {cause}; it is not served"
            )),
        }
    }

    fn inspect(&self, entry: &Entry, encoding: Encoding, path: &Path) -> Found {
        match self.try_inspect(entry, encoding, path) {
            Ok(found) => found,
            Err(cause) if stamp::is_missing(&cause) => Found::Missing,
            Err(cause) => Found::Unfit(format!("it cannot be read: {cause}; it is not served")),
        }
    }

    fn try_inspect(&self, entry: &Entry, encoding: Encoding, path: &Path) -> io::Result<Found> {
        let is_link = path.symlink_metadata()?.is_symlink();
        if is_link && !look::is_inside(&self.shared.scope, path)? {
            return Ok(Found::Unfit(
                "this link leads out of the directory of the assets; it is not served".into(),
            ));
        }
        let (mut file, metadata) = stamp::open(path)?;
        let content = stamp::content(&mut file)?;
        file.rewind()?;
        let held = codec::hash_of_decoded(encoding, &mut file, entry.plain.len());
        if held.as_ref() == Some(entry.hash()) {
            return Ok(Found::Good(self.representation(encoding, path, content)));
        }
        let stale = Found::Stale(metadata.permissions());
        let is_stale_link = "it does not hold what its source holds, and is a link, which is not rebuilt; \
            it is not served";
        Ok(if is_link { Found::Unfit(is_stale_link.into()) } else { stale })
    }

    fn representation(&self, encoding: Encoding, path: &Path, content: Content) -> Representation {
        Representation::new(Some(encoding), path.to_owned(), self.shared.scope.directory(), content)
    }

    /// Writes a sibling anew. Says whether it did: not when the source is another by now, which is told of, and
    /// not where there was none and it would save nothing.
    fn build(
        &self,
        entry: &Entry,
        encoding: Encoding,
        path: &Path,
        mode: Option<Permissions>,
    ) -> io::Result<bool> {
        let (source, metadata) = stamp::open(entry.plain.path())?;
        let is_new = mode.is_none();
        let mut source = Hashing { inner: source.take(entry.plain.len()), hasher: blake3::Hasher::new() };
        let staged = write::stage(path, |file| codec::encode(encoding, &mut source, file))?;
        let is_same = source.hasher.finalize() == *entry.hash();
        let saves = staged.len()? < entry.plain.len();
        if !is_same || (is_new && !saves) {
            return Ok(false);
        }
        let mode = mode.unwrap_or_else(|| metadata.permissions());
        staged.put_in_place(mode, is_new)?;
        Ok(true)
    }
}

/// Notes what was found.
fn settle(entry: &Entry, encoding: Encoding, found: Found) -> Option<String> {
    let (good, finding) = match found {
        Found::Good(good) => (Some(good), None),
        // Somebody else has written it since: that is told of.
        Found::Missing | Found::Stale(_) => (None, None),
        Found::Unfit(why) => (None, Some(why)),
    };
    entry.set_encoded(encoding, good);
    finding
}

fn sibling(path: &Path, encoding: Encoding) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(encoding.ending());
    name.into()
}

/// Hashes what is read through it.
struct Hashing<R> {
    inner: R,
    hasher: blake3::Hasher,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}
