//! [`Retirement`]: what is told of one that was replaced.

use std::time::Duration;

use crate::error::Error;

/// How many retirements a slow receiver may be behind before it is told that it lags.
pub(super) const RETIREMENTS_CAPACITY: usize = 64;

/// One that was replaced has ended, or its time has.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Retirement {
    /// The service or the pool.
    pub name: String,
    /// The generation of values that it was put in use with; of a pool, a count of its values from 1.
    pub generation: u64,
    /// From its replacement on.
    pub took: Duration,
    /// Whether it was cut off at its deadline.
    pub cut: bool,
    /// How many still hold it: of a service, an `Arc` from
    /// [`load_full`](super::Supervised::load_full). Nobody can take that from them.
    pub holders: usize,
    /// What went wrong: it was cut off, it panicked, or its successor could not take its state.
    pub error: Option<Error>,
}
