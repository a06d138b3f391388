//! A pattern on the first line, and a path on each other.
//!
//! Where a path matches, every directory above it can hold a match: if not, it would never be seen.
//! A pattern without a special character matches itself and nothing else. A refusal names the pattern.

use std::path::{Component, Path};

use rekindle::internals::Glob;

/// What stands for something else in a pattern.
const SPECIAL: [char; 8] = ['*', '?', '[', ']', '{', '}', '\\', '!'];

pub(crate) fn check(input: &[u8]) {
    let input = String::from_utf8_lossy(input);
    let mut lines = input.lines();
    let text = lines.next().unwrap_or_default();
    let glob = match Glob::new(text) {
        Ok(glob) => glob,
        Err(error) => return assert!(error.to_string().contains(&format!("{text:?}")), "{error}"),
    };
    let likely = examples(text);
    for path in lines.map(str::to_owned).chain(likely) {
        check_path(text, &glob, Path::new(&path));
    }
}

/// Paths as the watch stage makes them: relative, and without detours.
fn is_plain(path: &Path) -> bool {
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    plain && path.components().collect::<std::path::PathBuf>().as_os_str() == path.as_os_str()
}

fn check_path(text: &str, glob: &Glob, path: &Path) {
    if !is_plain(path) || path.as_os_str().is_empty() {
        return;
    }
    let matches = glob.matches(path);
    let above = path.ancestors().skip(1);
    if let Some(barred) = above.filter(|_| matches).find(|directory| !glob.can_match_in(directory)) {
        panic!("{text:?} matches {path:?}, and is said not to match anything in {barred:?}");
    }
    let plain = text.strip_prefix("./").unwrap_or(text);
    if !plain.contains(SPECIAL) && is_plain(Path::new(plain)) {
        assert_eq!(matches, Path::new(plain) == path, "{text:?} on {path:?}");
    }
}

/// Paths that the pattern may well match.
fn examples(text: &str) -> Vec<String> {
    let text = text.strip_prefix("./").unwrap_or(text);
    let filled = |deep: &str, wide: &str| text.replace("**", deep).replace('*', wide).replace('?', "q");
    let mut examples = vec![filled("d/e", "w"), filled("", "w").replace("//", "/"), filled("d", "")];
    examples.extend(alternatives(text));
    examples
}

/// One path for each alternative of the first braces.
fn alternatives(text: &str) -> Vec<String> {
    let Some((before, rest)) = text.split_once('{') else { return Vec::new() };
    let Some((choices, after)) = rest.split_once('}') else { return Vec::new() };
    let fill = |choice: &str| format!("{before}{choice}{after}").replace("**", "d/e").replace('*', "w");
    choices.split(',').map(fill).collect()
}
