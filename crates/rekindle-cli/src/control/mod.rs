//! The commands that ask a running program: a request in, its answer shown.
//!
//! All of them speak the control protocol (`docs/control.md`). Where no program listens, those that can
//! ask an engine of this process's own, which answers in the same words: [`target`]. What `--json` prints
//! is the answer as it came; for people, each command has its own form of it.

mod args;
mod diff;
mod explain;
mod get;
mod history;
mod receipt;
mod schema;
mod set;
mod status;
pub(crate) mod table;
mod target;

use serde_json::Value;

pub(crate) use args::Asked;

use crate::output;
use crate::stop::Stop;

/// Runs one of them.
///
/// # Errors
///
/// Why it did not end well.
pub(crate) async fn run(asked: &Asked) -> Result<(), Stop> {
    match asked {
        Asked::Status(args) => status::run(args).await,
        Asked::Get(args) => get::run(args).await,
        Asked::Set(args) => set::run(args).await,
        Asked::Explain(args) => explain::run(args).await,
        Asked::Diff(args) => diff::run(args).await,
        Asked::History(args) => history::run(args).await,
        Asked::Restore(args) => history::restore(args).await,
        Asked::Reload(args) => receipt::reload(args).await,
        Asked::Schema(args) => schema::run(args).await,
    }
}

/// Prints an answer as it is, or what is made of it for people.
fn show(json: bool, answer: &Value, for_people: impl FnOnce() -> String) -> Result<(), Stop> {
    let shown = if json { format!("{answer}\n") } else { for_people() };
    output::print(&shown)
}

/// A text in an answer; empty where there is none.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The elements of a list in an answer; none where there is no list.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A point in time as the clock on the wall has it.
fn clock(value: &Value) -> String {
    let time: Option<jiff::Timestamp> = text(value).parse().ok();
    let local = time.map(|time| time.to_zoned(jiff::tz::TimeZone::system()));
    local.map_or_else(|| "-".to_owned(), |local| local.strftime("%Y-%m-%d %H:%M:%S").to_string())
}
