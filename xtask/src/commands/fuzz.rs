//! `cargo xtask fuzz [TARGET] [SECONDS]`: a search for inputs that break what must hold for all of them.
//!
//! With cargo-fuzz, which is no part of `cargo xtask ci`: it needs a nightly toolchain, and a search has no end.

use crate::cmd::Cmd;
use crate::error::{Error, Result};
use crate::root::root;
use crate::runner;
use crate::step::Step;

/// The targets, as `crates/rekindle-fuzz` lists them.
const TARGETS: [&str; 7] = ["toml", "json", "yaml", "layers", "dotenv", "patterns", "settle"];

/// How long each target is searched, unless told otherwise.
const SECONDS: u32 = 60;

/// Longer inputs take their time, and find little that short ones do not.
const LONGEST: u32 = 4096;

#[derive(Debug, PartialEq, Eq)]
struct Search {
    targets: Vec<&'static str>,
    seconds: u32,
}

pub(crate) fn run(args: &[String]) -> Result<()> {
    let search = Search::parse(args)?;
    let mut steps = vec![Step::check("cargo-fuzz", |_| installed())];
    steps.extend(search.targets.iter().map(|target| Step::command(*target, command(target, search.seconds))));
    for target in &search.targets {
        let found = root().join(found(target));
        std::fs::create_dir_all(&found)
            .map_err(|error| Error::new(format!("cannot make {}: {error}", found.display())))?;
    }
    runner::run(steps)
}

impl Search {
    /// A name is a target, a number the seconds.
    fn parse(args: &[String]) -> Result<Self> {
        let mut search = Self { targets: TARGETS.to_vec(), seconds: SECONDS };
        for arg in args {
            if let Ok(seconds) = arg.parse() {
                search.seconds = seconds;
            } else if let Some(target) = TARGETS.iter().find(|target| *target == arg) {
                search.targets = vec![target];
            } else {
                let known = TARGETS.join(", ");
                return Err(Error::new(format!("unknown target `{arg}`; there are {known}")));
            }
        }
        Ok(search)
    }
}

/// What the search finds to be worth keeping goes to the first directory, which git ignores.
fn command(target: &str, seconds: u32) -> Cmd {
    let cmd = Cmd::new("cargo +nightly fuzz run").arg(target).arg(found(target));
    let limits = [format!("-max_total_time={seconds}"), format!("-max_len={LONGEST}")];
    cmd.arg(format!("fuzz/corpus/{target}")).arg("--").args(limits.iter().map(String::as_str))
}

fn found(target: &str) -> String {
    format!("fuzz/found/{target}")
}

/// Both the toolchain and cargo-fuzz, or what to install.
fn installed() -> Result<String> {
    let nightly = Cmd::new("cargo +nightly --version").read().map_err(|error| {
        Error::new(format!("fuzzing needs a nightly toolchain: rustup toolchain install nightly\n{error}"))
    })?;
    let fuzz = Cmd::new("cargo +nightly fuzz --version").read().map_err(|error| {
        Error::new(format!("fuzzing needs cargo-fuzz: cargo install --locked cargo-fuzz\n{error}"))
    })?;
    Ok(format!("{}, {}", nightly.trim(), fuzz.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(args: &[&str]) -> Result<Search> {
        Search::parse(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn all_targets_are_searched_unless_one_is_named() {
        assert_eq!(search(&[]), Ok(Search { targets: TARGETS.to_vec(), seconds: SECONDS }));
        assert_eq!(search(&["yaml"]), Ok(Search { targets: vec!["yaml"], seconds: SECONDS }));
        assert_eq!(search(&["yaml", "5"]), Ok(Search { targets: vec!["yaml"], seconds: 5 }));
        assert_eq!(search(&["5"]), Ok(Search { targets: TARGETS.to_vec(), seconds: 5 }));
        let error = search(&["xml"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown target `xml`; there are toml, json, yaml, layers, dotenv, patterns, settle"
        );
    }

    #[test]
    fn the_committed_corpus_is_read_and_not_written() {
        let line = command("yaml", 5).to_string();
        let expected = "cargo +nightly fuzz run yaml fuzz/found/yaml fuzz/corpus/yaml -- -max_total_time=5 -max_len=4096";
        assert_eq!(line, expected);
    }

    #[test]
    fn the_targets_are_those_that_have_a_program() {
        let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        let programs: Vec<&str> =
            manifest.lines().filter_map(|line| line.strip_prefix("path = \"targets/")).collect();
        let expected: Vec<String> = TARGETS.iter().map(|target| format!("{target}.rs\"")).collect();
        assert_eq!(programs, expected);
    }
}
