//! How much trouble there is.

use std::time::Duration;

/// How often what happens, per mille.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulation) struct Chances {
    pub(super) lost: u64,
    pub(super) trouble: u64,
    pub(super) refusing: u64,
    pub(super) sick: u64,
    /// For how long there is trouble, and something is published.
    pub(super) busy: Duration,
}

impl Chances {
    pub(in crate::simulation) fn none() -> Self {
        Self { lost: 0, trouble: 0, refusing: 0, sick: 0, busy: Duration::from_secs(200) }
    }

    pub(in crate::simulation) fn trouble() -> Self {
        Self { lost: 50, trouble: 1000, refusing: 150, sick: 150, busy: Duration::from_secs(200) }
    }
}
