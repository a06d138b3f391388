//! [`Scope`]: which paths a glob means, and what they are called.

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use rekindle::{Error, ErrorKind, Result};

/// Characters that make a part of a glob more than a name.
const WILDCARDS: [char; 5] = ['*', '?', '[', '{', '\\'];

/// The files below a root that match a glob.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    root: PathBuf,
    pattern: String,
    /// The directory, relative to the root, that all matches lie in and that names are relative to.
    base: PathBuf,
    matcher: GlobMatcher,
}

impl Scope {
    /// The scope of a glob relative to `root`, which is absolute.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Pattern`] when the glob is malformed. The engine refuses what leaves the root.
    pub(crate) fn new(root: &Path, pattern: &str) -> Result<Self> {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        let glob = GlobBuilder::new(pattern).literal_separator(true).backslash_escape(true).build();
        let glob = glob.map_err(|error| {
            Error::new(ErrorKind::Pattern, format!("bad pattern {pattern:?}: {}", error.kind()))
        })?;
        Ok(Self {
            root: root.to_path_buf(),
            pattern: pattern.to_owned(),
            base: base_of(pattern),
            matcher: glob.compile_matcher(),
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The directory that names are relative to, absolute.
    pub(crate) fn directory(&self) -> PathBuf {
        self.root.join(&self.base)
    }

    /// What the file at an absolute path is called; `None` for what is not meant.
    pub(crate) fn name(&self, path: &Path) -> Option<String> {
        let relative = path.strip_prefix(&self.root).ok()?;
        let below = relative.strip_prefix(&self.base).ok()?;
        if below.components().any(is_passing) || !self.matcher.is_match(relative) {
            return None;
        }
        let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
        parts.map(|parts| parts.join("/")).filter(|name| !name.is_empty())
    }

    /// Where the file of a name lies, absolute.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// The path of a name as people are shown it: relative to the root, with `/`.
    pub(crate) fn shown(&self, name: &str) -> String {
        let base = self.base.components().filter_map(|part| part.as_os_str().to_str());
        base.chain([name]).collect::<Vec<_>>().join("/")
    }
}

/// The directories of a glob before its first wildcard.
fn base_of(pattern: &str) -> PathBuf {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let wild = parts.iter().position(|part| part.contains(WILDCARDS));
    let end = wild.unwrap_or(parts.len().saturating_sub(1));
    parts[..end].iter().collect()
}

/// Whether a name is that of a file which is there for a moment only, or is hidden: the engine tells of none.
pub(crate) fn is_passing(part: Component<'_>) -> bool {
    let Some(name) = part.as_os_str().to_str() else { return false };
    let vim_probe = name == "4913";
    let emacs = name.starts_with('#') && name.ends_with('#');
    let jetbrains = name.ends_with("___jb_tmp___") || name.ends_with("___jb_old___");
    let ending = [".tmp", ".swp", "~"].iter().any(|ending| name.ends_with(ending));
    vim_probe || emacs || jetbrains || ending || name.starts_with('.')
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
            ("templates/**", "templates/a/b.html", Some("a/b.html")),
            ("./templates/**/*.html", "templates/b.html", Some("b.html")),
            ("site/*/views/*.html", "site/shop/views/a.html", Some("shop/views/a.html")),
            ("templates/index.html", "templates/index.html", Some("index.html")),
            ("*.html", "index.html", Some("index.html")),
            ("templates/*", "templates/a/b.html", None),
            ("templates/**", "static/a.html", None),
            ("templates/{a,b}/*.html", "templates/a/x.html", Some("a/x.html")),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(name(pattern, path).as_deref(), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn what_editors_leave_for_a_moment_is_no_template() {
        for passing in ["a.html~", ".#a.html", "#a.html#", "4913", ".a.html.swp", "a.tmp", ".git/x.html"] {
            assert_eq!(name("templates/**", &format!("templates/{passing}")), None, "{passing}");
        }
    }

    #[test]
    fn a_malformed_glob_is_named() {
        let error = Scope::new(Path::new("/site"), "templates/[").expect_err("it is not closed");
        assert!(error.to_string().contains("\"templates/[\""), "{error}");
    }
}
