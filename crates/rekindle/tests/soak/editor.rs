//! Who edits: every kind of edit in turn, on a site that does not grow.

use std::fs;
use std::path::{Path, PathBuf};

use crate::watcher::{ASSETS, CONFIGS, asset, config};

/// How many directories, each with two below it, there are at a time.
const DIRECTORIES: u32 = 20;

/// Edits a site.
#[derive(Debug)]
pub(crate) struct Editor {
    root: PathBuf,
    edits: u32,
    /// How many directories have been made.
    directories: u32,
}

impl Editor {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, edits: 0, directories: 0 }
    }

    /// How many edits there have been.
    pub(crate) fn edits(&self) -> u32 {
        self.edits
    }

    /// One edit. The files are gone through at another pace than the kinds, so that all meet all.
    pub(crate) fn edit(&mut self) {
        self.edits += 1;
        let n = self.edits;
        let (config, asset) = (config(n / 3 % CONFIGS), asset(n / 7 % ASSETS));
        match n % 10 {
            0..3 => self.replace(&config, &good(n)),
            3 | 4 => self.write(&config, &good(n)),
            5 => self.write(&config, "value = "),
            6 => self.remove(&config),
            7 => {
                self.remove(&config);
                self.write(&config, &good(n));
            }
            8 => self.write(&asset, &n.to_string()),
            _ => self.exchange_directory(),
        }
    }

    /// Saves every configuration once more, each good.
    pub(crate) fn mend_everything(&mut self) {
        for number in 0..CONFIGS {
            self.edits += 1;
            self.replace(&config(number), &good(self.edits));
        }
    }

    /// Makes a new directory with a file deep in it at once, and removes the oldest.
    fn exchange_directory(&mut self) {
        let name = |number: u32| self.root.join(format!("static/d{number}"));
        let deep = name(self.directories).join("x/y");
        fs::create_dir_all(&deep).expect("it is new");
        fs::write(deep.join("z.css"), "1").expect("it can be written");
        if let Some(oldest) = self.directories.checked_sub(DIRECTORIES) {
            fs::remove_dir_all(name(oldest)).expect("it is there");
        }
        self.directories += 1;
    }

    fn write(&self, file: &Path, content: &str) {
        fs::write(self.root.join(file), content).expect("it can be written");
    }

    fn replace(&self, file: &Path, content: &str) {
        self.write(Path::new("elsewhere/new"), content);
        fs::rename(self.root.join("elsewhere/new"), self.root.join(file)).expect("it can be replaced");
    }

    fn remove(&self, file: &Path) {
        let _was_there = fs::remove_file(self.root.join(file));
    }
}

/// A content of its own, of some size or other.
fn good(number: u32) -> String {
    let text = "x".repeat(usize::try_from(number % 2000).unwrap_or(0));
    format!("value = {number}\ntext = \"{text}\"\n")
}
