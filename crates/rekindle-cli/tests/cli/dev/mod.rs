//! `rekindle dev`: the real binary, real sockets.

mod http;
mod pages;
mod plain;

mod proxy;
mod start;
mod tab;

use std::path::Path;

use crate::support::{Running, rekindle};

/// The program while it serves.
pub(crate) struct Dev {
    pub(crate) running: Running,
    /// Where it listens: `127.0.0.1:43210`.
    pub(crate) address: String,
}

impl Dev {
    /// Starts it on a directory, on a port that is free.
    pub(crate) fn start(root: &Path, options: &[&str]) -> Self {
        let mut command = rekindle(&["dev", "--port", "0"]);
        command.arg(root).args(options);
        Self::of(Running::start(command))
    }

    /// What was started already: waits for its address.
    pub(crate) fn of(running: Running) -> Self {
        let address = loop {
            let line = running.line();
            if let Some(rest) = line.trim().strip_prefix("http://") {
                break rest.split('/').next().unwrap().to_owned();
            }
        };
        Self { running, address }
    }

    /// Asks for a page as a browser does.
    pub(crate) fn get(&self, path: &str) -> http::Answer {
        http::get(&self.address, path)
    }
}
