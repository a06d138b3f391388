//! An event in, the object that tells of it out. Pure, and the same as the lines of `rekindle watch --json`.

use std::path::Path;

use serde_json::{Value, json};

use super::wire::{micros, receipt, relative};
use crate::route::Routes;
use crate::{ChangeEvent, ChangeType, Receipt};

/// A reload that is done.
pub(super) fn of_receipt(done: &Receipt, root: &Path) -> Value {
    json!({"event": "reload", "receipt": receipt(done, root)})
}

/// What a client that is too slow did not get.
pub(super) fn of_gap(missed: u64) -> Value {
    json!({"event": "lagged", "missed": missed})
}

/// An event, without its secrets.
pub(super) fn of_event(event: &ChangeEvent, root: &Path) -> Value {
    match event {
        ChangeEvent::ConfigChanged { .. } => changed(event),
        ChangeEvent::FileChanged { path, change_type } => file(path, change_type, root),
        ChangeEvent::ValidationFailed { config_name, error, path, line, column } => json!({
            "event": "validation_failed",
            "config_name": config_name,
            "path": path.as_ref().map(|path| relative(path, root)),
            "line": line,
            "column": column,
            "error": error,
        }),
        ChangeEvent::ConfigShadowed { config_name, used, ignored } => json!({
            "event": "config_shadowed",
            "config_name": config_name,
            "used": relative(used, root),
            "ignored": relative(ignored, root),
        }),
        ChangeEvent::BackupFailed { path, error } => {
            json!({"event": "backup_failed", "path": relative(path, root), "error": error})
        }
        plain => of_plain(plain),
    }
}

fn changed(event: &ChangeEvent) -> Value {
    let ChangeEvent::ConfigChanged {
        config_name,
        old_value,
        new_value,
        changed,
        secrets,
        generation,
        duration,
    } = event
    else {
        return Value::Null;
    };
    json!({
        "event": "config_changed",
        "config_name": config_name,
        "generation": generation,
        "changed": secrets.conceal(changed),
        "old_value": secrets.mask(old_value),
        "new_value": secrets.mask(new_value),
        "duration_us": micros(*duration),
    })
}

fn file(path: &Path, change: &ChangeType, root: &Path) -> Value {
    let kind = Routes::of_any_program().of(path.strip_prefix(root).unwrap_or(path)).kind;
    let mut told = json!({
        "event": "file_changed",
        "path": relative(path, root),
        "change_type": change.as_str(),
        "kind": kind.as_str(),
    });
    if let ChangeType::Renamed { from } = change {
        told["from"] = relative(from, root).into();
    }
    told
}

/// Those without a path or a value.
fn of_plain(event: &ChangeEvent) -> Value {
    match event {
        ChangeEvent::ReloadCompleted { config_name, duration } => json!({
            "event": "reload_completed", "config_name": config_name, "duration_us": micros(*duration),
        }),
        ChangeEvent::RolledBack { from, to, generation, configs, reason } => json!({
            "event": "rolled_back", "from": from, "to": to, "generation": generation,
            "config_names": configs, "reason": reason,
        }),
        ChangeEvent::Confirmed { generation, configs } => {
            json!({"event": "confirmed", "generation": generation, "config_names": configs})
        }
        ChangeEvent::FellBack { config_name, revision, reason } => json!({
            "event": "fell_back", "config_name": config_name, "revision": revision, "reason": reason,
        }),
        ChangeEvent::HistoryFailed { error } => json!({"event": "history_failed", "error": error}),
        ChangeEvent::HandlerFailed { handler, error } => {
            json!({"event": "handler_failed", "handler": handler, "error": error})
        }
        ChangeEvent::Degraded { reason } => json!({"event": "degraded", "reason": reason}),
        ChangeEvent::Recovered { config_name } => {
            json!({"event": "recovered", "config_name": config_name})
        }
        ChangeEvent::Rescanned { reason, found } => {
            json!({"event": "rescanned", "reason": reason, "found": found})
        }
        ChangeEvent::Lagged { missed } => of_gap(*missed),
        other => json!({"event": "unknown", "text": format!("{other:?}")}),
    }
}
