//! The demo's project: a directory in, files out that are then edited as people and editors do.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The files of the project, before anything is edited.
const FILES: [(&str, &str); 4] = [
    (
        "config/app.toml",
        "# The settings of the program.\ngreeting = \"Hello\"\nport = 8080\nworkers = 4\n\n[log]\nlevel = \"info\"\n",
    ),
    ("config/app.schema.json", SCHEMA),
    ("templates/welcome.html", "<h1>{{ greeting }}</h1>\n"),
    ("static/style.css", "h1 { color: black }\n"),
];

const SCHEMA: &str = r#"{
  "type": "object",
  "required": ["greeting", "port", "workers", "log"],
  "properties": {
    "greeting": { "type": "string" },
    "port": { "type": "integer", "minimum": 1, "maximum": 65535 },
    "workers": { "type": "integer", "minimum": 1, "maximum": 64 },
    "log": { "type": "object", "properties": { "level": { "enum": ["debug", "info", "warn", "error"] } } }
  }
}
"#;

/// How long the truncated save stays truncated.
const TRUNCATED: Duration = Duration::from_millis(120);

/// What becomes of a file's text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Text {
    /// The first is replaced by the second.
    Replace(&'static str, &'static str),
    /// This and nothing else.
    Whole(&'static str),
}

/// The project and its directory.
#[derive(Debug)]
pub(super) struct Project {
    root: PathBuf,
}

impl Project {
    /// Writes the files below `root`.
    pub(super) fn create(root: &Path) -> io::Result<Self> {
        let project = Self { root: root.to_path_buf() };
        for (file, text) in FILES {
            let path = project.path(file);
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(path, text)?;
        }
        Ok(project)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    fn edited(&self, file: &str, text: Text) -> io::Result<String> {
        let (old, new) = match text {
            Text::Whole(text) => return Ok(text.to_owned()),
            Text::Replace(old, new) => (old, new),
        };
        let now = fs::read_to_string(self.path(file))?;
        if now.contains(old) {
            return Ok(now.replacen(old, new, 1));
        }
        Err(io::Error::other(format!("{file} does not hold {old:?}")))
    }

    /// As vim, VS Code on some systems and most programs that take care: beside it, then over it.
    pub(super) fn save_by_rename(&self, file: &str, text: Text) -> io::Result<()> {
        let (text, beside) = (self.edited(file, text)?, self.path(&format!("{file}.tmp")));
        fs::write(&beside, text)?;
        fs::rename(beside, self.path(file))
    }

    /// As nano, and a shell's `>`.
    pub(super) fn save_in_place(&self, file: &str, text: Text) -> io::Result<()> {
        fs::write(self.path(file), self.edited(file, text)?)
    }

    /// As a slow copy over the network: cut off in the middle of a line at first, whole a while later.
    pub(super) async fn save_truncated(&self, file: &str, text: Text) -> io::Result<()> {
        let text = self.edited(file, text)?;
        let middle = text.find(" = ").map_or(text.len() / 2, |at| at + 2);
        fs::write(self.path(file), &text[..middle])?;
        // The pause is the edit.
        tokio::time::sleep(TRUNCATED).await;
        fs::write(self.path(file), text)
    }

    pub(super) fn remove(&self, file: &str) -> io::Result<()> {
        fs::remove_file(self.path(file))
    }

    pub(super) fn rename(&self, file: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(file), self.path(to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_that_does_not_apply_is_an_error() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::create(directory.path()).expect("a project");
        let edited = |old| project.edited("config/app.toml", Text::Replace(old, "x"));
        assert!(edited("port = 8080").expect("a text").contains("\nx\n"));
        assert!(edited("nowhere").is_err());
    }
}
