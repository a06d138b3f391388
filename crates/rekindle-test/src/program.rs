//! Programs that save files, run to their end.
//!
//! A program that is not there fails the test: `cargo xtask test` installs them all, and a test that
//! is skipped in silence guards nothing.

use std::io::ErrorKind;
use std::process::{Command, Output};

/// Runs a command to its end.
///
/// # Panics
///
/// When the program is not installed, or does not end well; the message says which, and what to do.
pub fn run(command: &mut Command) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().unwrap_or_else(|error| match error.kind() {
        ErrorKind::NotFound => panic!("{}", not_installed(&name)),
        _ => panic!("cannot run {name}: {error}"),
    });
    let said = String::from_utf8_lossy(&output.stderr);
    // What a shell ends with when it does not find a program.
    let hint =
        if output.status.code() == Some(127) { "; is it not installed? See `cargo xtask test`" } else { "" };
    assert!(output.status.success(), "{command:?} ended with {}: {said}{hint}", output.status);
    output
}

/// Runs a line of shell with `$FILE` and `$N` set.
pub fn shell(line: &str, file: &std::path::Path, n: u32) {
    run(Command::new("sh").args(["-euc", line]).env("FILE", file).env("N", n.to_string()));
}

/// What to do about a program that is not there.
pub(crate) fn not_installed(name: &str) -> String {
    format!("`{name}` is not installed: run `cargo xtask test`, or `apt-get install {}`", package(name))
}

fn package(program: &str) -> &str {
    match program {
        "cp" | "dd" | "install" | "mv" | "tee" => "coreutils",
        "emacs" => "emacs-nox",
        other => other,
    }
}
