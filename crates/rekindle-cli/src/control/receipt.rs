//! `rekindle reload`, and what came of a reload, however it was asked for.

use std::time::Duration;

use serde_json::{Value, json};

use super::args::{StatusArgs, Where};
use super::{list, show, target::Target, text};
use crate::output;
use crate::render::{BAD, BOLD, DIM, GOOD};
use crate::snippet::{self, Problem};
use crate::stop::Stop;
use crate::text::{milliseconds, printable};

/// Has the program look at everything now.
///
/// # Errors
///
/// [`Stop::Failed`] when something is refused, [`Stop::NotRunning`] when there is no program.
pub(super) async fn reload(args: &StatusArgs) -> Result<(), Stop> {
    let mut target = Target::program(&Where::from(args)).await?;
    let answer = target.ask(json!({"cmd": "reload"})).await?;
    shown(&answer, &target, args.json)
}

/// Shows the receipt in an answer.
///
/// # Errors
///
/// [`Stop::Failed`] when not all of the change was applied, or it did not stay.
pub(super) fn shown(answer: &Value, target: &Target, json: bool) -> Result<(), Stop> {
    let receipt = &answer["receipt"];
    show(json, answer, || report(receipt, target))?;
    match text(&receipt["outcome"]) {
        "applied" | "unchanged" => Ok(()),
        _ => Err(Stop::Failed),
    }
}

fn report(receipt: &Value, target: &Target) -> String {
    let line = line(receipt);
    let refused = list(&receipt["refused"]).iter().map(|refusal| {
        let (name, by) = (printable(text(&refusal["config_name"])), printable(text(&refusal["by"])));
        let problems = Problem::all(&refusal["error"], &target.root);
        format!("{BAD}refused{BAD:#}    {BOLD}{name}{BOLD:#}, by {by}\n\n")
            + &snippet::show(&problems, &target.root, output::width())
            + "\n"
    });
    let undone = receipt.get("rolled_back").map(|undone| {
        let problems = Problem::all(&undone["reason"], &target.root);
        "\n".to_owned() + &snippet::show(&problems, &target.root, output::width())
    });
    line + &refused.collect::<String>() + &undone.unwrap_or_default()
}

/// A receipt in one line. For one that only refused there is none: the refusals say it all.
pub(super) fn line(receipt: &Value) -> String {
    let names = |names: &Value| {
        let names: Vec<&str> = list(names).iter().map(text).collect();
        printable(&names.join(", ")).into_owned()
    };
    let took = Duration::from_micros(receipt["stages_us"]["total"].as_u64().unwrap_or(0));
    let end = format!("{DIM}generation {}, after {}{DIM:#}\n", receipt["generation"], milliseconds(took));
    let applied = names(&receipt["applied"]);
    match text(&receipt["outcome"]) {
        "unchanged" => format!("{GOOD}unchanged{GOOD:#}  {end}"),
        "rolled-back" => {
            let undone = &receipt["rolled_back"];
            let (names, to) = (names(&undone["config_names"]), &undone["to"]);
            format!("{BAD}undone{BAD:#}     {BOLD}{names}{BOLD:#}, back to generation {to}  {end}")
        }
        _ if applied.is_empty() => String::new(),
        _ => format!("{GOOD}applied{GOOD:#}    {BOLD}{applied}{BOLD:#}  {end}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_one_line() {
        let shown = |receipt: Value| anstream::adapter::strip_str(&line(&receipt)).to_string();
        let applied = json!({
            "outcome": "applied", "applied": ["app", "db"], "generation": 4, "stages_us": {"total": 1900},
        });
        assert_eq!(shown(applied), "applied    app, db  generation 4, after 1.90 ms\n");
        let undone = json!({
            "outcome": "rolled-back", "applied": [], "generation": 6, "stages_us": {"total": 12_000},
            "rolled_back": {"config_names": ["app"], "to": 4},
        });
        assert_eq!(shown(undone), "undone     app, back to generation 4  generation 6, after 12 ms\n");
        assert_eq!(shown(json!({"outcome": "refused", "applied": []})), "");
    }
}
