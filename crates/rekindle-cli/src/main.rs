//! The command line of rekindle: arguments in, an exit code out.
//!
//! [`args`] and [`help`] say what can be asked for; `watch`, `check`, `dev`, `new` and `demo` do it, and [`control`] those
//! commands that ask a running program; [`cluster`] has those that change a fleet by way of its store. They share [`record`]
//! (an event as it is told), [`render`] and the JSON of its serialization (the two forms of it),
//! [`snippet`] (a problem beside the lines it is in) and [`output`] (the only place that prints). [`tui`] is the
//! live screen of `watch`, which it draws itself.

mod args;
mod check;
mod cluster;
mod control;
mod demo;
mod dev;
mod help;
mod new;
mod output;
mod record;
mod render;
mod signals;
mod snippet;
mod stop;
mod text;
mod tui;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use stop::Stop;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(said) => {
            // Help that nobody reads any more is no failure.
            let _closed = said.print();
            return u8::try_from(said.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    cli.color.apply();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            if let Some(report) = stop.report() {
                output::explain(report);
            }
            if let Some(message) = stop.message() {
                output::complain(&message);
            }
            stop.exit_code()
        }
    }
}

fn run(command: Command) -> Result<(), Stop> {
    let runtime = runtime(&command)?;
    let result = runtime.block_on(async {
        match command {
            Command::Watch(args) => watch::run(&args).await,
            Command::Check(args) => check::run(&args).await,
            Command::Dev(args) => dev::run(&args).await,
            Command::New(args) => new::run(&args),
            Command::Demo(args) => demo::run(&args).await,
            Command::Completions(args) => output::print(&args.script()),
            Command::Asked(asked) => control::run(&asked).await,
            Command::Publish(args) => cluster::publish(&args).await,
            Command::Pull(args) => cluster::pull(&args).await,
            Command::Edit(args) => cluster::edit(&args).await,
            Command::Log(args) => cluster::log(&args).await,
            Command::Sync(args) => cluster::sync(&args).await,
            Command::Rollout(args) => cluster::rollout(&args).await,
        }
    });
    // A line that a stuck reader does not take must not hold the end.
    runtime.shutdown_background();
    result
}

/// A page that takes long to render is not to hold up the others; nothing else here is worth a second thread.
fn runtime(command: &Command) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = match command {
        Command::Dev(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().build()
}
