//! A directory to work on, and the binary to run there.

use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// Far more than anything here takes; waiting for it is a failure.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A directory with files.
pub(crate) struct Project(TempDir);

impl Project {
    /// With these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let project = Self(TempDir::new().unwrap());
        for directory in ["config", "templates", "static"] {
            std::fs::create_dir(project.path(directory)).unwrap();
        }
        for (file, text) in files {
            project.write(file, text);
        }
        project
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.root().join(file)
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).unwrap();
    }
}

/// The binary, in surroundings that nobody's settings reach into.
pub(crate) fn rekindle(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
    command.args(arguments);
    for variable in [
        "WORKSPACE_ENV",
        "APP_ENV",
        "ENVIRONMENT",
        "ENV",
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "REKINDLE_STORE",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    rekindle(arguments).output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The binary while it runs, and the lines it prints.
pub(crate) struct Running {
    id: u32,
    lines: Receiver<String>,
    ended: Receiver<ExitStatus>,
    is_over: Cell<bool>,
}

impl Running {
    /// Starts it.
    pub(crate) fn start(mut command: Command) -> Self {
        let child = command.stdout(Stdio::piped()).spawn().unwrap();
        Self::of(child)
    }

    /// `watch --json` on a project, armed.
    pub(crate) fn watch(project: &Project, options: &[&str]) -> Self {
        let mut command = rekindle(&["watch", "--json"]);
        command.arg(project.root()).args(options);
        let running = Self::start(command);
        assert_eq!(running.event()["event"], "ready");
        running
    }

    /// What runs already. Its lines are read if nobody has taken its output.
    pub(crate) fn of(mut child: Child) -> Self {
        let (id, output) = (child.id(), child.stdout.take());
        let (print, lines) = channel();
        std::thread::spawn(move || {
            for line in
                output.into_iter().flat_map(|output| BufReader::new(output).lines()).map_while(Result::ok)
            {
                if print.send(line).is_err() {
                    break;
                }
            }
        });
        let (end, ended) = channel();
        std::thread::spawn(move || end.send(child.wait().unwrap()));
        Self { id, lines, ended, is_over: Cell::new(false) }
    }

    /// The next line.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(LIMIT).expect("a line within the limit")
    }

    /// The next line, as JSON.
    pub(crate) fn event(&self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|fault| panic!("{fault}: {line}"))
    }

    /// The next event of a kind; those before it are passed over.
    pub(crate) fn event_of(&self, kind: &str) -> Value {
        loop {
            let event = self.event();
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// Sends a signal, by its short name.
    pub(crate) fn signal(&self, name: &str) {
        assert!(self.kill(name), "SIG{name}");
    }

    fn kill(&self, name: &str) -> bool {
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.id)).status();
        sent.is_ok_and(|status| status.success())
    }

    /// Waits for its end.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        let status = self.ended.recv_timeout(LIMIT).expect("its end within the limit");
        self.is_over.set(true);
        status.code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Most tests do not wait for its end.
        if !self.is_over.get() && self.ended.try_recv() == Err(TryRecvError::Empty) {
            self.kill("KILL");
        }
    }
}
