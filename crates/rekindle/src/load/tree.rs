//! The tree that every format is parsed into: plain data, and where each piece of it was written.
//!
//! In: nothing, this is a data type. Out: [`Node`], which the layering merges and which turns into
//! the [`serde_json::Value`] that programs see. The places are what lets an error name a line.

use std::ops::Range;

use serde_json::{Number, Value};

/// How deep tables and lists may be nested. Deeper is an attack or a mistake, and an error.
#[cfg_attr(not(any(feature = "toml", feature = "yaml", feature = "json")), allow(dead_code))]
pub(crate) const MAX_DEPTH: usize = 128;

/// How many values one file may hold, tables and lists among them. More is data and no
/// configuration, or an attack: of `[1,1,1,…` a few bytes of text take fifty of memory.
pub(crate) const MAX_VALUES: usize = 1_000_000;

/// How many of the values may be tables. Programs see a [`Value`], whose tables take 640 bytes
/// each, and the engine for TOML takes over 1000, however little is in them.
pub(crate) const MAX_TABLES: usize = 250_000;

/// A piece of a file, as byte offsets into its text.
pub(crate) type Span = Range<usize>;

/// The place a value came from: which source of the configuration, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Index into the list of sources that the configuration was layered from.
    pub(crate) source: usize,
    /// Bytes of the source's text.
    pub(crate) span: Span,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) data: Data,
    pub(crate) place: Place,
}

/// What a value is. Dates are strings, as JSON has no type for them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Data {
    Null,
    Bool(bool),
    Number(Number),
    String(Box<str>),
    Array(Box<[Node]>),
    Object(Table),
}

/// A value under a key, and where the key was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: Place,
    pub(crate) node: Node,
}

/// A key of a table and what is under it.
pub(crate) type Entry = (Box<str>, Member);

/// The members of a table, each key once, in the order of the keys.
///
/// One exact allocation: a map would take a kilobyte for the first of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table(Box<[Entry]>);

impl Table {
    /// The table of entries in the order of their text, or the first that repeats an earlier key.
    pub(crate) fn unique(mut entries: Vec<Entry>) -> Result<Self, Entry> {
        if !is_ordered(&entries) {
            entries.sort_unstable_by(|(a, first), (b, second)| {
                a.cmp(b).then(first.key.span.start.cmp(&second.key.span.start))
            });
            let repeats = (1..entries.len()).filter(|&at| entries[at - 1].0 == entries[at].0);
            if let Some(first) = repeats.min_by_key(|&at| entries[at].1.key.span.start) {
                return Err(entries.swap_remove(first));
            }
        }
        Ok(Self(entries.into_boxed_slice()))
    }

    /// What is under a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Member> {
        let found = self.0.binary_search_by(|(other, _)| (**other).cmp(key));
        found.ok().map(|at| &self.0[at].1)
    }

    /// The members in the order of their keys.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.0.iter()
    }

    /// The members of both. Where both have a key, `join` makes one of the member here and the one `above`.
    pub(crate) fn overlaid(self, above: Self, mut join: impl FnMut(Member, Member) -> Member) -> Self {
        let mut entries = Vec::with_capacity(self.0.len() + above.0.len());
        let mut below = self.into_iter().peekable();
        for (key, member) in above {
            while let Some(lesser) = below.next_if(|(other, _)| *other < key) {
                entries.push(lesser);
            }
            let member = match below.next_if(|(other, _)| *other == key) {
                Some((_, lower)) => join(lower, member),
                None => member,
            };
            entries.push((key, member));
        }
        entries.extend(below);
        Self(entries.into_boxed_slice())
    }
}

/// Of entries with the same key, the first one counts.
impl FromIterator<Entry> for Table {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut entries: Vec<Entry> = entries.into_iter().collect();
        if !is_ordered(&entries) {
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|(later, _), (first, _)| later == first);
        }
        Self(entries.into_boxed_slice())
    }
}

impl IntoIterator for Table {
    type Item = Entry;
    type IntoIter = std::vec::IntoIter<Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_vec().into_iter()
    }
}

/// Whether each key is greater than the one before it.
fn is_ordered(entries: &[Entry]) -> bool {
    entries.is_sorted_by(|(a, _), (b, _)| a < b)
}

impl Node {
    /// The plain value, without its places.
    pub(crate) fn to_value(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(flag) => Value::Bool(*flag),
            Data::Number(number) => Value::Number(number.clone()),
            Data::String(text) => Value::String(text.to_string()),
            Data::Array(items) => Value::Array(items.iter().map(Node::to_value).collect()),
            Data::Object(members) => Value::Object(
                members.iter().map(|(key, member)| (key.to_string(), member.node.to_value())).collect(),
            ),
        }
    }

    /// What is directly under a step of a JSON pointer.
    fn under(&self, step: &str) -> Option<&Node> {
        let step = step.replace("~1", "/").replace("~0", "~");
        match &self.data {
            Data::Object(members) => members.get(&step).map(|member| &member.node),
            Data::Array(items) => step.parse().ok().and_then(|at: usize| items.get(at)),
            _ => None,
        }
    }

    /// The node a JSON pointer names.
    pub(crate) fn find(&self, pointer: &str) -> Option<&Node> {
        pointer.split('/').skip(1).try_fold(self, |here, step| here.under(step))
    }

    /// The node a JSON pointer names, or the deepest one on the way to it.
    ///
    /// A missing field has no place of its own: the table that lacks it is the best to point at.
    pub(crate) fn nearest(&self, pointer: &str) -> &Node {
        let mut here = self;
        for step in pointer.split('/').skip(1) {
            match here.under(step) {
                Some(node) => here = node,
                None => break,
            }
        }
        here
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry that was written `at` some byte, with that as its value.
    fn entry(key: &str, at: usize) -> Entry {
        let place = Place { source: 0, span: at..at + 1 };
        (key.into(), Member { key: place.clone(), node: Node { data: Data::Number(at.into()), place } })
    }

    fn shown(table: &Table) -> Vec<(&str, usize)> {
        table.iter().map(|(key, member)| (&**key, member.node.place.span.start)).collect()
    }

    #[test]
    fn a_table_is_sorted_and_finds_its_keys() {
        let table = Table::unique(vec![entry("b", 0), entry("", 1), entry("é", 2), entry("a", 3)]).unwrap();
        assert_eq!(shown(&table), [("", 1), ("a", 3), ("b", 0), ("é", 2)]);
        assert_eq!(table.get("a").unwrap().key.span, 3..4);
        assert_eq!(table.get("c"), None);
        assert_eq!(Table::unique(Vec::new()).unwrap().get(""), None);
    }

    #[test]
    fn the_repeat_that_was_written_first_is_told() {
        let keys = ["c", "b", "a", "b", "a", "b"];
        let entries = keys.into_iter().enumerate().map(|(at, key)| entry(key, at)).collect();
        assert_eq!(Table::unique(entries), Err(entry("b", 3)));
    }

    #[test]
    fn of_collected_entries_the_first_counts() {
        let table: Table = [entry("b", 0), entry("a", 1), entry("b", 2), entry("a", 3)].into_iter().collect();
        assert_eq!(shown(&table), [("a", 1), ("b", 0)]);
    }

    #[test]
    fn overlaid_tables_hold_the_members_of_both() {
        let table = |entries: &[(&str, usize)]| entries.iter().map(|&(key, at)| entry(key, at)).collect();
        let base: Table = table(&[("a", 0), ("c", 1), ("d", 2), ("f", 3)]);
        let above: Table = table(&[("b", 10), ("c", 11), ("f", 12), ("g", 13)]);
        let over = |base: &Table, above: &Table| base.clone().overlaid(above.clone(), |_, above| above);
        let expected = [("a", 0), ("b", 10), ("c", 11), ("d", 2), ("f", 12), ("g", 13)];
        assert_eq!(shown(&over(&base, &above)), expected);
        let none = table(&[]);
        assert_eq!(over(&base, &none), base);
        assert_eq!(over(&none, &base), base);
    }

    #[test]
    fn what_a_value_takes_stays_small() {
        assert!(size_of::<Node>() <= 48 && size_of::<Entry>() <= 88);
    }
}
