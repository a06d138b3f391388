//! What a running program can be asked for on the command line. Declarations, and what they say together.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::help;

/// The commands that ask a running program.
#[derive(Debug, Subcommand)]
pub(crate) enum Asked {
    /// Show how a running program is: its configurations, what is wrong with them, its last reload.
    #[command(after_help = help::STATUS)]
    Status(StatusArgs),
    /// Print the value in use, of one field or of all.
    #[command(after_help = help::GET)]
    Get(PlaceArgs),
    /// Change a value in the file that sets it, if the result is good, and apply it.
    #[command(after_help = help::SET)]
    Set(SetArgs),
    /// Show for each value which file, line and column it is from, and what it overrode.
    #[command(after_help = help::EXPLAIN)]
    Explain(PlaceArgs),
    /// Show what differs between what runs and what is on disk, or between two revisions.
    #[command(after_help = help::DIFF)]
    Diff(DiffArgs),
    /// List the revisions that are kept, and what became of each.
    #[command(after_help = help::HISTORY)]
    History(HistoryArgs),
    /// Bring a revision back: its files, byte for byte, if they are still good, and apply it.
    #[command(after_help = help::RESTORE)]
    Restore(RestoreArgs),
    /// Have a running program look at all its files now, and show what came of it.
    #[command(after_help = help::RELOAD)]
    Reload(StatusArgs),
    /// Print the JSON Schema that a running program exports, or write it to config/CONFIG.schema.json.
    #[command(after_help = help::SCHEMA)]
    Schema(SchemaArgs),
}

/// Whom to ask, and how to answer.
#[derive(Debug, Clone, Args)]
pub(crate) struct Where {
    /// The directory that holds config/.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) dir: PathBuf,
    /// The program's control socket [default: data/rekindle/control.sock below DIR]
    #[arg(long, value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
    /// The environment whose layer applies, where no program runs that has one. Default: the first of
    /// WORKSPACE_ENV, APP_ENV, ENVIRONMENT and ENV that is set, else development.
    #[arg(long, value_name = "NAME")]
    pub(super) env: Option<String>,
    /// Print the answer as one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

/// Of `rekindle status` and `rekindle reload`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The directory that holds config/.
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// The program's control socket [default: data/rekindle/control.sock below DIR]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Print the answer as one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

impl From<&StatusArgs> for Where {
    fn from(args: &StatusArgs) -> Self {
        Self { dir: args.dir.clone(), socket: args.socket.clone(), env: None, json: args.json }
    }
}

/// Of `rekindle get` and `rekindle explain`.
#[derive(Debug, Args)]
pub(crate) struct PlaceArgs {
    /// The configuration: app for config/app.toml. All of them if left out.
    #[arg(value_name = "CONFIG")]
    config: Option<String>,
    /// The value, as a JSON pointer: /server/port. The whole if left out.
    #[arg(value_name = "POINTER")]
    pointer: Option<String>,
    /// Of what a fleet is to use, from its store: sqlite:PATH, etcd:HOST:PORT/PREFIX or nats: alike.
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["dir", "socket", "env"])]
    pub(super) store: Option<String>,
    #[command(flatten)]
    pub(super) at: Where,
}

impl PlaceArgs {
    /// The configuration, if one is named, and the pointer. No configuration's name begins with a slash.
    pub(super) fn place(&self) -> (Option<&str>, &str) {
        match (self.config.as_deref(), self.pointer.as_deref()) {
            (Some(pointer), None) if pointer.starts_with('/') => (None, pointer),
            (config, pointer) => (config, pointer.unwrap_or_default()),
        }
    }
}

/// Of `rekindle set`.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The configuration: app for config/app.toml.
    #[arg(value_name = "CONFIG")]
    pub(super) config: String,
    /// The value, as a JSON pointer: /server/port.
    #[arg(value_name = "POINTER", required_unless_present = "merge")]
    pub(super) pointer: Option<String>,
    /// What it is to be: JSON if it can be read as any, else a text.
    #[arg(
        value_name = "VALUE",
        required_unless_present_any = ["merge", "remove"],
        allow_hyphen_values = true
    )]
    pub(super) value: Option<String>,
    /// Change several values by a JSON merge patch (RFC 7396): null removes.
    #[arg(long, value_name = "JSON", conflicts_with_all = ["pointer", "value", "remove"])]
    pub(super) merge: Option<String>,
    /// Remove the value.
    #[arg(long, conflicts_with = "value")]
    pub(super) remove: bool,
    /// Only if the configuration has not changed since this generation.
    #[arg(long, value_name = "GENERATION")]
    pub(super) expect: Option<u64>,
    #[command(flatten)]
    pub(super) at: Where,
}

/// Of `rekindle diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The configuration: app for config/app.toml. All of them if left out.
    #[arg(value_name = "CONFIG")]
    pub(super) config: Option<String>,
    /// Two revisions of its history, instead of what runs and what is on disk.
    #[arg(long, num_args = 2, value_names = ["A", "B"], requires = "config")]
    pub(super) revisions: Option<Vec<u64>>,
    #[command(flatten)]
    pub(super) at: Where,
}

/// Of `rekindle history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// The configuration: app for config/app.toml. All of them if left out.
    #[arg(value_name = "CONFIG")]
    pub(super) config: Option<String>,
    #[command(flatten)]
    pub(super) at: Where,
}

/// Of `rekindle restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The configuration: app for config/app.toml.
    #[arg(value_name = "CONFIG")]
    pub(super) config: String,
    /// The revision, as `rekindle history` numbers them.
    #[arg(value_name = "REVISION")]
    pub(super) revision: u64,
    #[command(flatten)]
    pub(super) at: Where,
}

/// Of `rekindle schema`.
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// The configuration: app for config/app.toml.
    #[arg(value_name = "CONFIG")]
    pub(super) config: String,
    /// Write it to config/CONFIG.schema.json, where changes are held against it.
    #[arg(long)]
    pub(super) write: bool,
    #[command(flatten)]
    pub(super) at: Where,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn parsed(words: &[&str]) -> Result<Asked, String> {
        let words = std::iter::once("rekindle").chain(words.iter().copied());
        match Cli::try_parse_from(words).map(|cli| cli.command) {
            Ok(Command::Asked(asked)) => Ok(asked),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_pointer_may_stand_alone() {
        let place = |words: &[&str]| match parsed(words) {
            Ok(Asked::Get(args)) => {
                let (config, pointer) = args.place();
                (config.map(str::to_owned), pointer.to_owned())
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(place(&["get"]), (None, String::new()));
        assert_eq!(place(&["get", "app"]), (Some("app".into()), String::new()));
        assert_eq!(place(&["get", "/a/b"]), (None, "/a/b".into()));
        assert_eq!(place(&["get", "app", "/a"]), (Some("app".into()), "/a".into()));
    }

    #[test]
    fn a_change_is_a_value_or_a_patch_or_a_removal() {
        for words in [
            &["set", "app", "/a", "-1"] as &[_],
            &["set", "app", "/a", "1", "--expect", "3"],
            &["set", "app", "/a", "--remove"],
            &["set", "app", "--merge", "{}"],
        ] {
            assert!(parsed(words).is_ok(), "{words:?}: {:?}", parsed(words));
        }
        for words in [
            &["set", "app"] as &[_],
            &["set", "app", "/a"],
            &["set", "app", "/a", "1", "--remove"],
            &["set", "app", "/a", "--merge", "{}"],
            &["diff", "--revisions", "1", "2"],
            &["diff", "app", "--revisions", "1"],
        ] {
            assert!(parsed(words).is_err(), "{words:?}");
        }
    }
}
