//! [`TemplateEvent`]: what subscribers are told.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::problem::TemplateProblem;

/// Something that changed about a set of templates. A receiver that lags looks at the current state instead:
/// [`digest`](crate::Templates::digest) and [`problems`](crate::Templates::problems).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateEvent {
    /// Another set is in use: every render from now on is made from it.
    Changed(TemplateChange),
    /// What is wrong is something else than before; empty when everything is mended.
    Problems(Arc<[TemplateProblem]>),
}

/// How a set of templates differs from the one before. One batch of saved files is one change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TemplateChange {
    /// The number of the set that is in use now; it only rises.
    pub generation: u64,
    /// Templates that are new, or have another source than before.
    pub changed: BTreeSet<String>,
    /// Templates that are rendered differently now: those that changed or were removed, and all that reach one of
    /// them by including, extending or importing.
    pub affected: BTreeSet<String>,
    /// Templates that are no longer there.
    pub removed: BTreeSet<String>,
}
