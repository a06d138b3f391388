//! What a change must leave as it is: immutable fields refuse it, fields that need a restart sit it out.
//!
//! In: a configuration as its files say, and the one in use. Out: the error, or the configuration to be
//! used instead. Pure. What there is for the first time has nothing to keep.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::fields::Rule;
use crate::error::{Error, ErrorKind};
use crate::load::Candidate;

/// How much of a value a message shows.
const SHOWN_CHARS: usize = 60;

/// Why a change cannot be applied without a restart, if it changes immutable fields.
pub(crate) fn immutable(new: &Candidate, running: &Candidate, root: &Path) -> Option<Error> {
    let changed = new.fields.changed(Rule::Immutable, &running.value, &new.value);
    Error::all(changed.iter().map(|pointer| {
        let secrets = new.secrets();
        let value = running.value.pointer(pointer).map(|value| secrets.mask_at(pointer, value));
        let name = secrets.name(pointer);
        let what = if name.is_empty() { "this configuration" } else { &name };
        let is = value.map_or_else(|| "absent from".to_owned(), |value| format!("{} in", clipped(&value)));
        let message = format!("{what} is immutable, and is {is} the running program");
        let error = Error::new(ErrorKind::Immutable, message).about(&name);
        new.point(error.help("put it back, or restart the program"), pointer, root)
    }))
}

/// What is used until a restart, where that is not what the files say.
pub(crate) fn until_restart(new: &Arc<Candidate>, running: Option<&Candidate>) -> Arc<Candidate> {
    let changed = running.map(|running| new.fields.changed(Rule::Restart, &running.value, &new.value));
    match (running, changed) {
        (Some(running), Some(changed)) if !changed.is_empty() => Arc::new(new.holding(running, &changed)),
        _ => Arc::clone(new),
    }
}

/// The errors of configurations of which parts are held, while as on disk they are good: says that it is
/// the mixture that cannot be.
pub(crate) fn of_mixture(error: &Error, mixed: &[Arc<Candidate>]) -> Error {
    let held = |config: &Arc<Candidate>| {
        let pointers: Vec<String> = config.held.iter().map(|held| held.pointer.clone()).collect();
        config.secrets().conceal(&pointers)
    };
    let held: Vec<String> = mixed.iter().flat_map(held).collect();
    let keeps = if held.len() == 1 { "keeps its running value" } else { "keep their running values" };
    let help = format!("{} {keeps} until a restart", held.join(", "));
    let each = error.apart().map(|problem| {
        let advice = problem.advice().map(|advice| format!("{advice}; {help}"));
        problem.help(advice.unwrap_or_else(|| help.clone()))
    });
    Error::all(each).unwrap_or_else(|| error.clone())
}

fn clipped(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
