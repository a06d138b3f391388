//! [`Manifest`]: all assets as they are at one moment, and what differs between two moments. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::address;
use super::asset::Asset;
use super::change::AssetChange;
use super::media;
use super::representation::{Encoding, Representation};

/// One content of one asset. What is found beside it later is put in; a new content is a new entry.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Arc<str>,
    pub(super) content_type: String,
    pub(super) fingerprint: String,
    pub(super) plain: Representation,
    /// Files beside it that are known to hold the same.
    encoded: [ArcSwapOption<Representation>; 2],
    /// Since when it has had this content, as far as is known.
    pub(super) modified: Option<SystemTime>,
}

impl Entry {
    pub(super) fn new(name: &str, plain: Representation) -> Self {
        Self {
            name: name.into(),
            content_type: media::content_type(name),
            fingerprint: address::fingerprint(&plain.content().hash),
            modified: plain.content().stamp.modified(),
            plain,
            encoded: Default::default(),
        }
    }

    pub(super) fn encoded(&self, encoding: Encoding) -> Option<Arc<Representation>> {
        self.encoded[encoding.index()].load_full()
    }

    pub(super) fn set_encoded(&self, encoding: Encoding, found: Option<Representation>) {
        self.encoded[encoding.index()].store(found.map(Arc::new));
    }

    pub(super) fn hash(&self) -> &blake3::Hash {
        &self.plain.content().hash
    }

    /// The first 64 bits of the hash.
    fn digest(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.hash().as_bytes()[..8]);
        u64::from_le_bytes(first)
    }

    /// As the successor of an entry whose content it replaces at `now`: an older file that is moved over a newer
    /// one is a change of now, whatever its own times say.
    fn replacing(mut self, before: &Self, now: SystemTime) -> Self {
        if before.hash() == self.hash() {
            self.modified = before.modified;
            for encoding in Encoding::ALL {
                self.encoded[encoding.index()].store(before.encoded(encoding));
            }
        } else {
            self.modified = self.modified.max(Some(now));
        }
        self
    }
}

/// What became of a file.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is there, with this content.
    Holds(Box<Representation>),
    /// It is no asset, or no longer.
    Gone,
}

/// All assets as they were at one moment.
///
/// It is serialised as a map from names to addresses, for scripts that want to know them.
///
/// ```
/// # use rekindle_templates::Assets;
/// # use rekindle::testing::create_test_workspace_with_structure;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let (_dir, ws) = create_test_workspace_with_structure();
/// # std::fs::create_dir_all(ws.join("static"))?;
/// std::fs::write(ws.join("static/app.css"), "a { color: red }")?;
/// let assets = Assets::watch(&ws, "static/**").await?;
/// let manifest = serde_json::to_value(&*assets.manifest())?;
/// assert_eq!(manifest["app.css"], "/static/app.92b238bfe0.css");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Manifest {
    prefix: Arc<str>,
    entries: BTreeMap<Arc<str>, Arc<Entry>>,
}

impl Manifest {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.into(), entries: BTreeMap::new() }
    }

    /// How many assets there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The names in order, each with the address that has its fingerprint.
    pub fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        self.entries.values().map(|entry| (&*entry.name, self.url_of(entry)))
    }

    /// The address of an asset by its name, with the fingerprint of its content. Without one where there is no
    /// such asset (yet): the address is then right as soon as there is.
    pub fn url(&self, name: &str) -> String {
        let name = name.trim_start_matches('/');
        self.entry(name).map_or_else(|| self.plain_url(name), |entry| self.url_of(entry))
    }

    /// The asset of a name: its own, or one with a fingerprint, be it the current one or one of before.
    pub fn find(&self, name: &str) -> Option<Asset> {
        if let Some(entry) = self.entry(name) {
            return Some(Asset::new(Arc::clone(entry), false));
        }
        let (plain, fingerprint) = address::split(name)?;
        let entry = self.entry(&plain)?;
        Some(Asset::new(Arc::clone(entry), entry.fingerprint == fingerprint))
    }

    /// By name, the first 64 bits of the BLAKE3 hash of each content.
    pub fn digest(&self) -> HashMap<String, u64> {
        self.entries.values().map(|entry| (entry.name.to_string(), entry.digest())).collect()
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Arc<Entry>> {
        self.entries.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.entries.keys()
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    fn plain_url(&self, name: &str) -> String {
        address::address(&self.prefix, name)
    }

    fn url_of(&self, entry: &Entry) -> String {
        let fingerprinted = address::fingerprinted(&entry.name, &entry.fingerprint);
        // A file may have that very name. Its content is served there, whatever it is.
        let name = if self.entries.contains_key(&*fingerprinted) { &*entry.name } else { &fingerprinted };
        self.plain_url(name)
    }

    /// The manifest after these outcomes at `now`, and what changed.
    pub(super) fn with(&self, outcomes: Vec<(String, Outcome)>, now: SystemTime) -> (Self, Vec<AssetChange>) {
        let mut next = self.clone();
        let names: Vec<String> = outcomes.iter().map(|(name, _)| name.clone()).collect();
        for (name, outcome) in outcomes {
            next.take_in(&name, outcome, now);
        }
        let changes = names.iter().filter_map(|name| self.change_to(&next, name)).collect();
        (next, changes)
    }

    fn take_in(&mut self, name: &str, outcome: Outcome, now: SystemTime) {
        let Outcome::Holds(plain) = outcome else {
            self.entries.remove(name);
            return;
        };
        let entry = Entry::new(name, *plain);
        let entry = match self.entries.get(name) {
            Some(before) => entry.replacing(before, now),
            None => entry,
        };
        self.entries.insert(Arc::clone(&entry.name), Arc::new(entry));
    }

    /// How one asset differs in `next`, if it does.
    fn change_to(&self, next: &Self, name: &str) -> Option<AssetChange> {
        let (before, after) = (self.entry(name), next.entry(name));
        let (old_digest, new_digest) =
            (before.map(|entry| entry.digest()), after.map(|entry| entry.digest()));
        let plain_url = self.plain_url(name);
        (old_digest != new_digest).then(|| AssetChange {
            name: name.to_owned(),
            kind: media::kind(name),
            old_url: before.map_or_else(|| plain_url.clone(), |entry| self.url_of(entry)),
            new_url: after.map_or_else(|| plain_url.clone(), |entry| next.url_of(entry)),
            plain_url,
            old_digest,
            new_digest,
        })
    }
}

impl Serialize for Manifest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, url) in self.iter() {
            map.serialize_entry(name, &url)?;
        }
        map.end()
    }
}
