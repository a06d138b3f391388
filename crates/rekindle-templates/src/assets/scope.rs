//! [`Scope`]: which files a glob means, and what they are called.

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use rekindle::{Error, ErrorKind, Result};

/// Characters that make a part of a glob more than a name.
const WILDCARDS: [char; 5] = ['*', '?', '[', '{', '\\'];

/// The files below a root that match a glob.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    root: PathBuf,
    /// The directory before the first wildcard, relative to the root: names are relative to it.
    base: PathBuf,
    matcher: GlobMatcher,
}

impl Scope {
    /// The scope of a glob relative to `root`, which is absolute.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Pattern`] when the glob is malformed. The engine refuses one that leaves the root.
    pub(super) fn new(root: &Path, pattern: &str) -> Result<Self> {
        let relative = pattern.strip_prefix("./").unwrap_or(pattern);
        let glob = GlobBuilder::new(relative).literal_separator(true).backslash_escape(true).build();
        let bad = |error: globset::Error| {
            Error::new(ErrorKind::Pattern, format!("bad pattern {pattern:?}: {}", error.kind()))
        };
        let matcher = glob.map_err(bad)?.compile_matcher();
        Ok(Self { root: root.to_path_buf(), base: base_of(relative), matcher })
    }

    /// The directory that names are relative to, absolute.
    pub(super) fn directory(&self) -> PathBuf {
        self.root.join(&self.base)
    }

    /// What that directory is called below the root, with `/`.
    pub(super) fn base(&self) -> String {
        joined(&self.base).unwrap_or_default()
    }

    /// What the file at an absolute path is called; `None` for what is not meant.
    pub(super) fn name(&self, path: &Path) -> Option<String> {
        let relative = path.strip_prefix(&self.root).ok()?;
        let below = relative.strip_prefix(&self.base).ok()?;
        if below.components().any(is_hidden) || !self.matcher.is_match(relative) {
            return None;
        }
        joined(below).filter(|name| !name.is_empty())
    }

    /// Where the file of a name lies, absolute.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// A path as people are shown it: relative to the root.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// With `/` on every system. A name that is not UTF-8 has its place in it all the same, and no address.
fn joined(path: &Path) -> Option<String> {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_str()).collect();
    parts.into_iter().collect::<Option<Vec<_>>>().map(|parts| parts.join("/"))
}

/// The directories of a glob before its first wildcard.
fn base_of(pattern: &str) -> PathBuf {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let wild = parts.iter().position(|part| part.contains(WILDCARDS));
    let end = wild.unwrap_or(parts.len().saturating_sub(1));
    parts[..end].iter().collect()
}

/// Whether a name is hidden, or that of a file which is there for a moment only while another is saved.
pub(super) fn is_hidden(part: Component<'_>) -> bool {
    let name = part.as_os_str().as_encoded_bytes();
    let of_an_editor = name == b"4913" || name.ends_with(b"___jb_tmp___") || name.ends_with(b"___jb_old___");
    let passing = [&b".tmp"[..], b".swp", b"~"].iter().any(|ending| name.ends_with(ending));
    name.starts_with(b".") || passing || of_an_editor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(pattern: &str, path: &str) -> Option<String> {
        let root = Path::new("/site");
        Scope::new(root, pattern).expect(pattern).name(&root.join(path))
    }

    #[test]
    fn names_are_relative_to_what_stands_before_the_first_wildcard() {
        let cases = [
            ("static/**", "static/a/b.css", Some("a/b.css")),
            ("./static/**/*.css", "static/b.css", Some("b.css")),
            ("static/*", "static/a/b.css", None),
            ("static/**", "templates/a.html", None),
            ("**", "a/b.css", Some("a/b.css")),
            ("static/logo.svg", "static/logo.svg", Some("logo.svg")),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(name(pattern, path).as_deref(), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn hidden_files_and_what_editors_leave_for_a_moment_are_not_meant() {
        for hidden in [".env", ".git/config", "a/.b/c.css", "a.css~", "a.css.swp", "a.tmp", "4913"] {
            assert_eq!(name("static/**", &format!("static/{hidden}")), None, "{hidden}");
        }
    }

    #[test]
    fn a_malformed_glob_is_named() {
        let error = Scope::new(Path::new("/site"), "static/[").expect_err("it is not closed");
        assert_eq!(error.kind(), ErrorKind::Pattern);
        assert!(error.to_string().contains("\"static/[\""), "{error}");
    }
}
