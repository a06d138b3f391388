//! Reading the history, without a lock: another process may remove what is old meanwhile.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::record::{self, Digest, Fault, RecordedFile};
use super::{Content, Damaged, History, Listing, Record, layout};
use crate::error::{Error, ErrorKind, Result};
use crate::load;
use crate::route::check_name;

/// Larger ones were not written by this crate.
const MOST_BYTES: u64 = 1 << 30;

/// Why a record cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) error: Error,
    /// The contents that it named cannot be known from it any more.
    pub(super) is_lost: bool,
}

impl History {
    /// The configurations that there are records of, sorted.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let directory = self.layout.history();
        let names = self.list_directory(&directory)?;
        let config = |name: OsString| layout::unescape(name.to_str()?);
        let mut configs: Vec<String> = names.into_iter().filter_map(config).collect();
        configs.retain(|config| check_name(config).is_ok());
        configs.sort_unstable();
        Ok(configs)
    }

    /// The revisions of a configuration, oldest first, every content of them looked at.
    pub(crate) fn list(&self, config: &str) -> Result<Listing> {
        let mut listing = Listing::default();
        let mut sound = HashSet::new();
        for revision in self.revisions(config)? {
            let read = self.read(config, revision).map_err(|unreadable| unreadable.error);
            match read.and_then(|record| record.map(|record| self.sound(record, &mut sound)).transpose()) {
                Ok(record) => listing.records.extend(record),
                // Its blobs go after it does: without it, they were not missing but removed.
                Err(_) if !self.layout.record(config, revision).exists() => {}
                Err(error) => listing.damaged.push(Damaged { revision, error }),
            }
        }
        Ok(listing)
    }

    /// The record, after a look at those of its contents that were not looked at before.
    fn sound(&self, record: Record, sound: &mut HashSet<Digest>) -> Result<Record> {
        for file in &record.files {
            if !sound.contains(&file.blob) {
                self.content(file)?;
                sound.insert(file.blob);
            }
        }
        Ok(record)
    }

    /// One revision. [`ErrorKind::NotFound`] when there is none of that number.
    pub(crate) fn get(&self, config: &str, revision: u64) -> Result<Record> {
        check_name(config)?;
        let missing = || {
            let message = format!("there is no revision {revision} of {config:?} in the history");
            Error::new(ErrorKind::NotFound, message).help("the older ones are removed in time")
        };
        self.read(config, revision).map_err(|unreadable| unreadable.error)?.ok_or_else(missing)
    }

    /// The files of a revision, as they were.
    pub(crate) fn contents(&self, record: &Record) -> Result<Vec<Content>> {
        let content = |file: &RecordedFile| {
            Ok(Content { path: file.path.clone(), bytes: self.content(file)?, mode: file.mode })
        };
        record.files.iter().map(content).collect()
    }

    /// The newest revision that was confirmed and is whole.
    pub(crate) fn newest_confirmed(&self, config: &str) -> Result<Option<Record>> {
        self.newest(config, |record| record.outcome == super::Outcome::Confirmed)
    }

    /// The newest revision older than this one that is one to go back to, and is whole.
    pub(crate) fn before(&self, config: &str, revision: u64) -> Result<Option<Record>> {
        self.newest(config, |record| record.revision < revision && record.outcome.is_good())
    }

    /// The newest revision that was not found to do harm, and is whole.
    pub(crate) fn newest_but_bad(&self, config: &str) -> Result<Option<Record>> {
        self.newest(config, |record| !record.outcome.is_bad())
    }

    /// The newest revision of some sort, among those that are whole.
    pub(super) fn newest(&self, config: &str, is: impl Fn(&Record) -> bool) -> Result<Option<Record>> {
        let revisions = self.revisions(config)?.into_iter().rev();
        let records = revisions.filter_map(|revision| self.read(config, revision).ok().flatten());
        let mut wanted = records.filter(is);
        Ok(wanted.find(|record| self.contents(record).is_ok()))
    }

    /// The numbers of all revisions of a configuration, rising, whatever state they are in.
    pub(super) fn revisions(&self, config: &str) -> Result<Vec<u64>> {
        check_name(config)?;
        let names = self.list_directory(&self.layout.records(config))?;
        let revision = |name: &OsString| layout::parse_record_name(name.to_str()?);
        let mut revisions: Vec<u64> = names.iter().filter_map(revision).collect();
        revisions.sort_unstable();
        Ok(revisions)
    }

    /// A record, its contents not looked at. `None` when there is none.
    pub(super) fn read(&self, config: &str, revision: u64) -> Result<Option<Record>, Unreadable> {
        let path = self.layout.record(config, revision);
        let unreadable = |error, is_lost| Unreadable { error, is_lost };
        let bytes = load::read_bytes(&path, self.layout.root(), MOST_BYTES)
            .map_err(|failure| unreadable(failure.error, false))?;
        let Some(bytes) = bytes else { return Ok(None) };
        match record::parse(&bytes.content, config, revision) {
            Ok(record) => Ok(Some(record)),
            Err(Fault::Newer(format)) => {
                let message = format!("a later version wrote this record, in format {format}");
                Err(unreadable(self.layout.error(&path, message), false))
            }
            Err(Fault::Damaged(why)) => {
                let message = format!("this record is damaged: {why}");
                Err(unreadable(self.layout.error(&path, message), true))
            }
        }
    }

    /// The bytes of a file, held against their hash.
    fn content(&self, file: &RecordedFile) -> Result<Arc<[u8]>> {
        let path = self.layout.blob(file.blob);
        let error = |what| self.layout.error(&path, format!("the content of {} {what}", file.path.display()));
        let bytes = load::read_bytes(&path, self.layout.root(), MOST_BYTES);
        match bytes.map_err(|failure| failure.error)? {
            Some(bytes) if Digest::from(bytes.hash) == file.blob => Ok(bytes.content),
            Some(_) => Err(error("is damaged")),
            None => Err(error("is missing")),
        }
    }

    /// Whether a content is there and whole.
    pub(super) fn has_content(&self, digest: Digest) -> bool {
        let bytes = load::read_bytes(&self.layout.blob(digest), self.layout.root(), MOST_BYTES);
        matches!(bytes, Ok(Some(bytes)) if Digest::from(bytes.hash) == digest)
    }

    /// The names in a directory; none when it is not there.
    pub(super) fn list_directory(&self, directory: &Path) -> Result<Vec<OsString>> {
        layout::names_in(directory).map_err(self.layout.failed("cannot list the history", directory))
    }

    /// The bytes of a record, as they are.
    pub(super) fn record_bytes(&self, path: &Path) -> Result<Arc<[u8]>> {
        let bytes = load::read_bytes(path, self.layout.root(), MOST_BYTES);
        let gone = || self.layout.failed("cannot read the record", path)(io::ErrorKind::NotFound.into());
        bytes.map_err(|failure| failure.error)?.map(|bytes| bytes.content).ok_or_else(gone)
    }
}
