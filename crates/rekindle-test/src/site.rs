//! [`Site`]: a temporary directory with the places that rekindle watches by default.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A temporary site: `config/`, `templates/` and `static/`, and a place for files on their way.
///
/// Paths are relative to its root. Everything is removed with it. A file system that does not do as
/// told fails the test: every method panics then.
#[derive(Debug)]
pub struct Site {
    directory: TempDir,
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

impl Site {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        for part in ["config", "templates", "static", "elsewhere"] {
            fs::create_dir(directory.path().join(part)).expect("a directory can be made in a temporary one");
        }
        Self { directory }
    }

    /// With one more file.
    #[must_use]
    pub fn with(self, file: &str, content: &str) -> Self {
        self.write(file, content);
        self
    }

    /// Its root, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// A path in it, absolute.
    #[must_use]
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root().join(relative)
    }

    /// What a file holds.
    #[must_use]
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("cannot read {file}: {error}"))
    }

    /// Writes a file in place: opened and emptied, written, closed. Missing directories are made.
    pub fn write(&self, file: &str, content: &str) {
        self.make_parent(file);
        fs::write(self.path(file), content).unwrap_or_else(|error| panic!("cannot write {file}: {error}"));
    }

    /// Writes a file beside the watched directories, ready to be [moved](Self::rename) in.
    pub fn write_elsewhere(&self, name: &str, content: &str) -> String {
        let file = format!("elsewhere/{name}");
        self.write(&file, content);
        file
    }

    /// Replaces a file in one step, by the rename of one that was written elsewhere.
    pub fn replace(&self, file: &str, content: &str) {
        let written = self.write_elsewhere(&file.replace('/', "-"), content);
        self.make_parent(file);
        self.rename(&written, file);
    }

    /// Renames a file or a directory, over what has the new name.
    pub fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to))
            .unwrap_or_else(|error| panic!("cannot rename {from}: {error}"));
    }

    /// Removes a file.
    pub fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).unwrap_or_else(|error| panic!("cannot remove {file}: {error}"));
    }

    fn make_parent(&self, file: &str) {
        let path = self.path(file);
        let parent = path.parent().unwrap_or(self.root());
        fs::create_dir_all(parent)
            .unwrap_or_else(|error| panic!("cannot make {}: {error}", parent.display()));
    }
}
