//! Files of a directory, as they are: a path in, a file's bytes out, of nothing but that directory.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::pages;

/// How deep directories are gone through. A link back up is not followed; this is for what is made that way.
const DEEPEST: usize = 64;

/// Names of directories that tools make, and nobody writes by hand.
pub(super) const MADE: [&str; 3] = ["node_modules", "target", "__pycache__"];

/// A directory whose files are shown.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    /// Without a link in it.
    root: PathBuf,
}

impl Disk {
    /// This directory. One that is not there is empty until it is.
    pub(super) fn new(directory: &Path) -> Self {
        Self { root: directory.canonicalize().unwrap_or_else(|_| directory.to_path_buf()) }
    }

    /// Whether there is a file of this name: `css/app.css`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The bytes of a file.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] for whatever is not to be served, and what the system says.
    pub(super) fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let path = self.find(name).ok_or(io::ErrorKind::NotFound)?;
        std::fs::read(path)
    }

    /// A plain file of exactly this name. By way of a link, or in another case where the system takes that for the
    /// same, there is none: its true path is another.
    fn find(&self, name: &str) -> Option<PathBuf> {
        pages::names(&format!("/{name}")).filter(|names| !names.is_empty())?;
        let path = self.root.join(name);
        let is_itself = path.canonicalize().is_ok_and(|true_path| true_path == path);
        (is_itself && path.is_file()).then_some(path)
    }

    /// Every file that may be served, with what tells one content from another.
    pub(super) fn contents(&self) -> HashMap<String, u64> {
        let mut found = HashMap::new();
        self.walk(&self.root, "", DEEPEST, &mut found);
        found
    }

    fn walk(&self, directory: &Path, above: &str, depth: usize, found: &mut HashMap<String, u64>) {
        let entries = std::fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
        for entry in entries {
            let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else { continue };
            if name.starts_with('.') || MADE.contains(&name.as_str()) {
                continue;
            }
            let path = format!("{above}{name}");
            if kind.is_dir() && depth > 0 {
                self.walk(&entry.path(), &format!("{path}/"), depth - 1, found);
            } else if kind.is_file() {
                found.insert(path, entry.metadata().map_or(0, |data| stamp(&data)));
            }
        }
    }

    /// What tells the content of a file from another; `None` where there is none.
    pub(super) fn stamp(&self, name: &str) -> Option<u64> {
        self.find(name)?.metadata().ok().map(|data| stamp(&data))
    }
}

/// Its size and when it was written: the same in every run.
fn stamp(data: &Metadata) -> u64 {
    let written = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanos = written.map_or(0, |time| time.as_secs() ^ u64::from(time.subsec_nanos()) << 34);
    nanos ^ data.len().rotate_left(17)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_files_of_the_directory_are_there() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::create_dir(root.join("a")).unwrap();
        for file in ["a/b.css", ".env", "c d.html"] {
            std::fs::write(root.join(file), "x").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.join(".env"), root.join("link.txt")).unwrap();
        let disk = Disk::new(root);
        assert!(disk.has("a/b.css") && disk.has("c d.html"));
        for name in [
            "",
            "a",
            "a/",
            ".env",
            "link.txt",
            "a/../c d.html",
            "/etc/passwd",
            "a//b.css",
            "A/b.css",
            "b\0.css",
        ] {
            assert!(!disk.has(name), "{name}");
        }
        let contents = disk.contents();
        let mut names: Vec<&String> = contents.keys().collect();
        names.sort();
        assert_eq!(names, ["a/b.css", "c d.html"]);
        assert_eq!(disk.stamp("a/b.css"), contents.get("a/b.css").copied());
    }
}
