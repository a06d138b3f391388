//! `cargo xtask test`: every test there is.

use crate::cmd::Cmd;
use crate::error::Result;
use crate::options::Options;
use crate::step::Step;
use crate::{runner, setup};

pub(crate) fn run(args: &[String]) -> Result<()> {
    runner::run(steps(Options::parse(args)?))
}

pub(crate) fn steps(options: Options) -> Vec<Step> {
    vec![
        Step::check("setup", move |style| setup::run(options.setup, style)),
        Step::command("tests", unit_and_integration()),
        Step::command("doc tests", doc_tests()),
    ]
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
    fn setup_comes_first() {
        let steps = steps(Options { setup: true });
        assert_eq!(steps.iter().map(Step::name).collect::<Vec<_>>(), ["setup", "tests", "doc tests"]);
    }

    #[test]
    fn benches_are_not_run() {
        let line = unit_and_integration().to_string();
        assert!(!line.contains("--all-targets") && !line.contains("--benches"), "{line}");
    }
}
