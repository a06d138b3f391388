//! The forms in which things are told on the wire. Pure; the names here are an interface.
//!
//! Paths are relative to the root where they are below it. No secret gets this far: errors, receipts and
//! the status have none, and values are masked by whoever hands them here.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::VERSION;
use crate::error::{Error, Result};
use crate::{
    ConfigState, ConfigStatus, Durations, HistoryEntry, Origin, Pending, Receipt, Refusal, ReloadOutcome,
    StageDurations, StageTimes, Status,
};

/// The fields of an answer that went well.
pub(super) type Fields = Map<String, Value>;

/// An answer: its fields, or why there are none.
pub(super) fn answer(answer: Result<Fields>, id: Option<Value>, root: &Path) -> Value {
    match answer {
        Ok(fields) => {
            let mut all = envelope(true, id);
            all.extend(fields);
            Value::Object(all)
        }
        Err(problem) => failed(error(&problem, root), id),
    }
}

/// The answer to what is no request.
pub(super) fn refusal(why: &str, id: Option<Value>) -> Value {
    failed(json!({"kind": "request", "message": why}), id)
}

fn failed(error: Value, id: Option<Value>) -> Value {
    let mut all = envelope(false, id);
    all.insert("error".into(), error);
    Value::Object(all)
}

fn envelope(ok: bool, id: Option<Value>) -> Fields {
    let mut fields = Map::from_iter([("ok".into(), ok.into()), ("rekindle".into(), VERSION.into())]);
    fields.extend(id.map(|id| ("id".to_owned(), id)));
    fields
}

/// An object's fields.
pub(super) fn fields(object: Value) -> Fields {
    match object {
        Value::Object(fields) => fields,
        other => Map::from_iter([("value".into(), other)]),
    }
}

/// Leaves out what is null: it says nothing.
fn without_nulls(object: Value) -> Value {
    let mut fields = fields(object);
    fields.retain(|_, value| !value.is_null());
    Value::Object(fields)
}

/// A path as it is told.
pub(super) fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

/// An error, and beside it the others that were found in the same go.
pub(super) fn error(error: &Error, root: &Path) -> Value {
    let mut first = problem(error, root);
    let further: Vec<Value> = error.problems().skip(1).map(|further| problem(further, root)).collect();
    if let (Value::Object(fields), false) = (&mut first, further.is_empty()) {
        fields.insert("further".into(), further.into());
    }
    first
}

fn problem(error: &Error, root: &Path) -> Value {
    let masked: Vec<_> = error.masked_spans().iter().map(|span| json!([span.start, span.end])).collect();
    without_nulls(json!({
        "kind": error.kind().as_str(),
        "message": error.message(),
        "path": error.path().map(|path| relative(path, root)),
        "line": error.line(),
        "column": error.column(),
        "pointer": error.pointer(),
        "advice": error.advice(),
        "span": error.span().map(|span| [span.start, span.end]),
        "masked": (!masked.is_empty()).then_some(masked),
    }))
}

/// What came of a reload.
pub(super) fn receipt(receipt: &Receipt, root: &Path) -> Value {
    let refusal = |refusal: &Refusal| json!({"config_name": refusal.config, "by": refusal.by, "error": error(&refusal.error, root)});
    let stages = StageTimes::NAMES.iter().zip(receipt.stages.all());
    let stages: Map<_, _> = stages.map(|(name, time)| ((*name).to_owned(), micros(time).into())).collect();
    let mut told = json!({
        "id": receipt.id,
        "trigger": receipt.trigger,
        "generation": receipt.generation,
        "outcome": receipt.outcome.as_str(),
        "applied": receipt.applied(),
        "refused": receipt.refusals().iter().map(refusal).collect::<Vec<_>>(),
        "stages_us": stages,
        "at": time(receipt.at),
    });
    if let ReloadOutcome::RolledBack { configs, to, reason } = &receipt.outcome {
        told["rolled_back"] = json!({"config_names": configs, "to": to, "reason": error(reason, root)});
    }
    told
}

/// How the engine is.
pub(super) fn status(status: &Status, fingerprint: &str) -> Value {
    let configs = status.configs.iter();
    let configs: Map<_, _> =
        configs.map(|(name, config)| (name.clone(), config_status(config, &status.root))).collect();
    json!({
        "pid": std::process::id(),
        "version": env!("CARGO_PKG_VERSION"),
        "root": status.root.to_string_lossy(),
        "environment": status.environment,
        "generation": status.generation,
        "fingerprint": fingerprint,
        "degraded": status.degraded,
        "history_failure": status.history_failure,
        "control_socket": status.control_socket,
        "control_failure": status.control_failure,
        "watched_dirs": status.watched_dirs,
        "polled_dirs": status.polled_dirs,
        "reloads": status.reloads,
        "refused": status.refused,
        "rollbacks": status.rollbacks,
        "on_probation": status.on_probation,
        "handler_failures": status.handler_failures,
        "rescans": status.rescans,
        "overflows": status.overflows,
        "reconciled": status.reconciled,
        "durations_us": durations(&status.durations),
        "last_reload": status.last_reload.as_ref().map(|last| receipt(last, &status.root)),
        "configs": configs,
    })
}

/// How long each stage took, since the start.
fn durations(durations: &Durations) -> Value {
    let stage = |stage: StageDurations| {
        json!({
            "count": stage.count,
            "p50": micros(stage.p50),
            "p90": micros(stage.p90),
            "p99": micros(stage.p99),
            "max": micros(stage.max),
            "mean": micros(stage.mean),
        })
    };
    let stages = StageTimes::NAMES.iter().zip(durations.all());
    stages.map(|(name, times)| ((*name).to_owned(), stage(times))).collect::<Map<_, _>>().into()
}

/// How one configuration is.
pub(super) fn config_status(config: &ConfigStatus, root: &Path) -> Value {
    let shadow = |(used, ignored): &(_, _)| json!({"used": relative_of(used, root), "ignored": relative_of(ignored, root)});
    json!({
        "state": match config.state { ConfigState::Good => "good", ConfigState::Degraded(_) => "degraded" },
        "drift": config.drift().as_str(),
        "error": match &config.state {
            ConfigState::Good => None,
            ConfigState::Degraded(fault) => Some(error(fault, root)),
        },
        "generation": config.generation,
        "files": config.files.iter().map(|file| relative(file, root)).collect::<Vec<_>>(),
        "shadowed": config.shadowed.iter().map(shadow).collect::<Vec<_>>(),
        "pending": config.pending.iter().map(pending).collect::<Vec<_>>(),
    })
}

fn relative_of(path: &impl AsRef<Path>, root: &Path) -> String {
    relative(path.as_ref(), root)
}

/// A field that waits for a restart: of the two values those that there are.
fn pending(field: &Pending) -> Value {
    let sides = [("running", &field.running), ("on_disk", &field.on_disk)];
    let mut told = Map::from_iter([("pointer".to_owned(), field.pointer.clone().into())]);
    told.extend(sides.iter().filter_map(|(side, value)| Some(((*side).to_owned(), value.as_ref()?.clone()))));
    Value::Object(told)
}

/// A revision.
pub(super) fn revision(entry: &HistoryEntry) -> Value {
    json!({
        "config_name": entry.config_name,
        "revision": entry.revision,
        "generation": entry.generation,
        "run": entry.run,
        "time": time(entry.time),
        "trigger": entry.trigger,
        "changed": entry.changed,
        "files": entry.files.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>(),
        "bytes": entry.bytes,
        "outcome": entry.outcome,
    })
}

/// Where a value is from. `text` is what to look for.
pub(super) fn origin(origin: &Origin, root: &Path) -> Value {
    without_nulls(json!({
        "text": origin.to_string(),
        "layer": origin.layer().as_str(),
        "path": origin.path().map(|path| relative(path, root)),
        "line": origin.line(),
        "column": origin.column(),
        "variable": origin.variable(),
    }))
}

/// A point in time, in UTC as RFC 3339 has it. Null for one that the calendar does not reach.
pub(super) fn time(at: SystemTime) -> Value {
    jiff::Timestamp::try_from(at).map_or(Value::Null, |at| at.to_string().into())
}

/// Whole microseconds.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, Location};

    #[test]
    fn an_error_is_told_with_its_place_and_its_companions() {
        let root = Path::new("/site");
        let at = Location::file(Path::new("/site/config/app.toml"), root).at("a = 1\nb = 2", 10..11);
        let first =
            Error::new(ErrorKind::NotAFile, "no").help("do").about("/b").at(at).masking(vec![0..1, 4..5]);
        let both = Error::all([first, Error::from("more")]).expect("two errors");
        let expected = json!({
            "kind": "not-a-file", "message": "no", "path": "config/app.toml", "line": 2, "column": 5,
            "pointer": "/b", "advice": "do", "span": [10, 11], "masked": [[0, 1], [4, 5]],
            "further": [{"kind": "other", "message": "more"}],
        });
        assert_eq!(error(&both, root), expected);
    }

    #[test]
    fn an_answer_is_in_an_envelope() {
        let root = Path::new("/site");
        let good = answer(Ok(fields(json!({"value": null}))), Some(7.into()), root);
        assert_eq!(good, json!({"ok": true, "rekindle": 1, "id": 7, "value": null}));
        let bad = answer(Err(Error::from("no")), None, root);
        assert_eq!(bad, json!({"ok": false, "rekindle": 1, "error": {"kind": "other", "message": "no"}}));
    }
}
