//! `rekindle diff`: what runs against what is on disk, or one revision against another.

use serde_json::{Value, json};

use super::args::DiffArgs;
use super::{list, show, target::Target, text};
use crate::output;
use crate::render::{BAD, BOLD, DIM, GOOD, changes};
use crate::snippet::{self, Problem};
use crate::stop::Stop;
use crate::text::printable;

/// Where the changes of a configuration begin.
const INDENT: usize = 2;

/// Shows what differs.
///
/// # Errors
///
/// [`Stop::Failed`] when anything does, [`Stop::NotRunning`] when there is nothing to compare the disk with.
pub(super) async fn run(args: &DiffArgs) -> Result<(), Stop> {
    let request = json!({"cmd": "diff", "config_name": args.config, "revisions": args.revisions});
    let mut target = match args.revisions {
        Some(_) => Target::any(&args.at).await?,
        None => Target::program(&args.at).await?,
    };
    let answer = target.ask(request).await?;
    let configs = list(&answer["configs"]);
    show(args.at.json, &answer, || configs.iter().map(|config| report(config, &target)).collect())?;
    let differs = configs.iter().any(|config| config["in_sync"] != true);
    if differs { Err(Stop::Failed) } else { Ok(()) }
}

fn report(config: &Value, target: &Target) -> String {
    let name = printable(text(&config["config_name"])).into_owned();
    let sides = match list(&config["revisions"]) {
        [from, to] => format!("revision {from} -> revision {to}"),
        _ => "running -> on disk".to_owned(),
    };
    if let Some(error) = config.get("error") {
        let problems = Problem::all(error, &target.root);
        return format!("{BAD}invalid{BAD:#}  {BOLD}{name}{BOLD:#}\n\n")
            + &snippet::show(&problems, &target.root, output::width())
            + "\n";
    }
    if config["in_sync"] == true {
        return format!("{GOOD}same{GOOD:#}     {BOLD}{name}{BOLD:#}\n");
    }
    let rows = list(&config["changes"]).iter().map(|change| {
        (text(&change["pointer"]).to_owned(), change.get("from").cloned(), change.get("to").cloned())
    });
    format!("{BAD}differs{BAD:#}  {BOLD}{name}{BOLD:#}  {DIM}{sides}{DIM:#}\n")
        + &changes(rows.collect(), INDENT, output::width())
}
