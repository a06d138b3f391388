//! What is more than may be kept. Pure.

use std::collections::HashMap;

use super::Limits;
use super::record::Digest;

/// A record, as far as that matters here.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    pub(super) revision: u64,
    /// Its contents, with their sizes. None of one that is damaged.
    pub(super) contents: Vec<(Digest, u64)>,
    /// All is there, and it is one to go back to.
    pub(super) is_good: bool,
    /// All is there, and it was trusted.
    pub(super) is_confirmed: bool,
}

/// Contents, each counted once.
#[derive(Debug, Default)]
struct Sizes {
    users: HashMap<Digest, usize>,
    bytes: u64,
}

impl Sizes {
    fn add(&mut self, held: &Held) {
        for (content, size) in &held.contents {
            let users = self.users.entry(*content).or_default();
            *users += 1;
            if *users == 1 {
                self.bytes = self.bytes.saturating_add(*size);
            }
        }
    }

    fn remove(&mut self, held: &Held) {
        for (content, size) in &held.contents {
            let users = self.users.entry(*content).or_default();
            *users = users.saturating_sub(1);
            if *users == 0 {
                self.bytes = self.bytes.saturating_sub(*size);
            }
        }
    }
}

/// The revisions to remove, of a configuration's records from oldest to newest.
///
/// The oldest go first. The newest stays, and the newest that was confirmed, and the newest that is
/// good: a series of bad ones must not push out what there is to go back to.
pub(super) fn excess(records: &[Held], limits: Limits) -> Vec<u64> {
    let newest = |is: fn(&Held) -> bool| records.iter().rposition(is);
    let stay = [newest(|_| true), newest(|held| held.is_confirmed), newest(|held| held.is_good)];
    let mut sizes = Sizes::default();
    records.iter().for_each(|held| sizes.add(held));
    let mut count = records.len();
    let mut excess = Vec::new();
    for (at, held) in records.iter().enumerate() {
        if count <= limits.revisions && sizes.bytes <= limits.bytes {
            break;
        }
        if !stay.contains(&Some(at)) {
            sizes.remove(held);
            count -= 1;
            excess.push(held.revision);
        }
    }
    excess
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A revision with a content of ten bytes of its own.
    fn held(revision: u64) -> Held {
        let content = Digest::of(&revision.to_be_bytes());
        Held { revision, contents: vec![(content, 10)], is_good: true, is_confirmed: false }
    }

    fn limits(revisions: usize, bytes: u64) -> Limits {
        Limits { revisions, bytes }
    }

    #[test]
    fn the_oldest_go_beyond_the_number() {
        let records: Vec<Held> = (1..=5).map(held).collect();
        assert_eq!(excess(&records, limits(3, 1000)), [1, 2]);
        assert!(excess(&records, limits(5, 1000)).is_empty());
    }

    #[test]
    fn the_oldest_go_beyond_the_bytes() {
        let records: Vec<Held> = (1..=5).map(held).collect();
        assert_eq!(excess(&records, limits(50, 30)), [1, 2]);
        assert!(excess(&records, limits(50, 50)).is_empty());
    }

    #[test]
    fn what_several_share_is_counted_once_and_frees_nothing_until_the_last_goes() {
        let shared = |revision| Held { contents: held(1).contents, ..held(revision) };
        let records = [shared(1), shared(2), held(3), held(4)];
        assert!(excess(&records, limits(50, 30)).is_empty());
        assert_eq!(excess(&records, limits(50, 20)), [1, 2]);
    }

    #[test]
    fn the_newest_stays_and_so_do_the_newest_confirmed_and_the_newest_good() {
        let mut records: Vec<Held> = (1..=6).map(held).collect();
        records.iter_mut().skip(3).for_each(|held| held.is_good = false);
        records[1].is_confirmed = true;
        assert_eq!(excess(&records, limits(0, 0)), [1, 4, 5]);
        assert_eq!(excess(&records, limits(4, 1000)), [1, 4]);
    }

    #[test]
    fn nothing_is_removed_of_nothing() {
        assert!(excess(&[], limits(0, 0)).is_empty());
        assert!(excess(&[held(1)], limits(0, 0)).is_empty());
    }
}
