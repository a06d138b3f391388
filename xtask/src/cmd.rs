//! A command line that can be shown before it is run, in a form that can be pasted into a shell.

use std::fmt;
use std::process::{Command, ExitStatus, Output, Stdio};

use crate::error::{Error, Result};
use crate::root::root;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cmd {
    program: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl Cmd {
    /// `line` is split at white space: for words that are fixed. Others go through [`Cmd::arg`].
    pub(crate) fn new(line: &str) -> Self {
        let mut words = line.split_whitespace().map(str::to_owned);
        Self { program: words.next().unwrap_or_default(), args: words.collect(), env: Vec::new() }
    }

    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.args.extend(args.into_iter().map(str::to_owned));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Runs it in the workspace's root; its output goes where ours goes.
    ///
    /// There is no stdin, so that a run from a terminal and a run in CI are the same run. The process group stays
    /// ours: Ctrl-C reaches the command along with xtask.
    pub(crate) fn run(&self) -> Result<()> {
        let status = self.command().status().map_err(|error| self.not_started(&error))?;
        if status.success() { Ok(()) } else { Err(self.failed(status)) }
    }

    /// Runs it quietly and returns its stdout; its stderr is part of the error when it fails.
    pub(crate) fn read(&self) -> Result<String> {
        let output = self.output()?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(Error::new(format!("{}\n{}", self.failed(output.status), stderr.trim_end())));
        }
        String::from_utf8(output.stdout)
            .map_err(|_| Error::new(format!("`{self}` printed something not UTF-8")))
    }

    fn output(&self) -> Result<Output> {
        self.command().output().map_err(|error| self.not_started(&error))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(root()).stdin(Stdio::null());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    fn not_started(&self, error: &std::io::Error) -> Error {
        Error::new(format!("`{}` cannot be started: {error} (wanted: {self})", self.program))
    }

    fn failed(&self, status: ExitStatus) -> Error {
        Error::new(format!("command failed with {status}: {self}"))
    }
}

impl fmt::Display for Cmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str(&quoted(&self.program))?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

fn quoted(word: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(bare) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_a_shell_would_take() {
        let cmd = Cmd::new("cargo doc  --no-deps").arg("it's").env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(cmd.to_string(), r"RUSTDOCFLAGS='-D warnings' cargo doc --no-deps 'it'\''s'");
        assert_eq!(Cmd::new("true").arg("").to_string(), "true ''");
    }

    #[test]
    fn an_error_names_the_program_that_is_not_there() {
        let error = Cmd::new("no-such-program-anywhere --flag").run().unwrap_err().to_string();
        assert!(error.starts_with("`no-such-program-anywhere` cannot be started:"), "{error}");
        assert!(error.ends_with("(wanted: no-such-program-anywhere --flag)"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn an_error_names_the_command_that_failed() {
        let error = Cmd::new("sh -c").arg("exit 3").run().unwrap_err().to_string();
        assert_eq!(error, "command failed with exit status: 3: sh -c 'exit 3'");
    }

    #[cfg(unix)]
    #[test]
    fn reading_keeps_what_was_said_on_stderr() {
        let error = Cmd::new("sh -c").arg("echo why >&2; exit 1").read().unwrap_err().to_string();
        assert!(error.ends_with("\nwhy"), "{error}");
        assert_eq!(Cmd::new("echo yes").read().as_deref(), Ok("yes\n"));
    }
}
