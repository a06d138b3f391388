//! Fields with rules of their own: which values need a restart, never change, or are secret.
//!
//! In: JSON pointers from code, and the `"x-rekindle"` words of a configuration's schema. Out:
//! [`Fields`], which answers what a rule has to say of a value. Pure.
//!
//! A rule is a path of steps, and a step `*` stands for any key or index. The paths of a schema that
//! refers to itself have no end, so rules are not kept as a list of paths but as a [`graph`] that is
//! walked along with a value.

mod annotations;
mod difference;
mod graph;
mod secrets;
mod text;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use self::graph::Graph;
use crate::error::{Error, ErrorKind, Result};
pub(crate) use annotations::Unknown;
pub(crate) use secrets::Scrubber;
pub use secrets::Secrets;

/// What stands in place of a secret value.
pub(crate) const MASK: &str = "***";

/// What may be said of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    /// A change of it is kept back until the program starts anew.
    Restart,
    /// A change of it is refused.
    Immutable,
    /// Its value is shown to nobody but the program.
    Secret,
}

/// A rule that code states of a field of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Declared {
    pub(crate) config: String,
    pub(crate) rule: Rule,
    /// A JSON pointer, in which `*` is any key or index.
    pub(crate) pointer: String,
}

impl Declared {
    /// Whether it can be meant: a configuration's name, and a pointer to something in it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Name`], and [`ErrorKind::Pattern`] for a pointer that does not begin with `/`.
    pub(crate) fn check(&self) -> Result<()> {
        crate::route::check_name(&self.config)?;
        if self.pointer.starts_with('/') {
            return Ok(());
        }
        let message = format!("{:?} is no JSON pointer to a field of {:?}", self.pointer, self.config);
        Err(Error::new(ErrorKind::Pattern, message).help("a pointer begins with `/`, as in `/server/port`"))
    }
}

/// The rules of one configuration. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fields(Arc<Graph>);

impl Fields {
    /// What code states of a configuration.
    pub(crate) fn declared(config: &str, all: &BTreeSet<Declared>) -> Self {
        let mut graph = Graph::default();
        for declared in all.iter().filter(|declared| declared.config == config) {
            graph.add(&declared.pointer, declared.rule);
        }
        Self(Arc::new(graph))
    }

    /// What a schema states of the configuration it is for.
    ///
    /// # Errors
    ///
    /// The place of a word that is none of the rules.
    pub(crate) fn of_schema(document: &Value) -> Result<Self, Unknown> {
        annotations::compile(document).map(|graph| Self(Arc::new(graph.pruned())))
    }

    /// What stands at these pointers is secret.
    pub(crate) fn secret(pointers: impl IntoIterator<Item = String>) -> Self {
        let mut graph = Graph::default();
        for pointer in pointers {
            graph.add(&pointer, Rule::Secret);
        }
        Self(Arc::new(graph))
    }

    /// Everything is secret: what holds while the rules cannot be known.
    pub(crate) fn all_secret() -> Self {
        Self(Arc::new(Graph::whole(Rule::Secret)))
    }

    /// The rules of both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        if other.0.is_empty() || self == other {
            return self.clone();
        }
        if self.0.is_empty() {
            return other.clone();
        }
        Self(Arc::new(self.0.and(&other.0)))
    }

    /// The pointers of what differs between two values where a rule holds, in order.
    pub(crate) fn changed(&self, rule: Rule, old: &Value, new: &Value) -> Vec<String> {
        difference::changed(&self.0, rule, old, new)
    }

    /// What masks the secret ones.
    pub(crate) fn secrets(&self) -> Secrets {
        Secrets::new(self.clone())
    }
}

/// The keys of a pointer, unescaped.
pub(crate) fn steps(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
}

/// A pointer, one step longer.
pub(crate) fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests;
