//! Every target on its corpus, and on a few thousand mutations of it. The longer search is
//! `cargo xtask fuzz`.
//!
//! The mutations are the same in every run. `REKINDLE_FUZZ_SEED` chooses others, and
//! `REKINDLE_FUZZ_INPUTS` how many.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use rekindle_fuzz::{Mutator, TARGETS, check};

/// For each target: about a second, unoptimised.
const INPUTS: u64 = 4000;

const SEED: u64 = 1;

/// Longer inputs are for the corpus: they take their time, and find little that short ones do not.
const LONGEST: usize = 1024;

#[test]
fn toml_holds_for_the_corpus_and_its_mutations() {
    fuzz("toml");
}

#[test]
fn json_holds_for_the_corpus_and_its_mutations() {
    fuzz("json");
}

#[test]
fn yaml_holds_for_the_corpus_and_its_mutations() {
    fuzz("yaml");
}

#[test]
fn layers_hold_for_the_corpus_and_its_mutations() {
    fuzz("layers");
}

#[test]
fn dotenv_files_hold_for_the_corpus_and_its_mutations() {
    fuzz("dotenv");
}

#[test]
fn patterns_hold_for_the_corpus_and_its_mutations() {
    fuzz("patterns");
}

#[test]
fn settling_holds_for_the_corpus_and_its_mutations() {
    fuzz("settle");
}

#[test]
fn every_target_has_a_corpus_a_test_and_a_program() {
    let this = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/harness.rs"));
    let (this, manifest) = (this.expect("this file"), std::fs::read_to_string(fuzz_dir().join("Cargo.toml")));
    let manifest = manifest.expect("the manifest of the programs");
    for target in TARGETS {
        let name = target.name;
        assert!(this.contains(&format!("fuzz(\"{name}\")")), "no test of {name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "no program for {name}");
        assert!(!corpus(name).is_empty(), "no corpus of {name}");
    }
}

fn fuzz(name: &str) {
    let corpus = corpus(name);
    for (file, input) in &corpus {
        run(name, input, &file.display().to_string());
    }
    let (seed, inputs) = (number("REKINDLE_FUZZ_SEED", SEED), number("REKINDLE_FUZZ_INPUTS", INPUTS));
    let inputs_of: Vec<Vec<u8>> = corpus.into_iter().map(|(_, input)| input).collect();
    let mut mutator = Mutator::new(seed, LONGEST);
    for count in 0..inputs {
        let input = mutator.next(&inputs_of);
        run(name, &input, &format!("REKINDLE_FUZZ_SEED={seed}, mutation {count}"));
    }
}

/// Checks one input. What fails is shown, so that it can become a file of the corpus.
fn run(name: &str, input: &[u8], from: &str) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(name, input))) {
        eprintln!("target {name} failed on an input from {from}:\n{}", input.escape_ascii());
        resume_unwind(panic);
    }
}

fn number(variable: &str, default: u64) -> u64 {
    let set = std::env::var(variable).ok();
    set.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text:?}")))
}

fn fuzz_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The files of a target's corpus, in the order of their names.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = fuzz_dir().join("corpus").join(name);
    let entries =
        std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable entry").path()).collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), std::fs::read(file).expect("a readable file"))).collect()
}
