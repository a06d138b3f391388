//! A model test: random sequences of what people and programs do to files, on real files and a real
//! engine, and what must hold when all is quiet again.
//!
//! - The engine's view is the disk's: a configuration that is valid on disk has the value that an
//!   independent parser and merge make of it; one that is invalid or gone keeps a good one, and the
//!   status says so.
//! - The last value of every stream is the value in use.
//! - The files that were told of are the files that there are, and no new content went untold.
//! - Every value ever delivered was, at some moment, the whole content of the configuration's files.
//! - A look at everything finds nothing that had not been told by itself.
//!
//! Plain proptest over a list of steps rather than `proptest-state-machine`: every [`op::Op`] can be
//! done in every state (what does not apply does nothing), so there are no preconditions to keep while
//! shrinking, and what must hold is asked once at the end rather than after every step.
//!
//! `REKINDLE_MODEL_SEQUENCES` sets how many sequences are run; `cargo xtask nightly` runs 10,000. A
//! sequence that fails is printed as a list that can be pasted into [`regressions`].

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "tests write files as anybody would")]

mod contents;
mod disk;
mod ledger;
mod op;
mod oracle;
mod play;
mod regressions;
mod verdict;

use std::fmt::Write;

use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use op::Sequence;

/// How many sequences are run unless the environment says otherwise.
const SEQUENCES: u32 = 300;

/// How many are run side by side: a sequence mostly waits.
const SIDE_BY_SIDE: u32 = 12;

#[test]
fn after_anything_that_may_happen_to_files_the_view_is_what_the_disk_holds() {
    let each = sequences().div_ceil(SIDE_BY_SIDE);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(move || run(each))).collect();
        runs.into_iter().filter_map(|run| run.join().expect("a runner catches panics")).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn sequences() -> u32 {
    match std::env::var("REKINDLE_MODEL_SEQUENCES") {
        Ok(text) => text.parse().expect("REKINDLE_MODEL_SEQUENCES is a number"),
        Err(_) => SEQUENCES,
    }
}

/// Runs some sequences one after the other, and tells of the first that fails, shrunk.
fn run(cases: u32) -> Option<String> {
    // What comes of a sequence depends on its timing, so one that shrinks well is luck: some tries.
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        max_shrink_time: 120_000,
        ..Config::default()
    };
    let outcome = TestRunner::new(config)
        .run(&op::sequence(), |sequence| play::play(&sequence).map_err(TestCaseError::fail));
    match outcome {
        Ok(()) => None,
        Err(TestError::Fail(why, sequence)) => Some(format!("{why}\n{}", lines(&sequence))),
        Err(abort) => Some(abort.to_string()),
    }
}

/// A sequence as it is written in [`regressions`].
fn lines(sequence: &Sequence) -> String {
    let limit = format!("with a queue limit of {:?}, after\n", sequence.queue_limit);
    sequence.steps.iter().fold(limit, |mut text, op| {
        writeln!(text, "    {op:?},").expect("a String takes everything");
        text
    })
}
