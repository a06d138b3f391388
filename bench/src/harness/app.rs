//! The configuration that everybody reloads: one file, one type, two ways to save it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Deserialize;
use tempfile::TempDir;

use super::Result;
use super::tree::{Shape, directory};

/// What the file decodes into.
#[derive(Debug, Clone, Default, Deserialize)]
#[allow(dead_code, reason = "decoded, as a program would; only the number is looked at")]
pub(crate) struct App {
    pub(crate) number: u64,
    host: String,
    port: u16,
    features: Vec<String>,
    limits: Limits,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[allow(dead_code, reason = "decoded, as a program would; only the number is looked at")]
struct Limits {
    connections: usize,
    body_bytes: u64,
    timeout_ms: u64,
}

impl App {
    /// What the file held at some moment; `None` while it is half written.
    pub(crate) fn read(file: &Path) -> Option<Self> {
        toml::from_str(&fs::read_to_string(file).ok()?).ok()
    }

    /// The value whose number is this.
    pub(crate) fn numbered(number: u64) -> Self {
        Self { number, ..Self::default() }
    }
}

/// As long as a small service's configuration.
pub(crate) fn content(number: u64) -> String {
    format!(
        "# Saved by the benchmark.\nnumber = {number}\nhost = \"127.0.0.1\"\nport = 8080\n\
         features = [\"search\", \"export\"]\n\n[limits]\n\
         connections = 100\nbody_bytes = 1_048_576\ntimeout_ms = 30_000\n"
    )
}

/// The name of the file.
pub(crate) const FILE: &str = "app.toml";

/// A temporary project with `config/app.toml` in it.
#[derive(Debug)]
pub(crate) struct Project {
    directory: TempDir,
    files: usize,
}

/// Files of a project's tree that share a directory.
const PER_DIRECTORY: usize = 100;

impl Project {
    pub(crate) fn new() -> Result<Self> {
        Self::with_files(0)
    }

    /// With that many files beside it, below `static/`.
    pub(crate) fn with_files(files: usize) -> Result<Self> {
        let project = Self { directory: directory()?, files };
        fs::create_dir(project.root().join("config"))?;
        fs::write(project.file(), content(0))?;
        let tree = Shape { directories: files.div_ceil(PER_DIRECTORY), files, excluded_of_ten: 0 };
        tree.build(&project.root().join("static"))?;
        Ok(project)
    }

    /// Whether there is more than the one file.
    pub(crate) fn has_tree(&self) -> bool {
        self.files > 0
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.root().join("config").join(FILE)
    }
}

/// How a save is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Written beside the file, then renamed over it.
    Rename,
    /// Truncated, written, closed.
    InPlace,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Rename, Self::InPlace];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rename => "rename",
            Self::InPlace => "in place",
        }
    }

    pub(crate) fn parse(name: &str) -> Result<Self> {
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| format!("no kind of save: {name}").into())
    }

    /// Saves, and says when the system call that finished it was entered, and when it had returned.
    pub(crate) fn save(self, file: &Path, number: u64) -> io::Result<(Instant, Instant)> {
        let entered = match self {
            Self::Rename => {
                let beside = file.with_extension("toml.tmp");
                fs::write(&beside, content(number))?;
                let entered = Instant::now();
                fs::rename(&beside, file)?;
                entered
            }
            Self::InPlace => {
                let mut open = File::create(file)?;
                open.write_all(content(number).as_bytes())?;
                let entered = Instant::now();
                drop(open);
                entered
            }
        };
        Ok((entered, Instant::now()))
    }
}
