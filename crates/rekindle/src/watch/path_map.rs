//! A map by path in which all below a directory is one stretch.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

/// Values by path. Paths have to be written alike: one separator, none at the end.
///
/// Ordered by bytes: comparing paths part by part is what a map of many of them would spend most of its
/// time on. All below a directory is still one stretch, since it begins with the same bytes.
#[derive(Debug, Clone)]
pub(crate) struct PathMap<V>(BTreeMap<OsString, V>);

impl<V> Default for PathMap<V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<V> PathMap<V> {
    pub(crate) fn get(&self, path: &Path) -> Option<&V> {
        self.0.get(path.as_os_str())
    }

    pub(crate) fn contains(&self, path: &Path) -> bool {
        self.0.contains_key(path.as_os_str())
    }

    pub(crate) fn get_mut(&mut self, path: &Path) -> Option<&mut V> {
        self.0.get_mut(path.as_os_str())
    }

    /// What is at a path, which is the default if nothing was.
    pub(crate) fn or_default(&mut self, path: &Path) -> &mut V
    where
        V: Default,
    {
        self.0.entry(path.as_os_str().to_owned()).or_default()
    }

    pub(crate) fn insert(&mut self, path: PathBuf, value: V) -> Option<V> {
        self.0.insert(path.into_os_string(), value)
    }

    pub(crate) fn remove(&mut self, path: &Path) -> Option<V> {
        self.0.remove(path.as_os_str())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Path, &V)> {
        self.0.iter().map(|(path, value)| (Path::new(path), value))
    }

    /// What is at a path, and all below it. Below the root, which is the empty path, is all.
    pub(crate) fn below(&self, directory: &Path) -> impl Iterator<Item = (&Path, &V)> {
        let prefix = inside(directory);
        // `/`, and the root, begin with the prefix themselves.
        let is_apart = prefix != directory.as_os_str();
        let own = is_apart.then(|| self.0.get_key_value(directory.as_os_str())).flatten();
        let from_there = self.0.range::<OsStr, _>((Bound::Included(&*prefix), Bound::Unbounded));
        let inside = from_there.take_while(move |(path, _)| begins_with(path, &prefix));
        own.into_iter().chain(inside).map(|(path, value)| (Path::new(path), value))
    }

    /// The names in a directory at which, or below which, there is something: each at least once.
    ///
    /// Costs as much as there are names, however much lies below them.
    pub(crate) fn names_in(&self, directory: &Path) -> impl Iterator<Item = PathBuf> {
        let prefix = inside(directory);
        let mut from = Bound::Included(prefix.clone());
        std::iter::from_fn(move || {
            let bounds = (from.as_ref().map(OsString::as_os_str), Bound::Unbounded);
            let (path, _) = self.0.range::<OsStr, _>(bounds).find(|(path, _)| **path != prefix)?;
            let rest = path.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes())?;
            let is_below = rest.contains(&separator());
            let name = if is_below { first_part(path, &prefix) } else { PathBuf::from(path) };
            from = if is_below { Bound::Included(after(&name)) } else { Bound::Excluded(path.clone()) };
            Some(name)
        })
    }
}

/// `dir/name` of `dir/name/and/more`.
fn first_part(path: &OsStr, prefix: &OsStr) -> PathBuf {
    let depth = Path::new(prefix).components().count() + 1;
    Path::new(path).components().take(depth).collect()
}

fn separator() -> u8 {
    u8::try_from(MAIN_SEPARATOR).unwrap_or(b'/')
}

/// What all paths inside of a directory begin with.
fn inside(directory: &Path) -> OsString {
    let mut prefix = directory.as_os_str().to_owned();
    if !prefix.is_empty() && prefix.as_encoded_bytes().last() != Some(&separator()) {
        prefix.push(MAIN_SEPARATOR.to_string());
    }
    prefix
}

/// What comes after all that is inside of a directory, and before any other name.
fn after(directory: &Path) -> OsString {
    let mut next = directory.as_os_str().to_owned();
    next.push(char::from(separator() + 1).to_string());
    next
}

fn begins_with(path: &OsStr, prefix: &OsStr) -> bool {
    path.as_encoded_bytes().starts_with(prefix.as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(paths: &[&str]) -> PathMap<()> {
        let mut map = PathMap::default();
        for path in paths {
            map.insert(path.into(), ());
        }
        map
    }

    const PATHS: [&str; 9] = ["a", "a-b", "a-b/c", "a.css", "a/b", "a/b.css", "a/b/c", "a/b/d", "a0"];

    #[test]
    fn below_a_directory_is_what_is_in_it_and_nothing_beside() {
        let map = map(&PATHS);
        let below =
            |path: &str| map.below(Path::new(path)).map(|(path, ())| path.to_owned()).collect::<Vec<_>>();
        assert_eq!(below("a/b"), ["a/b", "a/b/c", "a/b/d"].map(PathBuf::from));
        assert_eq!(below("a-b"), ["a-b", "a-b/c"].map(PathBuf::from));
        assert_eq!(below("").len(), PATHS.len());
        assert!(below("b").is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn below_the_root_of_all_paths_is_everything_once() {
        let map = map(&["/", "/a", "/a/b"]);
        let below = |path: &str| map.below(Path::new(path)).map(|(path, ())| path).collect::<Vec<_>>();
        assert_eq!(below("/"), ["/", "/a", "/a/b"].map(Path::new));
        assert_eq!(below("/a"), ["/a", "/a/b"].map(Path::new));
    }

    #[test]
    fn each_name_in_a_directory() {
        let map = map(&PATHS);
        let names = |path: &str| {
            let mut names: Vec<PathBuf> = map.names_in(Path::new(path)).collect();
            names.sort();
            names.dedup();
            names
        };
        assert_eq!(names(""), ["a", "a-b", "a.css", "a0"].map(PathBuf::from));
        assert_eq!(names("a"), ["a/b", "a/b.css"].map(PathBuf::from));
        assert_eq!(names("a/b"), ["a/b/c", "a/b/d"].map(PathBuf::from));
        assert!(names("a0").is_empty());
    }
}
