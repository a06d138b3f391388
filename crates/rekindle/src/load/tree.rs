//! The tree that every format is parsed into: plain data, and where each piece of it was written.
//!
//! In: nothing, this is a data type. Out: [`Node`], which the layering merges and which turns into
//! the [`serde_json::Value`] that programs see. The places are what lets an error name a line.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Number, Value};

/// How deep tables and lists may be nested. Deeper is an attack or a mistake, and an error.
pub(crate) const MAX_DEPTH: usize = 128;

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
    String(String),
    Array(Vec<Node>),
    Object(BTreeMap<String, Member>),
}

/// A value under a key, and where the key was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: Place,
    pub(crate) node: Node,
}

impl Node {
    /// The plain value, without its places.
    pub(crate) fn to_value(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(flag) => Value::Bool(*flag),
            Data::Number(number) => Value::Number(number.clone()),
            Data::String(text) => Value::String(text.clone()),
            Data::Array(items) => Value::Array(items.iter().map(Node::to_value).collect()),
            Data::Object(members) => Value::Object(
                members.iter().map(|(key, member)| (key.clone(), member.node.to_value())).collect(),
            ),
        }
    }

    /// The node a JSON pointer names, or the deepest one on the way to it.
    ///
    /// A missing field has no place of its own: the table that lacks it is the best to point at.
    pub(crate) fn nearest(&self, pointer: &str) -> &Node {
        let mut here = self;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match &here.data {
                Data::Object(members) => members.get(&step).map(|member| &member.node),
                Data::Array(items) => step.parse().ok().and_then(|i: usize| items.get(i)),
                _ => None,
            };
            match next {
                Some(node) => here = node,
                None => break,
            }
        }
        here
    }
}
