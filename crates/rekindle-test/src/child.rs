//! Tests that run in a process of their own, with other limits, rights or mounts than this one.
//!
//! The body of such a test is an ignored test of this same binary. The test itself starts the binary
//! anew with the name of that one, by way of a program that changes what is to be changed
//! (`unshare`, `sh -c 'ulimit ...'`), and looks at how it ends; or talks to it, as a [`Program`].

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Set for a body: one that is started by hand with `--ignored` does nothing.
const VARIABLE: &str = "REKINDLE_FAULT_CHILD";

/// Namespaces of one's own for users and mounts, with the rights of root in them.
pub const MOUNTS: &[&str] = &["unshare", "--user", "--map-root-user", "--mount"];

/// A namespace of one's own for users, with the rights of root in it: it has its own limits.
pub const LIMITS: &[&str] = &["unshare", "--user", "--map-root-user"];

/// A namespace for users in which one is nobody: root is then held to a file's mode as its owner is.
pub const NOBODY: &[&str] = &["unshare", "--user"];

/// Whether this process is one that a test started for a body.
#[must_use]
pub fn is_this_one() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// The command that runs a body by way of another program.
fn command(wrapper: &[&str], body: &str) -> Command {
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
///
/// # Panics
///
/// When the body fails, or there is none of that name; with all that it said.
#[track_caller]
pub fn run(wrapper: &[&str], body: &str) {
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

/// A body that runs beside the test, and is talked to by lines.
#[derive(Debug)]
pub struct Program {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts a body.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn start(body: &str) -> Self {
        let mut command = command(&[], body);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
        let input = child.stdin.take().expect("it is piped");
        let output = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, input, output }
    }

    /// The number of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells it a line.
    ///
    /// # Panics
    ///
    /// When it has ended.
    pub fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("it listens");
    }

    /// Waits for a line that holds `text`, and gives what follows on it.
    ///
    /// # Panics
    ///
    /// When it ends without one. It is the body's part not to wait for ever.
    #[must_use]
    pub fn says(&mut self, text: &str) -> String {
        let mut lines = self.output.by_ref().map_while(Result::ok);
        let said = lines.find_map(|line| Some(line.split_once(text)?.1.to_owned()));
        said.unwrap_or_else(|| panic!("it ended before it said {text:?}; see above why"))
    }

    /// Sends it a signal (`STOP`).
    ///
    /// # Panics
    ///
    /// When it has ended.
    pub fn signal(&self, signal: &str) {
        crate::program::run(Command::new("sh").args(["-c", &format!("kill -{signal} {}", self.id())]));
    }

    /// Kills it, and waits until it is gone.
    ///
    /// # Panics
    ///
    /// When it has ended by itself.
    pub fn kill(mut self) {
        assert!(self.child.try_wait().expect("it is a child").is_none(), "it ended; see above why");
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Kills it if it has not ended by itself, and gives all that it said and nobody has heard yet.
    ///
    /// # Panics
    ///
    /// When the system does not let it be killed.
    #[must_use]
    pub fn last_words(mut self) -> Vec<String> {
        // One that has just ended cannot be killed any more.
        let _has_ended = self.child.kill();
        self.child.wait().expect("it ends");
        self.output.by_ref().map_while(Result::ok).collect()
    }

    /// Waits for its end, by itself and however it may be, and gives all that it said and nobody has heard yet.
    ///
    /// # Panics
    ///
    /// When the system does not tell of its end.
    #[must_use]
    pub fn ends(mut self) -> Vec<String> {
        let said = self.output.by_ref().map_while(Result::ok).collect();
        self.child.wait().expect("it ends");
        said
    }

    /// Waits for its end, which has to be a good one.
    ///
    /// # Panics
    ///
    /// When it is not.
    pub fn ends_well(mut self) {
        drop(self.input);
        // Read to the end, so that it never waits for a reader.
        self.output.by_ref().map_while(Result::ok).for_each(|line| println!("{line}"));
        assert!(self.child.wait().expect("it ends").success(), "see above what it said");
    }
}
