//! `rekindle log`: what was ever published.

use anstyle::Style;
use rekindle_cluster::{Client, Digest, Head, Outcome, Payload, Published};
use serde_json::{Value, json};

use super::args::LogArgs;
use super::{client, documents};
use crate::control::table::{Cell, cell, lines};
use crate::output;
use crate::render::{BAD, BOLD, DIM, GOOD, WARNING};
use crate::stop::Stop;

/// Lists it, the newest first.
///
/// # Errors
///
/// What the store fails with.
pub(crate) async fn log(args: &LogArgs) -> Result<(), Stop> {
    let client: Client = client(&args.at).await?;
    let head = client.status().await?.head;
    let mut published = client.published().await?;
    published.truncate(args.number.unwrap_or(usize::MAX));
    let shown = if args.at.json {
        published.iter().map(|one| format!("{}\n", as_json(one, &head))).collect()
    } else if published.is_empty() {
        "Nothing has been published\n".to_owned()
    } else {
        let rows: Vec<Vec<Cell>> = published.iter().map(|one| row(one, &head)).collect();
        lines(&rows, 0, output::width())
    };
    output::print(&shown)
}

/// What became of it, as far as the head still knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Stable,
    Candidate,
    Ended(Outcome),
}

impl State {
    fn of(digest: Digest, head: &Head) -> Option<Self> {
        let candidate = head.candidate.as_ref().map(|candidate| candidate.release);
        if head.stable.is_some_and(|stable| stable.payload == digest) {
            return Some(Self::Stable);
        }
        if candidate.is_some_and(|candidate| candidate.payload == digest) {
            return Some(Self::Candidate);
        }
        let last = head.last.as_ref().filter(|last| last.release.payload == digest);
        last.filter(|last| last.outcome != Outcome::Promoted).map(|last| Self::Ended(last.outcome))
    }

    /// For programs, for people, and how it looks.
    fn words(self) -> (&'static str, &'static str, Style) {
        match self {
            Self::Stable => ("stable", "in use", GOOD),
            Self::Candidate => ("candidate", "on its way", WARNING),
            Self::Ended(Outcome::Refused) => ("refused", "refused", BAD),
            Self::Ended(Outcome::RolledBack) => ("rolled-back", "taken back", BAD),
            Self::Ended(Outcome::Aborted | Outcome::Promoted) => ("aborted", "aborted", WARNING),
        }
    }
}

fn as_json(published: &Published, head: &Head) -> Value {
    let state = State::of(published.digest, head).map(|state| state.words().0);
    match &published.payload {
        Ok(payload) => json!({
            "payload": published.digest, "state": state, "time": payload.time, "author": payload.author,
            "message": payload.message, "documents": names(payload),
        }),
        Err(error) => {
            json!({"payload": published.digest, "state": state, "error": error.to_string()})
        }
    }
}

/// Name, time, author, state, message, files.
fn row(published: &Published, head: &Head) -> Vec<Cell> {
    let (word, style) = State::of(published.digest, head)
        .map_or(("", Style::new()), |state| (state.words().1, state.words().2));
    let name = cell(BOLD, &published.digest.short());
    let payload = match &published.payload {
        Ok(payload) => payload,
        Err(error) => {
            let (none, why) = (cell(DIM, "-"), cell(BAD, &error.to_string()));
            return vec![name, none, cell(DIM, "-"), cell(style, word), why];
        }
    };
    let local = payload.time.map(|time| time.to_zoned(jiff::tz::TimeZone::system()));
    let time = local.map_or_else(|| "-".to_owned(), |local| local.strftime("%Y-%m-%d %H:%M").to_string());
    let why = payload.message.lines().next().unwrap_or_default();
    let author = if payload.author.is_empty() { "-" } else { &payload.author };
    vec![
        name,
        cell(DIM, &time),
        cell(Style::new(), author),
        cell(style, word),
        cell(Style::new(), if why.is_empty() { "-" } else { why }),
        cell(DIM, &names(payload).join(", ")),
    ]
}

fn names(payload: &Payload) -> Vec<String> {
    payload.documents.iter().map(documents::file_name).collect()
}
