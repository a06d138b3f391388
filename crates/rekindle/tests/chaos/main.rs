//! A chaos test: random changes, good and bad in every way, with handlers that refuse, fail, panic and
//! hang, while other threads read without a pause; and a program that is killed at any moment.
//!
//! Every value says in itself what it is ([`kind::Kind`]), so that whoever meets it can judge:
//!
//! - No reader ever sees a value that had to be refused, nor half of one.
//! - Generations rise by one, each is told of whole, and readers of one see what was told of it.
//! - What was undone is what was there before, and is not in use when all is quiet.
//! - When all is quiet, what handlers were told last, streams, live handles, snapshot and disk are one,
//!   or the status says why not.
//! - Who prepared is told what came of it, once.
//! - Nothing waits for ever.
//! - A start after a kill is on a value that nobody had found to do harm.
//!
//! `REKINDLE_CHAOS_SEED` repeats a run as far as threads let it, `REKINDLE_CHAOS_CHANGES` and
//! `REKINDLE_CHAOS_KILLS` say how long it is; `cargo xtask nightly` makes 10,000 changes and 200 kills.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "tests write files as anybody would")]

mod dice;
mod files;
mod handlers;
mod kill;
mod kind;
mod ledger;
mod play;
mod program;
mod quiet;
mod readers;
mod watchdog;

use dice::Dice;

/// How many changes are made unless the environment says otherwise.
const CHANGES: u64 = 500;

#[test]
fn whatever_comes_readers_see_what_is_good_and_all_agree_when_it_is_quiet() {
    let dice = Dice::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let changes = number("REKINDLE_CHAOS_CHANGES", CHANGES);
    runtime.expect("a runtime can be built").block_on(play::play(dice, changes));
}

/// A number from the environment.
fn number(variable: &str, otherwise: u64) -> u64 {
    let said = std::env::var(variable).ok();
    said.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}
