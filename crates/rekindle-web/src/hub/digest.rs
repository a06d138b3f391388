//! Digests of names and contents: the same in every run, and on every machine of one word size.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};

use super::Revision;

/// The digest of each content, by source and name.
pub(super) type Resources = BTreeMap<String, HashMap<String, u64>>;

/// The same for the same contents, in whatever order they came: one digest each, joined by XOR.
pub(super) fn revision(resources: &Resources) -> Revision {
    let each = resources.iter().flat_map(|(source, contents)| {
        contents.iter().map(move |(name, content)| hash(&(source, name, content)))
    });
    each.fold(0, |digest, one| digest ^ one)
}

/// A digest of any value.
pub(crate) fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = Fnv::default();
    value.hash(&mut hasher);
    mix(hasher.finish())
}

/// FNV-1a, <http://www.isthe.com/chongo/tech/comp/fnv/>: fixed by its authors, unlike the standard library's hasher.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Spreads what differs in the last bytes over all bits, as digests are joined by XOR: the finalizer of MurmurHash3.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// By what pages and hub speak of a template without telling its path: 24 bits in hex.
pub(crate) fn template_id(name: &str) -> String {
    let mut hasher = Fnv::default();
    hasher.write(name.as_bytes());
    format!("{:06x}", mix(hasher.finish()) & 0x00ff_ffff)
}
