//! `rekindle check`: a directory in, a verdict on each of its configurations out.
//!
//! It starts an engine as a program would and asks it how it is, so that nothing is judged by other
//! rules than at a real start.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::time::Duration;

use rekindle::{ConfigState, ConfigStatus, Error, ErrorKind, HotReload, HotReloadBuilder, Status};
use serde::Serialize;

use crate::args::{CheckArgs, every_format};
use crate::output;
use crate::render::{BAD, BOLD, DIM, GOOD, WARNING};
use crate::snippet;
use crate::stop::Stop;
use crate::text::{count, fill, printable, width};

/// The engine is gone before its second look.
const POLL: Duration = Duration::from_secs(3600);

/// Checks every configuration.
///
/// # Errors
///
/// What keeps the engine from starting; [`Stop::Failed`] when a configuration is not good.
pub(crate) async fn run(args: &CheckArgs) -> Result<(), Stop> {
    let manager = match builder(args).start().await {
        // A check needs no notifications, and is to work where the system has none left to give.
        Err(error) if error.kind() == ErrorKind::Watch => builder(args).poll(POLL).start().await?,
        started => started?,
    };
    let status = manager.status();
    manager.shutdown().await?;
    let shown = if args.json { json(&status)? } else { report(&status) };
    output::print(&shown)?;
    if status.is_degraded() { Err(Stop::Failed) } else { Ok(()) }
}

/// Without a history: what was only looked at has not been in use, and nothing is written into the project.
fn builder(args: &CheckArgs) -> HotReloadBuilder {
    let builder = HotReload::builder(&args.dir).watch(every_format()).history(false);
    match &args.env {
        Some(environment) => builder.environment(environment),
        None => builder,
    }
}

/// For people.
fn report(status: &Status) -> String {
    let widest = status.configs.keys().map(|name| width(&printable(name))).max().unwrap_or(0);
    let mut shown = String::new();
    for (name, config) in &status.configs {
        let name = printable(name);
        let gap = fill(&name, widest);
        let files = printable(&files(config, &status.root).join(" + ")).into_owned();
        match &config.state {
            ConfigState::Degraded(error) => {
                let problems = count(error.problems().count(), "problem");
                shown += &format!("{BAD}failed{BAD:#}  {BOLD}{name}{BOLD:#}{gap}  {problems}\n\n");
                shown += &snippet::report(error, &status.root, output::width());
                shown.push('\n');
            }
            _ => shown += &format!("{GOOD}ok{GOOD:#}      {BOLD}{name}{BOLD:#}{gap}  {files}\n"),
        }
        for (used, ignored) in &config.shadowed {
            let (used, ignored) = (relative(used, &status.root), relative(ignored, &status.root));
            let (used, ignored) = (printable(&used), printable(&ignored));
            shown += &format!("{WARNING}note{WARNING:#}    {ignored} is ignored, {used} is used instead\n");
        }
    }
    shown + &sum_up(status)
}

fn sum_up(status: &Status) -> String {
    let (all, failed) = (status.configs.len(), status.failures().count());
    let mut text = String::new();
    if let Some(reason) = &status.degraded {
        // Writing to a String cannot fail.
        let _ok = writeln!(text, "{BAD}failed{BAD:#}  {}", printable(reason));
    }
    let verdict = match (all, failed) {
        (0, _) => "There is no configuration".to_owned(),
        (1, 0) => "The configuration is good".to_owned(),
        (1, _) => "The configuration is not good".to_owned(),
        (all, 0) => format!("All {all} configurations are good"),
        (all, 1) => format!("1 of {all} configurations is not good"),
        (all, failed) => format!("{failed} of {all} configurations are not good"),
    };
    let doubt = if status.degraded.is_some() { ", as far as they could be looked at" } else { "" };
    let (environment, root) = (printable(&status.environment), status.root.to_string_lossy());
    text + &format!("{verdict}{doubt} {DIM}(environment {environment}, {}){DIM:#}\n", printable(&root))
}

/// The files a configuration was layered from; of one that is not good also those that are at fault.
fn files(config: &ConfigStatus, root: &Path) -> Vec<String> {
    let at_fault: Vec<&Path> = match &config.state {
        ConfigState::Degraded(error) => error.problems().filter_map(Error::path).collect(),
        _ => Vec::new(),
    };
    let mut files: Vec<String> = Vec::new();
    for file in config.files.iter().map(std::path::PathBuf::as_path).chain(at_fault) {
        let file = relative(file, root);
        if !files.contains(&file) {
            files.push(file);
        }
    }
    files
}

fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

/// One line of `--json`.
#[derive(Serialize)]
struct Verdict<'a> {
    config_name: &'a str,
    ok: bool,
    files: Vec<String>,
    /// Files that are not read, because another one has their layer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<String>,
    errors: Vec<Problem<'a>>,
}

#[derive(Serialize)]
struct Problem<'a> {
    path: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    message: &'a str,
    advice: Option<&'a str>,
}

/// The last line of `--json`.
#[derive(Serialize)]
struct Summary<'a> {
    ok: bool,
    configs: usize,
    failed: usize,
    environment: &'a str,
    root: String,
    /// What kept the engine from looking at everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<&'a str>,
}

/// For programs.
fn json(status: &Status) -> Result<String, io::Error> {
    let mut lines = String::new();
    for (name, config) in &status.configs {
        let problems: Vec<Problem<'_>> = match &config.state {
            ConfigState::Degraded(error) => {
                error.problems().map(|problem| describe(problem, &status.root)).collect()
            }
            _ => Vec::new(),
        };
        let ok = matches!(config.state, ConfigState::Good);
        let ignored = config.shadowed.iter().map(|(_, ignored)| relative(ignored, &status.root)).collect();
        let files = files(config, &status.root);
        let verdict = Verdict { config_name: name, ok, files, ignored, errors: problems };
        lines += &(serde_json::to_string(&verdict)? + "\n");
    }
    let summary = Summary {
        ok: !status.is_degraded(),
        configs: status.configs.len(),
        failed: status.failures().count(),
        environment: &status.environment,
        root: status.root.to_string_lossy().into_owned(),
        degraded: status.degraded.as_deref(),
    };
    Ok(lines + &serde_json::to_string(&summary)? + "\n")
}

fn describe<'a>(problem: &'a Error, root: &Path) -> Problem<'a> {
    Problem {
        path: problem.path().map(|path| relative(path, root)),
        line: problem.line(),
        column: problem.column(),
        message: problem.message(),
        advice: problem.advice(),
    }
}
