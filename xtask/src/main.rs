//! The chores of this repository, run as `cargo xtask COMMAND`.
//!
//! A command is one file in `commands/` and one line in `commands::ALL`. What a command does is a list of
//! [`step::Step`]s; [`runner`] runs them, tells what it runs, and stops at the first that fails.

mod cmd;
mod commands;
mod error;
mod facts;
mod metadata;
mod options;
mod root;
mod runner;
mod setup;
mod step;
mod style;
mod summary;

use std::process::ExitCode;

use error::Result;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{} {error}", style::Style::detect().red("error:"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<()> {
    if args.is_empty() || args.iter().any(|arg| is_help(arg)) {
        commands::help();
        return Ok(());
    }
    commands::run(&args[0], &args[1..])
}

fn is_help(arg: &str) -> bool {
    matches!(arg, "-h" | "--help")
}
