//! The log: what was replaced while it worked, and how it ended.

use crate::error::Error;
use crate::service::{Ended, JobEnd, Retirement};

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

/// Warns of a value that could not be made, so that the one before stays.
pub(crate) fn not_replaced(name: &str, error: &Error) {
    let error = error.to_string();
    tracing::warn!(name, error, "not replaced, the value before stays");
}

/// Writes down that a run of a job has ended; warns of one that did not end as it should.
pub(crate) fn job_ended(end: &JobEnd) {
    let JobEnd { worker, ran, how } = end;
    match how {
        Ended::Finished => tracing::debug!(worker, ?ran, "job finished"),
        Ended::Cancelled => tracing::debug!(worker, ?ran, "job cancelled"),
        Ended::Failed(error) => {
            let error = error.to_string();
            tracing::warn!(worker, ?ran, error, "job failed, and begins anew at the next change");
        }
        Ended::Cut => tracing::warn!(worker, ?ran, "job cut off, it did not end in time"),
    }
}
