//! Spans: a reload, and in it the stages that it goes through.
//!
//! A reload is at work on several threads. Each enters its span, so that what is logged there, by the
//! program's own checks and handlers too, is told to belong to it. No value is recorded.

use tracing::Span;
use tracing::field::{Empty, debug};

use crate::engine::{Receipt, ReloadOutcome};
use crate::history::Trigger;

/// A reload, at INFO. It is nobody's child: what it was begun in may be another reload.
pub(crate) fn reload(id: u64, trigger: Trigger) -> Span {
    let trigger = trigger.as_str();
    tracing::info_span!(
        parent: None, "reload", id, trigger, generation = Empty, outcome = Empty, configs = Empty
    )
}

/// Notes what came of a reload.
pub(crate) fn record(span: &Span, receipt: &Receipt) {
    if span.is_disabled() {
        return;
    }
    span.record("generation", receipt.generation);
    span.record("outcome", receipt.outcome.as_str());
    span.record("configs", debug(configs(receipt)));
}

/// Notes that nothing can be said yet: what was read is not finished, and will be looked at again.
pub(crate) fn record_unfinished(span: &Span) {
    span.record("outcome", "unfinished");
}

/// The configurations that a reload was about: those that changed, and those that were refused.
fn configs(receipt: &Receipt) -> Vec<&str> {
    let refused = receipt.refusals().iter().map(|refusal| refusal.config.as_str());
    let changed = match &receipt.outcome {
        ReloadOutcome::RolledBack { configs, .. } => configs,
        _ => receipt.applied(),
    };
    changed.iter().map(String::as_str).chain(refused).collect()
}

/// Reading, parsing and layering.
pub(crate) fn load() -> Span {
    tracing::debug_span!("load")
}

/// Schema, decoding and checks.
pub(crate) fn validate() -> Span {
    tracing::debug_span!("validate")
}

/// Handlers getting ready.
pub(crate) fn prepare() -> Span {
    tracing::debug_span!("prepare")
}

/// The writing of an update.
pub(crate) fn write() -> Span {
    tracing::debug_span!("write")
}

/// The swap and the handing on to readers.
pub(crate) fn commit() -> Span {
    tracing::debug_span!("commit")
}

/// Waiting for critical handlers.
pub(crate) fn notify() -> Span {
    tracing::debug_span!("notify")
}

/// Decoding values that come back.
pub(crate) fn undo() -> Span {
    tracing::debug_span!("undo")
}
