//! [`Terminal`]: a program in a terminal, and somebody who types.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::{LIMIT, program};

/// How often the screen is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// A program that runs in a terminal of its own, by way of a private tmux server. It ends with this.
#[derive(Debug)]
pub struct Terminal {
    socket: PathBuf,
    /// Where the socket lies. Removed after the server has been told to end.
    _directory: TempDir,
}

impl Terminal {
    /// Starts a program with its arguments.
    ///
    /// # Panics
    ///
    /// When tmux or the program is not installed.
    #[must_use]
    pub fn start(command: &[&str]) -> Self {
        let which = Command::new("which").arg(command[0]).output().expect("`which` is everywhere");
        assert!(which.status.success(), "{}", program::not_installed(command[0]));
        let directory = TempDir::new().expect("a temporary directory can be made");
        let terminal = Self { socket: directory.path().join("tmux"), _directory: directory };
        let new = ["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30"];
        program::run(terminal.tmux().args(new).args(command).env("TERM", "xterm").env_remove("TMUX"));
        terminal
    }

    /// Presses keys, each named as tmux names them (`C-k`, `Enter`) or a text to type.
    pub fn press(&self, keys: &[&str]) {
        program::run(self.tmux().args(["send-keys", "-t", "0"]).args(keys));
    }

    /// Waits until the screen shows a text.
    ///
    /// # Panics
    ///
    /// When it does not within [`LIMIT`], with what it shows instead.
    pub async fn shows(&self, text: &str) {
        let deadline = Instant::now() + LIMIT;
        loop {
            let output = program::run(self.tmux().args(["capture-pane", "-p", "-t", "0"]));
            let screen = String::from_utf8_lossy(&output.stdout).into_owned();
            if screen.contains(text) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "waited {LIMIT:?} for {text:?}, and the screen shows:\n{screen}"
            );
            sleep(GLANCE).await;
        }
    }

    fn tmux(&self) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&self.socket);
        command
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails when the program has ended by itself, and the server with it.
        let _ended_already = self.tmux().arg("kill-server").output();
    }
}
