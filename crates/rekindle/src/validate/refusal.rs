//! What is said of a value that is refused, without its secrets.

use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::load::Candidate;
use crate::propagate::Veto;
use crate::validate::Scrubber;

/// What serde says around a value that it quotes.
const QUOTING: [&str; 3] = ["invalid type: ", "invalid value: ", "unknown variant "];

/// A check may return any error; what leaves here says that a check refused, and where.
pub(crate) fn as_refusal(refusal: &Error, candidate: &Candidate, root: &Path) -> Error {
    let kind = if refusal.kind() == ErrorKind::Panic { ErrorKind::Panic } else { ErrorKind::Check };
    let message = candidate.scrubber().scrub(refusal.message());
    pointed(Error::new(kind, message), refusal, candidate, root)
}

/// The same of a handler that does not prepare: it is named.
pub(crate) fn as_veto(veto: &Veto, candidate: &Candidate, root: &Path) -> Error {
    let (who, refusal) = (&veto.handler, &veto.error);
    let kind = if refusal.kind() == ErrorKind::Busy { ErrorKind::Busy } else { ErrorKind::Veto };
    let said = candidate.scrubber().scrub(refusal.message());
    let message = format!("the handler {who} refused it: {said}");
    pointed(Error::new(kind, message).by(who), refusal, candidate, root)
}

/// Takes over what a refusal says beside its message, as far as it may be shown.
fn pointed(error: Error, refusal: &Error, candidate: &Candidate, root: &Path) -> Error {
    let (pointer, scrubber) = (refusal.pointer().unwrap_or(""), candidate.scrubber());
    let mut error = error.about(pointer);
    if let Some(advice) = refusal.advice() {
        error = error.help(scrubber.scrub(advice));
    }
    if quotes_nothing(refusal, &scrubber) {
        error = error.because(refusal.clone());
    }
    candidate.point(error, pointer, root)
}

/// Whether neither an error nor what caused it holds a secret: whoever prints it prints its causes.
fn quotes_nothing(error: &Error, scrubber: &Scrubber) -> bool {
    let chain = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let shown = chain.flat_map(|error| [error.to_string(), format!("{error:?}")]);
    let further = error.problems().map(|problem| format!("{problem:?}"));
    shown.chain(further).all(|text| scrubber.scrub(&text) == text)
}

/// What a decoder said of the value at a pointer, as it may be shown.
///
/// It quotes what it found. Where that is a secret, part of one, or holds one, only what was expected is
/// left; of words that are not serde's own, nothing.
pub(crate) fn type_message(message: &str, pointer: &str, candidate: &Candidate) -> String {
    let secrets = candidate.secrets();
    let scrubbed = candidate.scrubber().scrub(message);
    if !secrets.concern(pointer, &candidate.value) {
        return scrubbed;
    }
    let start = QUOTING.into_iter().find(|start| scrubbed.starts_with(start));
    match (start, scrubbed.rfind(", expected ")) {
        (Some(start), Some(expected)) => format!("{start}***{}", &scrubbed[expected..]),
        _ if !secrets.is_secret(pointer) || names_a_field(&scrubbed) => scrubbed,
        _ => "the value is not what the type expects".to_owned(),
    }
}

/// Whether all that is quoted is a name that the type has.
fn names_a_field(message: &str) -> bool {
    ["missing field ", "duplicate field ", "invalid length "].iter().any(|start| message.starts_with(start))
}
