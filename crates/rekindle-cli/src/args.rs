//! What can be asked for on the command line, and what its help says.
//!
//! Declarations only; the conversions into what the library takes are at the end.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use rekindle::{HotReload, HotReloadBuilder};

use crate::cluster::{EditArgs, LogArgs, PublishArgs, PullArgs, RolloutArgs, SyncArgs};
use crate::control::Asked;
use crate::dev::DevArgs;
use crate::help;
use crate::new::NewArgs;

/// Hot reload for Rust programs: see it in the browser, watch, check and demonstrate it.
#[derive(Debug, Parser)]
#[command(name = "rekindle", version, after_help = help::REKINDLE, max_term_width = 110)]
pub(crate) struct Cli {
    /// When to colour the output; NO_COLOR is honoured.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show each reload as it happens: what changed field by field, and how long it took.
    #[command(after_help = help::WATCH)]
    Watch(WatchArgs),
    /// Load and validate every configuration as a start of the program would.
    #[command(after_help = help::CHECK)]
    Check(CheckArgs),
    /// Show a directory's pages in the browser, and in them each save as it happens.
    #[command(after_help = help::DEV)]
    Dev(DevArgs),
    /// Write a small site to begin with, for `rekindle dev`.
    #[command(after_help = help::NEW)]
    New(NewArgs),
    /// Edit a small project in a temporary directory and its server: what is seen of it.
    #[command(after_help = help::DEMO)]
    Demo(DemoArgs),
    /// Those that ask a running program.
    #[command(flatten)]
    Asked(Asked),
    /// Make a directory of configurations what all instances of a fleet use, once all accept it.
    #[command(after_help = help::PUBLISH)]
    Publish(PublishArgs),
    /// Write the configurations that all instances of a fleet are to use into a directory.
    #[command(after_help = help::PULL)]
    Pull(PullArgs),
    /// Change a configuration that all instances of a fleet use, in an editor.
    #[command(after_help = help::EDIT)]
    Edit(EditArgs),
    /// List what was ever published to a fleet.
    #[command(after_help = help::LOG)]
    Log(LogArgs),
    /// Make a directory and what a fleet uses the same, whichever of the two has changed.
    #[command(after_help = help::SYNC)]
    Sync(SyncArgs),
    /// Bring configurations to a fleet step by step, and see how it goes.
    #[command(after_help = help::ROLLOUT)]
    Rollout(RolloutArgs),
    /// Print a shell's completion script.
    #[command(after_help = help::COMPLETIONS)]
    Completions(CompletionsArgs),
}

/// Of `rekindle watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The directory that holds config/, templates/ and so on.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Show a live screen of the configurations, the last reloads and how long they took.
    #[arg(long, conflicts_with = "json")]
    pub(crate) tui: bool,
    /// Look at the files every MS milliseconds (at least 10, 500 if left out) instead of asking the system.
    #[arg(long, value_name = "MS", num_args = 0..=1, default_missing_value = "500", value_parser = milliseconds)]
    pub(crate) poll: Option<Duration>,
    /// The environment whose layer applies. Default: the first of WORKSPACE_ENV, APP_ENV, ENVIRONMENT
    /// and ENV that is set, else development.
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// The longest that an unfinished save is waited for, in milliseconds [default: 500]
    #[arg(long, value_name = "MS", value_parser = milliseconds)]
    pub(crate) debounce: Option<Duration>,
    /// How long after a finished write others are waited for, in milliseconds [default: 2]
    #[arg(long, value_name = "MS", value_parser = milliseconds)]
    pub(crate) settle: Option<Duration>,
    /// Watch these files instead of the default ones: a glob relative to DIR, repeatable.
    #[arg(long, value_name = "GLOB")]
    pub(crate) watch: Vec<String>,
    /// Leave these files out instead of the default ones: a glob relative to DIR, repeatable.
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Keep the bytes that a change replaces, below data/backups/configs.
    #[arg(long)]
    pub(crate) backup: bool,
}

/// Of `rekindle check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The directory that holds config/.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
    /// The environment whose layer applies. Default: the first of WORKSPACE_ENV, APP_ENV, ENVIRONMENT
    /// and ENV that is set, else development.
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Print one JSON object per configuration, and one that sums up.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Of `rekindle demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Leave the project's directory there, and go on watching it.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Show a fleet instead: five processes and their store, through three rollouts.
    #[arg(long, conflicts_with = "keep")]
    pub(crate) cluster: bool,
    /// Be one of those five, in this directory.
    #[arg(long, hide = true, value_name = "DIR")]
    pub(crate) instance: Option<PathBuf>,
}

/// Of `rekindle completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    pub(crate) shell: Shell,
}

/// When to colour. Comments would make the help of every command twice as long.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// How many backups `--backup` keeps of a file: the library's own default.
pub(crate) const BACKUPS_KEPT: usize = 20;

impl Color {
    /// Makes it the rule of all that is printed from now on.
    pub(crate) fn apply(self) {
        let choice = match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

impl WatchArgs {
    /// What the options leave open is left to the library's defaults.
    pub(crate) fn builder(&self) -> HotReloadBuilder {
        // Who only looks leaves nothing behind.
        let mut builder = HotReload::builder(&self.dir).history(false).backup(self.backup, BACKUPS_KEPT);
        builder = builder.watch(if self.watch.is_empty() { every_format() } else { self.watch.clone() });
        if !self.exclude.is_empty() {
            builder = builder.exclude(&self.exclude);
        }
        if let Some(interval) = self.poll {
            builder = builder.poll(interval);
        }
        if let Some(environment) = &self.env {
            builder = builder.environment(environment);
        }
        if let Some(window) = self.debounce {
            builder = builder.debounce(window);
        }
        if let Some(quiet) = self.settle {
            builder = builder.settle(quiet);
        }
        builder
    }
}

/// The library's default patterns, and the configurations that a subscriber by name would get beyond them.
pub(crate) fn every_format() -> Vec<String> {
    let mut patterns = rekindle::HotReloadConfig::default().watch_patterns;
    patterns.extend(["config/**/*.yml", "config/**/*.jsonc"].map(String::from));
    patterns
}

impl CompletionsArgs {
    /// The script. Written to memory first: clap_complete panics where it cannot write.
    pub(crate) fn script(&self) -> String {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "rekindle", &mut script);
        String::from_utf8_lossy(&script).into_owned()
    }
}

pub(crate) fn milliseconds(text: &str) -> Result<Duration, String> {
    let number: Result<u64, _> = text.parse();
    number
        .map(Duration::from_millis)
        .map_err(|_| "expected a whole number of milliseconds; DIR goes before it".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declarations_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn poll_takes_a_number_or_none() {
        let poll = |words: &[&str]| match Cli::try_parse_from(words).map(|cli| cli.command) {
            Ok(Command::Watch(args)) => args.poll.map(|interval| interval.as_millis()),
            other => panic!("{other:?}"),
        };
        assert_eq!(poll(&["rekindle", "watch"]), None);
        assert_eq!(poll(&["rekindle", "watch", ".", "--poll"]), Some(500));
        assert_eq!(poll(&["rekindle", "watch", "--poll", "40", "."]), Some(40));
        let mistaken = Cli::try_parse_from(["rekindle", "watch", "--poll", "."]).expect_err("no number");
        assert!(mistaken.to_string().contains("DIR goes before it"), "{mistaken}");
    }
}
