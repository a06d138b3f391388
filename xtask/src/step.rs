//! One thing to do: a command, or a check made by xtask itself.

use std::fmt;

use crate::cmd::Cmd;
use crate::error::Result;
use crate::style::Style;

pub(crate) struct Step {
    name: String,
    action: Action,
}

enum Action {
    Command(Cmd),
    /// Returns what it found, in a few words.
    Check(Box<dyn FnOnce(Style) -> Result<String>>),
}

impl Step {
    pub(crate) fn command(name: impl Into<String>, cmd: Cmd) -> Self {
        Self { name: name.into(), action: Action::Command(cmd) }
    }

    pub(crate) fn check(
        name: impl Into<String>,
        check: impl FnOnce(Style) -> Result<String> + 'static,
    ) -> Self {
        Self { name: name.into(), action: Action::Check(Box::new(check)) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn run(self, style: Style) -> Result<()> {
        match self.action {
            Action::Command(cmd) => announced(&cmd, style),
            Action::Check(check) => {
                let found = check(style)?;
                eprintln!("{found}");
                Ok(())
            }
        }
    }
}

/// Runs a command after showing it.
pub(crate) fn announced(cmd: &Cmd, style: Style) -> Result<()> {
    eprintln!("{}", style.dim(format_args!("$ {cmd}")));
    cmd.run()
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.action {
            Action::Command(cmd) => write!(f, "{}: {cmd}", self.name),
            Action::Check(_) => write!(f, "{}: (a check)", self.name),
        }
    }
}
