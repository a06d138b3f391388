//! [`Stop`]: why a command ended otherwise than well, and the exit code and words that go with it.

use std::error::Error as _;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use rekindle::ErrorKind;
use serde_json::Value;

use crate::output;
use crate::snippet::{self, Problem};

/// What was looked at is not as it should be, or the work could not be done.
const FAILED: u8 = 1;
/// The command line asks for something that is not there. The same as clap's own.
const USAGE: u8 = 2;
/// There is no program to ask.
const NOT_RUNNING: u8 = 3;
/// Broken off by a signal, as a shell counts it.
const INTERRUPTED: u8 = 130;

/// Why a command ended.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Nobody reads standard output any more. That is the reader's choice and no failure.
    Closed,
    /// What was to be looked at is not as it should be; all is said already.
    Failed,
    /// A signal broke off what had not come to its end.
    Interrupted,
    /// The command line asks for what makes no sense.
    Usage(String),
    /// No program listens that could be asked; what to do about it.
    NotRunning(String),
    /// Whoever was asked said that it cannot be done; what is left to say, if anything.
    Told {
        /// Whether another command line would mend it.
        is_usage: bool,
        report: Option<String>,
    },
    /// What was asked for needs a terminal, and there is none.
    NoTerminal,
    /// The library refused or failed.
    Engine(rekindle::Error),
    /// The store of a fleet refused or failed.
    Cluster(rekindle_cluster::Error),
    /// The operating system refused or failed.
    Io(io::Error),
}

impl Stop {
    /// The exit code: see the table in `--help`.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Closed => ExitCode::SUCCESS,
            Self::NoTerminal => ExitCode::from(USAGE),
            Self::Engine(error) if is_usage(error.kind()) => ExitCode::from(USAGE),
            Self::Usage(_) | Self::Told { is_usage: true, .. } => ExitCode::from(USAGE),
            Self::NotRunning(_) => ExitCode::from(NOT_RUNNING),
            Self::Failed | Self::Told { .. } | Self::Engine(_) | Self::Cluster(_) | Self::Io(_) => {
                ExitCode::from(FAILED)
            }
            Self::Interrupted => ExitCode::from(INTERRUPTED),
        }
    }

    /// That an error was told in an answer. With `json` it is printed as it came, and nothing is left to say.
    pub(crate) fn told(error: &Value, root: &Path, json: bool) -> Self {
        let report = (!json).then(|| snippet::show(&Problem::all(error, root), root, output::width()));
        Self::Told { is_usage: is_told_usage(&error["kind"]), report }
    }

    /// What is left to say, with styles in, where that is more than a line.
    pub(crate) fn report(&self) -> Option<&str> {
        match self {
            Self::Told { report, .. } => report.as_deref(),
            _ => None,
        }
    }

    /// What is left to say in a line.
    pub(crate) fn message(&self) -> Option<String> {
        match self {
            Self::Closed | Self::Failed | Self::Interrupted | Self::Told { .. } => None,
            Self::Usage(why) | Self::NotRunning(why) => Some(why.clone()),
            Self::NoTerminal => Some(
                "--tui needs a terminal for its keys and its screen; without it, changes are told line by line"
                    .to_owned(),
            ),
            Self::Engine(error) => Some(with_cause(error)),
            Self::Cluster(error) => Some(error.to_string()),
            Self::Io(error) => Some(error.to_string()),
        }
    }
}

/// Whether another command line would mend an error that was told.
fn is_told_usage(kind: &Value) -> bool {
    matches!(kind.as_str(), Some("root" | "pattern" | "name" | "request"))
}

/// Whether another command line would mend it.
fn is_usage(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Root | ErrorKind::Pattern | ErrorKind::Name)
}

/// The error, and its cause where the error does not say it itself.
fn with_cause(error: &rekindle::Error) -> String {
    let said = match (error.kind(), error.path()) {
        // Its advice is meant for programs that use the library.
        (ErrorKind::Root, Some(root)) => format!("{}: {}", root.display(), error.message()),
        _ => error.to_string(),
    };
    match error.source().map(ToString::to_string) {
        Some(cause) if !said.contains(&cause) => format!("{said}: {cause}"),
        _ => said,
    }
}

impl From<rekindle::Error> for Stop {
    fn from(error: rekindle::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Io(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_no_failure_and_a_bad_pattern_a_usage_error() {
        let cases = [
            (Stop::from(io::Error::from(io::ErrorKind::BrokenPipe)), ExitCode::SUCCESS),
            (Stop::from(io::Error::from(io::ErrorKind::NotFound)), ExitCode::from(FAILED)),
            (Stop::from(rekindle::Error::new(ErrorKind::Pattern, "bad")), ExitCode::from(USAGE)),
            (Stop::from(rekindle::Error::new(ErrorKind::Watch, "none")), ExitCode::from(FAILED)),
        ];
        for (stop, code) in cases {
            assert_eq!(format!("{:?}", stop.exit_code()), format!("{code:?}"), "{stop:?}");
        }
    }
}
