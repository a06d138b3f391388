//! The commands: one file each, listed in [`ALL`].

mod browser;
mod ci;
mod fuzz;
mod nightly;
mod soak;
mod test;

use crate::error::{Error, Result};
use crate::options;

struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<()>,
}

const ALL: &[Command] = &[
    Command {
        name: "browser",
        about: "Set up a browser, then run the tests in it: browser [TEST]..., as `morph` or `overlay`",
        run: browser::run,
    },
    Command {
        name: "ci",
        about: "All that must hold before a change is merged; runs `test` too",
        run: ci::run,
    },
    Command {
        name: "fuzz",
        about: "Search with cargo-fuzz for inputs that break the pure stages: fuzz [TARGET] [SECONDS]",
        run: fuzz::run,
    },
    Command { name: "help", about: "This text", run: |args| options::none(args).map(|()| help()) },
    Command {
        name: "nightly",
        about: "The model test with 10,000 sequences, the chaos test with 10,000 changes and 200 kills",
        run: nightly::run,
    },
    Command {
        name: "soak",
        about: "Mixed edits at 50 a second, for 30 minutes or as many as are given; what must not grow",
        run: soak::run,
    },
    Command {
        name: "test",
        about: "Set up what the tests need, then run every test there is",
        run: test::run,
    },
];

pub(crate) fn run(name: &str, args: &[String]) -> Result<()> {
    match ALL.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(args),
        None => Err(Error::new(format!("unknown command `{name}`; there are {}", names()))),
    }
}

/// Asked for, so it goes to stdout.
pub(crate) fn help() {
    println!("{}", help_text());
}

fn names() -> String {
    ALL.iter().map(|command| command.name).collect::<Vec<_>>().join(", ")
}

fn help_text() -> String {
    let width = ALL.iter().map(|command| command.name.len()).max().unwrap_or(0);
    let commands: Vec<String> =
        ALL.iter().map(|command| format!("  {:width$}  {}", command.name, command.about)).collect();
    format!(
        "Usage: cargo xtask COMMAND [OPTIONS]\n\nCommands:\n{}\n\n\
         Options of `test`, `ci` and `browser`:\n  --no-setup  Install no system packages (also: {}=1);\n{:14}\
         tests that need a missing one fail, none is skipped\n\n\
         Colours: on a terminal only, and not when NO_COLOR is set.",
        commands.join("\n"),
        options::NO_SETUP,
        "",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_knows_every_command() {
        let text = help_text();
        assert!(ALL.iter().all(|command| text.contains(&format!("\n  {}", command.name))), "{text}");
        assert!(ALL.is_sorted_by_key(|command| command.name));
    }

    #[test]
    fn an_unknown_command_is_told_of_the_known_ones() {
        let error = run("tset", &[]).unwrap_err().to_string();
        assert_eq!(error, "unknown command `tset`; there are browser, ci, fuzz, help, nightly, soak, test");
    }
}
