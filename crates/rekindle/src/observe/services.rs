//! The log: what was replaced while it worked, and how it ended.

use crate::service::Retirement;

/// Writes down that one has ended; warns of one that did not end as it should.
pub(crate) fn retired(retirement: &Retirement) {
    let Retirement { name, generation, took, cut, holders, error } = retirement;
    match error {
        None => tracing::debug!(name, generation, ?took, holders, "retired"),
        Some(error) => {
            let error = error.to_string();
            tracing::warn!(name, generation, ?took, cut, holders, error, "retired, not as it should");
        }
    }
}
