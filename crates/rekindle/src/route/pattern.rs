//! Globs relative to the root, and which directories can hold a match.

use std::path::{Component, Path};

use globset::{Glob, GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

use crate::error::{Error, ErrorKind, Result};

/// One glob: the matcher of whole paths, and one matcher for each leading directory.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    text: String,
    matcher: GlobMatcher,
    /// Matchers of the directories on the way, up to the first part that can cross directories.
    way: Vec<GlobMatcher>,
    /// Whether anything below the end of the way can match (`**`).
    deep: bool,
}

impl Pattern {
    /// Compiles `text`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Pattern`], naming the pattern, when it is malformed, absolute or leaves the root.
    pub(crate) fn new(text: &str) -> Result<Self> {
        let relative = text.strip_prefix("./").unwrap_or(text);
        refuse_leaving(text, relative)?;
        let matcher = compile(text, relative)?;
        let mut parts: Vec<&str> = relative.split('/').filter(|part| !part.is_empty()).collect();
        let deep = |part: &str| part.contains("**");
        // Braces and classes may hold a slash; split at it they would be nonsense. From there on anything can match.
        let broken = |part: &str| {
            let open = unbalanced(part, '{', '}') || unbalanced(part, '[', ']') || part.ends_with('\\');
            open || classes(part).any(|class| class.holds_separator())
        };
        let end = parts.iter().position(|part| deep(part) || broken(part));
        let deep = end.is_some();
        parts.truncate(end.unwrap_or(parts.len().saturating_sub(1)));
        let way = parts.iter().map(|part| compile(text, part)).collect::<Result<_>>()?;
        Ok(Self { text: text.to_owned(), matcher, way, deep })
    }

    /// The pattern as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a path relative to the root matches.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        self.matcher.is_match(path)
    }

    /// Whether something in this directory, or below it, can match.
    pub(crate) fn can_match_in(&self, directory: &Path) -> bool {
        let mut way = self.way.iter();
        for part in directory.components() {
            match way.next() {
                Some(matcher) if matcher.is_match(Path::new(part.as_os_str())) => {}
                Some(_) => return false,
                None => return self.deep,
            }
        }
        true
    }
}

fn refuse_leaving(text: &str, relative: &str) -> Result<()> {
    let fault = if text.is_empty() {
        "it is empty"
    } else if Path::new(text).is_absolute() || text.starts_with('/') {
        "it is absolute; patterns are relative to the root"
    } else if Path::new(relative).components().any(|part| part == Component::ParentDir) {
        "it leaves the root"
    } else {
        return Ok(());
    };
    Err(bad(text, fault))
}

fn bad(text: &str, fault: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Pattern, format!("bad pattern {text:?}: {fault}"))
}

fn compile(text: &str, part: &str) -> Result<GlobMatcher> {
    let glob: Glob = GlobBuilder::new(&within_a_name(part))
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|error| bad(text, error.kind()))?;
    Ok(glob.compile_matcher())
}

/// A character class: what stands between its brackets.
struct Class<'a> {
    body: &'a str,
    is_negated: bool,
    /// Where the body begins in the text.
    at: usize,
}

impl Class<'_> {
    /// Whether a separator is one of its characters, by a range: `[+-9]` holds `/`.
    fn holds_separator(&self) -> bool {
        let chars: Vec<char> = self.body.chars().collect();
        let in_range = |range: &[char]| range[1] == '-' && range[0] <= '/' && '/' <= range[2];
        !self.is_negated && chars.windows(3).any(in_range)
    }
}

/// The character classes of a glob.
fn classes(text: &str) -> impl Iterator<Item = Class<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let open = from + unescaped(&text[from..], '[')? + 1;
        let rest = &text[open..];
        let is_negated = rest.starts_with(['!', '^']);
        let at = open + usize::from(is_negated);
        // A bracket that comes first is one of the characters.
        let first = usize::from(text[at..].starts_with(']'));
        let length = first + text[at + first..].find(']')?;
        from = at + length + 1;
        Some(Class { body: &text[at..at + length], is_negated, at })
    })
}

fn unescaped(text: &str, wanted: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let found = c == wanted && !escaped;
        escaped = c == '\\' && !escaped;
        found.then_some(at)
    })
}

/// The same glob, with separators left out of what `[!a]` matches: globset keeps them out of `*` and `?` only.
fn within_a_name(text: &str) -> String {
    let mut within = text.to_owned();
    let negated: Vec<usize> = classes(text)
        .filter(|class| class.is_negated && !class.body.starts_with(']'))
        .map(|class| class.at)
        .collect();
    for at in negated.into_iter().rev() {
        within.insert(at, '/');
    }
    within
}

fn unbalanced(part: &str, open: char, close: char) -> bool {
    part.matches(open).count() != part.matches(close).count()
}

/// Several patterns, any of which may match.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patterns {
    all: Vec<Pattern>,
    /// All of them as one: most are told apart by an ending, or by a plain comparison. `None` where that
    /// would be too large.
    set: Option<GlobSet>,
}

impl Patterns {
    /// Compiles them all; the first bad one is the error.
    pub(crate) fn new<S: AsRef<str>>(texts: &[S]) -> Result<Self> {
        let mut patterns = Self::default();
        let compiled: Result<Vec<Pattern>> = texts.iter().map(|text| Pattern::new(text.as_ref())).collect();
        patterns.extend(compiled?);
        Ok(patterns)
    }

    /// Takes in more patterns, but for those that are in already. Says whether there were any.
    pub(crate) fn extend(&mut self, more: impl IntoIterator<Item = Pattern>) -> bool {
        let before = self.all.len();
        for pattern in more {
            if self.all.iter().all(|known| known.text() != pattern.text()) {
                self.all.push(pattern);
            }
        }
        let is_new = self.all.len() > before;
        if is_new {
            self.set = together(&self.all);
        }
        is_new
    }

    /// Whether any matches the path.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        match &self.set {
            Some(set) => set.is_match(path),
            None => self.all.iter().any(|pattern| pattern.matches(path)),
        }
    }

    /// Whether any can match in the directory or below it.
    pub(crate) fn can_match_in(&self, directory: &Path) -> bool {
        self.all.iter().any(|pattern| pattern.can_match_in(directory))
    }
}

fn together(patterns: &[Pattern]) -> Option<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(pattern.matcher.glob().clone());
    }
    set.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text).expect(text)
    }

    #[test]
    fn a_star_stays_in_its_directory_and_two_cross() {
        let cases = [
            ("config/*.toml", "config/app.toml", true),
            ("config/*.toml", "config/sub/app.toml", false),
            ("config/**/*.toml", "config/app.toml", true),
            ("config/**/*.toml", "config/a/b/app.toml", true),
            ("templates/**/*", "templates/a", true),
            ("**/.*", ".git", true),
            ("**/.*", "config/.hidden", true),
            ("**/*.tmp", "a/b.tmp", true),
            ("./config/*.toml", "config/app.toml", true),
            ("a*[!a]c", "axbc", true),
            ("a*[!a]c", "axb/c", false),
            ("[!a-c]x/*", "dx/y", true),
            ("\\\\[!a]", "\\\\b", false),
        ];
        for (text, path, expected) in cases {
            assert_eq!(pattern(text).matches(Path::new(path)), expected, "{text} on {path}");
        }
    }

    #[test]
    fn only_directories_that_can_hold_a_match_are_entered() {
        let cases = [
            ("config/**/*.toml", "", true),
            ("config/**/*.toml", "config", true),
            ("config/**/*.toml", "config/a/b", true),
            ("config/**/*.toml", "target", false),
            ("config/*.toml", "config/sub", false),
            ("*/x/*.html", "a", true),
            ("*/x/*.html", "a/x", true),
            ("*/x/*.html", "a/y", false),
            ("*.toml", "src", false),
            ("{a,b/c}/*.toml", "b/c", true),
            ("{a,b}/*.toml", "b", true),
            ("{a,b}/*.toml", "c", false),
        ];
        for (text, directory, expected) in cases {
            assert_eq!(pattern(text).can_match_in(Path::new(directory)), expected, "{text} in {directory}");
        }
    }

    #[test]
    fn a_bad_pattern_is_named() {
        for text in ["config/[", "../x/*", "a/../../b", "/etc/*", "", "{a"] {
            let error = Pattern::new(text).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Pattern);
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }
}
