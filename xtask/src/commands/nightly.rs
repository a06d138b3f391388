//! `cargo xtask nightly`: the tests that get better with time, given more of it than a change can wait for.

use crate::cmd::Cmd;
use crate::error::Result;
use crate::options;
use crate::runner;
use crate::step::Step;

/// How many random sequences the model test plays; `cargo xtask test` plays a few hundred.
const SEQUENCES: &str = "10000";

/// How many random changes the chaos test makes, and how often it kills a program.
const CHANGES: &str = "10000";
const KILLS: &str = "200";

/// How many fleets are simulated, and how many of ten thousand instances.
const FLEETS: &str = "100000";
const LARGE_FLEETS: &str = "2000";

pub(crate) fn run(args: &[String]) -> Result<()> {
    options::none(args)?;
    runner::run(steps())
}

fn steps() -> Vec<Step> {
    vec![
        Step::command("model", model()),
        Step::command("chaos", chaos()),
        Step::command("simulation", simulation()),
    ]
}

/// Without optimisation, as in every other run: what comes of a sequence depends on how fast the engine is.
fn model() -> Cmd {
    Cmd::new("cargo test --package rekindle --all-features --test model")
        .env("REKINDLE_MODEL_SEQUENCES", SEQUENCES)
}

/// Its seed is to be seen, so that a run can be repeated.
fn chaos() -> Cmd {
    Cmd::new("cargo test --package rekindle --all-features --test chaos -- --nocapture")
        .env("REKINDLE_CHAOS_CHANGES", CHANGES)
        .env("REKINDLE_CHAOS_KILLS", KILLS)
}

/// Each fleet follows from its number alone, so that a run can be repeated.
fn simulation() -> Cmd {
    Cmd::new("cargo test --release --package rekindle-cluster --lib simulation")
        .env("REKINDLE_SEEDS", FLEETS)
        .env("REKINDLE_LARGE_SEEDS", LARGE_FLEETS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_given_its_number() {
        assert!(model().to_string().starts_with("REKINDLE_MODEL_SEQUENCES=10000 cargo test "));
    }

    #[test]
    fn the_simulation_is_given_its_numbers() {
        let text = simulation().to_string();
        assert!(
            text.contains("REKINDLE_SEEDS=100000") && text.contains("REKINDLE_LARGE_SEEDS=2000"),
            "{text}"
        );
    }

    #[test]
    fn the_chaos_is_given_its_numbers() {
        let text = chaos().to_string();
        assert!(
            text.contains("REKINDLE_CHAOS_CHANGES=10000") && text.contains("REKINDLE_CHAOS_KILLS=200"),
            "{text}"
        );
    }
}
