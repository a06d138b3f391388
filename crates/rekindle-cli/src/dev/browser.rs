//! Opening the browser: an address in, the system's own opener started.

use std::io;
use std::process::{Command, ExitStatus, Stdio};

/// Opens an address. Resolves when the opener has ended, which some do only with the browser.
///
/// # Errors
///
/// A sentence on what did not work.
pub(super) async fn open(url: String) -> Result<(), String> {
    let told = format!("no browser was opened: open {url} yourself");
    let ended = tokio::task::spawn_blocking(move || run(&url)).await;
    match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("{told} ({} ended with {status})", opener().0)),
        Ok(Err(error)) => Err(format!("{told} ({}: {error})", opener().0)),
        Err(_) => Err(told),
    }
}

fn run(url: &str) -> io::Result<ExitStatus> {
    let (program, arguments) = opener();
    let mut command = Command::new(program);
    command.args(arguments).arg(url);
    // What it has to say would stand between the lines of reloads.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
}

/// The program that knows the user's browser.
fn opener() -> (&'static str, &'static [&'static str]) {
    if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        // A word of the shell; the first argument is the title of its window.
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    }
}
