//! `cargo xtask soak [MINUTES]`: mixed edits for a long time, and what an engine costs meanwhile.

use crate::cmd::Cmd;
use crate::error::{Error, Result};
use crate::runner;
use crate::step::Step;

/// How long, unless it is said.
const MINUTES: u64 = 30;

pub(crate) fn run(args: &[String]) -> Result<()> {
    let minutes = minutes(args)?;
    runner::run(vec![Step::command("soak", soak(minutes))])
}

fn minutes(args: &[String]) -> Result<u64> {
    match args {
        [] => Ok(MINUTES),
        [text] => match text.parse() {
            Ok(minutes) if minutes > 0 => Ok(minutes),
            _ => Err(Error::new(format!("`{text}` is no number of minutes"))),
        },
        [_, second, ..] => {
            Err(Error::new(format!("unexpected argument `{second}`; one number of minutes is all")))
        }
    }
}

/// Its figures are to be seen while it runs.
fn soak(minutes: u64) -> Cmd {
    let cmd = Cmd::new("cargo test --package rekindle --all-features --test soak -- --nocapture");
    cmd.env("REKINDLE_SOAK_SECONDS", (minutes * 60).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<u64> {
        minutes(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn half_an_hour_unless_it_is_said() {
        assert_eq!(parsed(&[]), Ok(30));
        assert_eq!(parsed(&["5"]), Ok(5));
        assert!(soak(5).to_string().starts_with("REKINDLE_SOAK_SECONDS=300 cargo test "));
    }

    #[test]
    fn what_is_no_number_is_named() {
        for args in [&["long"][..], &["0"], &["-1"], &["5", "long"]] {
            let error = parsed(args).unwrap_err().to_string();
            assert!(error.contains(args.last().unwrap()), "{error}");
        }
    }
}
