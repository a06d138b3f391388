//! The log: every event, and where the time of a reload went.

use crate::engine::Receipt;
use crate::event::ChangeEvent;

/// Writes down where the time of a reload went.
pub(super) fn times(receipt: &Receipt) {
    let Receipt { id, trigger, generation, stages, .. } = receipt;
    tracing::debug!(
        id,
        trigger = trigger.as_str(),
        generation,
        outcome = receipt.outcome.as_str(),
        settle = ?stages.settle,
        load = ?stages.load,
        validate = ?stages.validate,
        prepare = ?stages.prepare,
        commit = ?stages.commit,
        notify = ?stages.notify,
        total = ?stages.total,
        "reload done"
    );
}

/// Writes an event to the log. No value is written.
pub(super) fn event(event: &ChangeEvent) {
    match event {
        ChangeEvent::ConfigChanged { config_name, generation, changed, duration, secrets, .. } => {
            // Called only if somebody listens.
            let changed = || secrets.conceal(changed);
            tracing::info!(config_name, generation, changed = ?changed(), ?duration, "configuration changed");
        }
        ChangeEvent::FileChanged { path, change_type } => {
            tracing::debug!(?path, ?change_type, "file changed");
        }
        ChangeEvent::ValidationFailed { config_name, error, .. } => {
            tracing::error!(config_name, error, "configuration refused, the last good value stays");
        }
        ChangeEvent::ReloadCompleted { config_name, duration } => {
            tracing::debug!(config_name, ?duration, "reload completed");
        }
        ChangeEvent::RolledBack { from, to, generation, configs, reason } => {
            tracing::error!(from, to, generation, ?configs, reason, "rolled back");
        }
        ChangeEvent::FellBack { config_name, revision, reason } => {
            let message = "not fit to start with, an earlier revision is in use";
            tracing::error!(config_name, revision, reason, message);
        }
        ChangeEvent::HistoryFailed { error } => tracing::warn!(error, "history failed"),
        ChangeEvent::Confirmed { generation, configs } => {
            tracing::info!(generation, ?configs, "passed its probation");
        }
        ChangeEvent::HandlerFailed { handler, error } => tracing::error!(handler, error, "handler failed"),
        ChangeEvent::Degraded { reason } => tracing::warn!(reason, "degraded"),
        ChangeEvent::Recovered { config_name } => tracing::info!(config_name, "recovered"),
        ChangeEvent::Rescanned { reason, found } => tracing::warn!(reason, found, "rescanned"),
        ChangeEvent::ConfigShadowed { config_name, used, ignored } => {
            tracing::warn!(config_name, ?used, ?ignored, "two files for one layer");
        }
        ChangeEvent::BackupFailed { path, error } => tracing::error!(?path, error, "backup failed"),
        ChangeEvent::Lagged { missed } => tracing::warn!(missed, "receiver lagged"),
    }
}
