//! Tests that run in a process of their own, with other limits, rights or mounts than this one.
//!
//! The body of such a test is an ignored test of this same binary. The test itself starts the binary
//! anew with the name of that one, by way of a program that changes what is to be changed
//! (`unshare`, `sh -c 'ulimit ...'`), and looks at how it ends.

use std::ffi::OsString;
use std::process::{Command, Stdio};

/// Set for a body: one that is started by hand with `--ignored` does nothing.
const VARIABLE: &str = "REKINDLE_FAULT_CHILD";

/// Namespaces of one's own for users and mounts, with the rights of root in them.
pub(crate) const MOUNTS: &[&str] = &["unshare", "--user", "--map-root-user", "--mount"];

/// A namespace of one's own for users, with the rights of root in it: it has its own limits.
pub(crate) const LIMITS: &[&str] = &["unshare", "--user", "--map-root-user"];

/// A namespace for users in which one is nobody: root is then held to a file's mode as its owner is.
pub(crate) const NOBODY: &[&str] = &["unshare", "--user"];

/// Whether this process is one that a test started for a body.
pub(crate) fn is_this_one() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// The command that runs a body by way of another program.
pub(crate) fn command(wrapper: &[&str], body: &str) -> Command {
    let this = std::env::current_exe().expect("this binary has a path");
    let mut words = wrapper.iter().map(OsString::from).chain([this.into_os_string()]);
    let mut command = Command::new(words.next().expect("there is this binary at least"));
    command.args(words).args(["--ignored", "--exact", "--nocapture", body]);
    command.env(VARIABLE, "1").stdin(Stdio::null());
    command
}

/// Runs a body to its end, which has to be a good one.
///
/// Where the system lets nobody make namespaces, it says so and does not run: nothing can be done then.
#[track_caller]
pub(crate) fn run(wrapper: &[&str], body: &str) {
    if can(wrapper) {
        let output = command(wrapper, body).output().expect("this binary can be run");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, complained) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success() && said.contains("1 passed"), "{body}:\n{said}\n{complained}");
    }
}

/// Whether a wrapper works here.
fn can(wrapper: &[&str]) -> bool {
    let tried = Command::new(wrapper[0]).args(&wrapper[1..]).arg("true").output();
    let tried = tried.unwrap_or_else(|error| panic!("`{}` is part of every system: {error}", wrapper[0]));
    if !tried.status.success() {
        let why = String::from_utf8_lossy(&tried.stderr);
        eprintln!("NOT RUN, namespaces are not allowed here: {wrapper:?}: {}", why.trim());
    }
    tried.status.success()
}
