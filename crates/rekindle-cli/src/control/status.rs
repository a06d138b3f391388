//! `rekindle status`: how a running program is.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::args::{StatusArgs, Where};
use super::table::{Cell, cell, lines};
use super::{clock, list, receipt, show, target::Target, text};
use crate::output;
use crate::render::{BAD, BOLD, DIM, GOOD, WARNING};
use crate::snippet::{self, Problem};
use crate::stop::Stop;
use crate::text::{count, milliseconds, printable};

const PLAIN: anstyle::Style = anstyle::Style::new();

/// Shows how it is.
///
/// # Errors
///
/// [`Stop::Failed`] when it is not well, [`Stop::NotRunning`] when there is no program.
pub(super) async fn run(args: &StatusArgs) -> Result<(), Stop> {
    let mut target = Target::program(&Where::from(args)).await?;
    let answer = target.ask(json!({"cmd": "status"})).await?;
    let status = &answer["status"];
    show(args.json, &answer, || report(status, &target, output::width()))?;
    let configs = status["configs"].as_object().into_iter().flatten();
    let is_well =
        status["degraded"].is_null() && configs.clone().all(|(_, config)| config["state"] == "good");
    if is_well { Ok(()) } else { Err(Stop::Failed) }
}

fn report(status: &Value, target: &Target, terminal: Option<usize>) -> String {
    let empty = serde_json::Map::new();
    let configs = status["configs"].as_object().unwrap_or(&empty);
    let rows: Vec<Vec<Cell>> = configs.iter().flat_map(|(name, config)| rows(name, config)).collect();
    let faults = configs.values().filter_map(|config| config.get("error").filter(|error| !error.is_null()));
    let faults = faults.map(|error| {
        let problems = Problem::all(error, &target.root);
        "\n".to_owned() + &snippet::show(&problems, &target.root, terminal)
    });
    head(status)
        + &lines(&rows, 0, terminal)
        + &last(&status["last_reload"])
        + &durations(&status["durations_us"], terminal)
        + &faults.collect::<String>()
}

/// The program, its counters, and what is wrong with it as a whole.
fn head(status: &Value) -> String {
    let (environment, root) = (printable(text(&status["environment"])), printable(text(&status["root"])));
    let mut head = format!(
        "{BOLD}generation {}{BOLD:#}  {DIM}process {}, environment {environment}, {root}{DIM:#}\n",
        status["generation"], status["pid"]
    );
    let number = |field: &str| usize::try_from(status[field].as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
    // Writing to a String cannot fail.
    let _ok = writeln!(
        head,
        "{DIM}{}, {} refused, {} undone, {}{DIM:#}",
        count(number("reloads"), "reload"),
        number("refused"),
        number("rollbacks"),
        count(number("handler_failures"), "failed handler call"),
    );
    for field in ["degraded", "history_failure"] {
        if let Some(reason) = status[field].as_str() {
            let _ok = writeln!(head, "{BAD}degraded{BAD:#}  {}", printable(reason));
        }
    }
    head
}

/// A configuration, and below it the fields that wait for a restart.
fn rows(name: &str, config: &Value) -> Vec<Vec<Cell>> {
    let files: Vec<&str> = list(&config["files"]).iter().map(text).collect();
    let style = match text(&config["drift"]) {
        "in sync" => GOOD,
        "held for a restart" => WARNING,
        _ => BAD,
    };
    let generation =
        config["generation"].as_u64().map_or_else(|| "no value".to_owned(), |n| format!("generation {n}"));
    let first = vec![
        cell(style, text(&config["drift"])),
        cell(BOLD, name),
        cell(PLAIN, &generation),
        cell(DIM, &files.join(" + ")),
    ];
    let pending = list(&config["pending"]).iter().map(|field| {
        let side = |side: &str| field.get(side).map_or_else(|| "(none)".to_owned(), Value::to_string);
        let values = format!("{} -> {} after a restart", side("running"), side("on_disk"));
        vec![cell(PLAIN, ""), cell(PLAIN, text(&field["pointer"])), cell(WARNING, &values)]
    });
    std::iter::once(first).chain(pending).collect()
}

/// How long the stages took, if there was any reload: what is usual, what is rare, the longest.
fn durations(stages: &Value, terminal: Option<usize>) -> String {
    const FIGURES: [&str; 4] = ["p50", "p90", "p99", "max"];
    const STAGES: [&str; 7] = ["settle", "load", "validate", "prepare", "commit", "notify", "total"];
    let took = STAGES.iter().filter(|stage| stages[**stage]["count"].as_u64().is_some_and(|count| count > 0));
    let rows = took.map(|stage| {
        let figure = |figure: &&str| {
            let took = Duration::from_micros(stages[*stage][*figure].as_u64().unwrap_or(0));
            cell(PLAIN, &milliseconds(took))
        };
        std::iter::once(cell(DIM, stage)).chain(FIGURES.iter().map(figure)).collect()
    });
    let head: Vec<Cell> = std::iter::once("stage").chain(FIGURES).map(|name| cell(DIM, name)).collect();
    let rows: Vec<Vec<Cell>> = std::iter::once(head).chain(rows).collect();
    if rows.len() > 1 { lines(&rows, 0, terminal) } else { String::new() }
}

/// The last reload, if there was one.
fn last(last: &Value) -> String {
    if last.is_null() {
        return String::new();
    }
    let trigger = printable(text(&last["trigger"])).into_owned();
    let what = match receipt::line(last) {
        line if line.is_empty() => format!("{BAD}refused{BAD:#}\n"),
        line => line,
    };
    format!("{DIM}last reload, {}, by {trigger}:{DIM:#} {what}", clock(&last["at"]))
}
