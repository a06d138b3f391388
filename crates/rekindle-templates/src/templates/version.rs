//! [`Version`]: a source that can be compiled, with what is known of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::{Parsed, Reference};
use crate::problem::TemplateProblem;

/// A source that can be compiled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) source: String,
    /// Of the source.
    pub(crate) hash: u64,
    pub(crate) parsed: Parsed,
}

impl Version {
    pub(crate) fn references(&self) -> &[Reference] {
        &self.parsed.references
    }
}

/// Versions by name: a set, or what it is to become.
pub(crate) type Versions = BTreeMap<String, Arc<Version>>;

/// What is on disk under a name.
#[derive(Debug, Clone)]
pub(crate) enum OnDisk {
    /// Something that can be compiled.
    Good(Arc<Version>),
    /// Something that cannot, and why.
    Bad(Arc<Bad>),
}

/// What is on disk and cannot be compiled.
#[derive(Debug)]
pub(crate) struct Bad {
    pub(crate) problem: TemplateProblem,
    /// Of the source, where there is one.
    pub(crate) hash: Option<u64>,
    /// Nobody may tell when it is over: it is looked at again.
    pub(crate) may_pass: bool,
}

/// What is on disk, by name.
pub(crate) type Disk = BTreeMap<String, OnDisk>;

impl OnDisk {
    /// The hash of the source, where one could be read.
    pub(crate) fn hash(&self) -> Option<u64> {
        match self {
            Self::Good(version) => Some(version.hash),
            Self::Bad(bad) => bad.hash,
        }
    }
}
