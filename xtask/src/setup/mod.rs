//! What the tests need of the system: editors as people use them, a terminal to run them in, the programs that change
//! files otherwise, and a browser.
//!
//! What is missing is installed, or the run ends here and says what to install. Nothing is skipped on the quiet.

mod apt;
mod tools;

use crate::error::{Error, Result};
use crate::options::NO_SETUP;
use crate::style::Style;

use apt::Apt;
use tools::Tool;

/// What the tests of the crates need.
pub(crate) const SYSTEM: &[&[Tool]] = &[tools::SYSTEM];

/// What the tests in a browser need.
pub(crate) const BROWSER: &[&[Tool]] = &[tools::BROWSER, tools::NPM];

/// Installs what is missing of `groups`, one after the other, when `install` allows it. Returns what was found or
/// done, in a few words.
pub(crate) fn run(groups: &[&[Tool]], install: bool, style: Style) -> Result<String> {
    let all = groups.concat();
    let missing = tools::missing(&all);
    if missing.is_empty() {
        return Ok(format!("all there: {}", packages(&all)));
    }
    if !install {
        return Ok(format!(
            "missing, and not installed: {}; tests that need them will fail",
            packages(&missing)
        ));
    }
    let apt = Apt::detect().map_err(|why| by_hand(&why, &missing))?;
    groups.iter().try_for_each(|group| install_group(&apt, group, style))?;
    confirm(&all, &missing)
}

fn install_group(apt: &Apt, group: &[Tool], style: Style) -> Result<()> {
    let names: Vec<&str> = tools::missing(group).iter().map(|tool| tool.package).collect();
    if names.is_empty() { Ok(()) } else { apt.install(&names, style) }
}

fn confirm(all: &[Tool], installed: &[Tool]) -> Result<String> {
    match tools::missing(all).as_slice() {
        [] => Ok(format!("installed: {}", packages(installed))),
        still => Err(Error::new(format!(
            "installed, but still not usable: {}. Does something else come first in PATH?",
            packages(still)
        ))),
    }
}

fn by_hand(why: &Error, missing: &[Tool]) -> Error {
    Error::new(format!(
        "the tests need system packages that are missing: {}\n{why}. Install them (on Debian: apt-get install {}), \
         or go on without: --no-setup or {NO_SETUP}=1. Tests that need them will then fail.",
        packages(missing),
        missing.iter().map(|tool| tool.package).collect::<Vec<_>>().join(" "),
    ))
}

fn packages(tools: &[Tool]) -> String {
    tools.iter().map(|tool| tool.package).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_by_hand_names_exactly_what_is_missing() {
        let missing: Vec<Tool> = tools::SYSTEM.iter().copied().take(2).collect();
        let error = by_hand(&Error::new("There is no apt-get here"), &missing).to_string();
        assert!(error.contains("missing: vim, nano\n"), "{error}");
        assert!(error.contains("There is no apt-get here. Install them"), "{error}");
        assert!(error.contains("apt-get install vim nano)"), "{error}");
        assert!(error.contains("--no-setup"), "{error}");
    }
}
