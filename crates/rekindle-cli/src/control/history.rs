//! `rekindle history` and `rekindle restore`: the revisions that are kept, and one of them brought back.

use serde_json::{Value, json};

use super::args::{HistoryArgs, RestoreArgs};
use super::table::{Cell, cell, lines};
use super::{clock, list, receipt, show, target::Target, text};
use crate::output;
use crate::render::{BAD, BOLD, DIM, GOOD, WARNING};
use crate::stop::Stop;
use crate::text::printable;

/// Lists revisions.
///
/// # Errors
///
/// What keeps the history from being read.
pub(super) async fn run(args: &HistoryArgs) -> Result<(), Stop> {
    let mut target = Target::any(&args.at).await?;
    let answer = target.ask(json!({"cmd": "history", "config_name": args.config})).await?;
    show(args.at.json, &answer, || report(list(&answer["revisions"]), output::width()))
}

/// Brings a revision back.
///
/// # Errors
///
/// [`Stop::Failed`] when it is refused.
pub(super) async fn restore(args: &RestoreArgs) -> Result<(), Stop> {
    let mut target = Target::any(&args.at).await?;
    let request = json!({"cmd": "restore", "config_name": args.config, "revision": args.revision});
    let answer = target.ask(request).await?;
    receipt::shown(&answer, &target, args.at.json)
}

/// The revisions of each configuration below its name, the newest last.
fn report(revisions: &[Value], terminal: Option<usize>) -> String {
    let same = |a: &Value, b: &Value| a["config_name"] == b["config_name"];
    let configs = revisions.chunk_by(same).map(|revisions| {
        let rows: Vec<Vec<Cell>> = revisions.iter().map(row).collect();
        let name = printable(text(&revisions[0]["config_name"])).into_owned();
        format!("{BOLD}{name}{BOLD:#}\n{}", lines(&rows, 2, terminal))
    });
    let shown: String = configs.collect();
    if shown.is_empty() { "No revision is kept\n".to_owned() } else { shown }
}

/// Number, time, trigger, outcome, changed pointers.
fn row(revision: &Value) -> Vec<Cell> {
    let changed: Vec<&str> = list(&revision["changed"]).iter().map(text).collect();
    let changed = changed.iter().map(|pointer| if pointer.is_empty() { "(all of it)" } else { *pointer });
    let outcome = &revision["outcome"];
    let (style, word) = match text(&outcome["state"]) {
        "confirmed" => (GOOD, "confirmed".to_owned()),
        "crashed" => (BAD, "crashed".to_owned()),
        "rolled-back" => (BAD, format!("rolled back: {}", text(&outcome["reason"]))),
        other => (WARNING, other.to_owned()),
    };
    vec![
        cell(BOLD, &revision["revision"].to_string()),
        cell(DIM, &clock(&revision["time"])),
        cell(anstyle::Style::new(), text(&revision["trigger"])),
        cell(style, &word),
        cell(anstyle::Style::new(), &changed.collect::<Vec<_>>().join(", ")),
    ]
}
