//! `cargo xtask test`: every test there is.

use crate::cmd::Cmd;
use crate::error::Result;
use crate::metadata::Metadata;
use crate::options::Options;
use crate::step::Step;
use crate::{commands, runner, setup};

pub(crate) fn run(args: &[String]) -> Result<()> {
    runner::run(steps(Options::parse(args)?, &Metadata::load()?)?)
}

pub(crate) fn steps(options: Options, metadata: &Metadata) -> Result<Vec<Step>> {
    let mut steps = vec![
        Step::check("setup", move |style| setup::run(setup::SYSTEM, options.setup, style)),
        Step::command("tests", unit_and_integration()),
        Step::command("doc tests", doc_tests()),
    ];
    steps.extend(commands::browser::steps(options, metadata, &[])?);
    Ok(steps)
}

/// Not `--all-targets`: that would run the benches, which take minutes and assert nothing.
fn unit_and_integration() -> Cmd {
    Cmd::new("cargo test --workspace --all-features --lib --bins --tests --examples")
}

/// The README's examples are among these: the library's documentation includes the README.
fn doc_tests() -> Cmd {
    Cmd::new("cargo test --workspace --all-features --doc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setup_comes_first_and_the_browser_last() {
        let metadata = Metadata::parse(r#"{"packages": [], "target_directory": "/target"}"#).unwrap();
        let steps = steps(Options { setup: true }, &metadata).unwrap();
        let names: Vec<_> = steps.iter().map(Step::name).collect();
        assert_eq!(names[..4], ["setup", "tests", "doc tests", "browser"]);
        assert_eq!(names.last(), Some(&"rekindle dev tests"));
    }

    #[test]
    fn benches_are_not_run() {
        let line = unit_and_integration().to_string();
        assert!(!line.contains("--all-targets") && !line.contains("--benches"), "{line}");
    }
}
