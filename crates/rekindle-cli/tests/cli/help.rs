//! Help, version and completions.

use std::process::Stdio;

use crate::support::{rekindle, run, stderr, stdout};

#[test]
fn every_help_has_examples_and_fits_eighty_columns() {
    let own = ["", "watch", "check", "dev", "new", "demo", "completions"];
    let asking = ["status", "get", "set", "explain", "diff", "history", "restore", "reload", "schema"];
    let fleet = ["publish", "pull", "edit", "log", "sync"];
    for command in own.into_iter().chain(asking).chain(fleet) {
        let arguments: Vec<&str> = [command, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        let output = run(&arguments);
        let help = stdout(&output);
        assert_eq!(output.status.code(), Some(0));
        assert!(help.contains("Examples:\n  rekindle "), "{command}: {help}");
        assert!(command == "completions" || help.contains("Exit codes:\n  0 "), "{command}: {help}");
        assert!(!help.contains('\u{1b}'));
    }
}

#[test]
fn the_version_is_the_crate_s() {
    assert_eq!(stdout(&run(&["--version"])), concat!("rekindle ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn without_a_command_the_help_is_a_usage_error() {
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("Usage: rekindle"));
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("completions") && stdout(&output).contains("watch"), "{shell}");
    }
    assert_eq!(run(&["completions", "abacus"]).status.code(), Some(2));
}

#[test]
fn a_reader_that_has_gone_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = rekindle(&["completions", "bash"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
}
