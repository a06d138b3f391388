//! Where links lead: whatever changes on the way of a link changes what the link stands for, and no
//! event names the link itself. So each directory on its way is armed, too.
//!
//! This is what finds Kubernetes' `..data` swap, an edit of a link's target outside the root, a link
//! that is re-pointed further along its way, and the target of a dangling one coming into being.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::path_map::PathMap;

/// As many as Linux follows (`path_resolution(7)`).
const LONGEST_CHAIN: usize = 40;

/// The links among what is watched, and the names they lead through.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// For each link, relative to the root, the names on its way, absolute: further links, and its end.
    ways: PathMap<BTreeSet<PathBuf>>,
    /// For each name on a way, the links that lead through it.
    through: PathMap<BTreeSet<PathBuf>>,
}

/// Directories, absolute, that have to be armed for a way that was learned, and that need not be any more.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rearm {
    pub(super) arm: BTreeSet<PathBuf>,
    pub(super) disarm: BTreeSet<PathBuf>,
}

impl Links {
    /// The links that lead through a name.
    pub(super) fn through(&self, name: &Path) -> Vec<PathBuf> {
        self.through.get(name).into_iter().flatten().cloned().collect()
    }

    /// The links that lead through a directory.
    pub(super) fn through_directory(&self, directory: &Path) -> Vec<PathBuf> {
        let links: BTreeSet<&PathBuf> = self.through.below(directory).flat_map(|(_, links)| links).collect();
        links.into_iter().cloned().collect()
    }

    /// Whether a path is known to be a link.
    pub(super) fn contains(&self, link: &Path) -> bool {
        self.ways.contains(link)
    }

    /// The links below a directory, and itself if it is one.
    pub(super) fn below(&self, directory: &Path) -> Vec<PathBuf> {
        self.ways.below(directory).map(|(link, _)| link.to_path_buf()).collect()
    }

    /// Notes where a link leads now. A path that is no link leads nowhere.
    pub(super) fn learn(&mut self, link: &Path, way: BTreeSet<PathBuf>) -> Rearm {
        let before = self.ways.remove(link).unwrap_or_default();
        for name in before.difference(&way) {
            if let Some(links) = self.through.get_mut(name) {
                links.remove(link);
                if links.is_empty() {
                    self.through.remove(name);
                }
            }
        }
        for name in &way {
            self.through.or_default(name).insert(link.to_path_buf());
        }
        let parents = |way: &BTreeSet<PathBuf>| -> BTreeSet<PathBuf> {
            way.iter().filter_map(|name| name.parent()).map(Path::to_path_buf).collect()
        };
        let (old, arm) = (parents(&before), parents(&way));
        let unused = |directory: &PathBuf| !arm.contains(directory) && !self.leads_into(directory);
        let disarm = old.into_iter().filter(unused).collect();
        if !way.is_empty() {
            self.ways.insert(link.to_path_buf(), way);
        }
        Rearm { arm, disarm }
    }

    /// Whether some link leads through an entry of this directory.
    fn leads_into(&self, directory: &Path) -> bool {
        self.through.below(directory).any(|(name, _)| name.parent() == Some(directory))
    }
}

/// The names that a path leads through beyond its own: each further link, and what the last leads to,
/// whether it exists or not. Empty for what is no link, nor below one.
pub(super) fn way(path: &Path) -> BTreeSet<PathBuf> {
    let mut names = BTreeSet::new();
    let mut rest: VecDeque<OsString> = parts(path);
    let mut at = PathBuf::from(std::path::MAIN_SEPARATOR_STR);
    let mut followed = 0;
    while let Some(part) = rest.pop_front() {
        if part == ".." {
            at.pop();
            continue;
        }
        let name = at.join(&part);
        let Ok(target) = std::fs::read_link(&name) else {
            at = name;
            continue;
        };
        followed += 1;
        if followed > LONGEST_CHAIN {
            return names;
        }
        if name != path {
            names.insert(name);
        }
        if target.is_absolute() {
            at = PathBuf::from(std::path::MAIN_SEPARATOR_STR);
        }
        for part in parts(&target).into_iter().rev() {
            rest.push_front(part);
        }
    }
    if followed > 0 && at != path {
        names.insert(at);
    }
    names
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let named = |part: &Component<'_>| matches!(part, Component::Normal(_) | Component::ParentDir);
    path.components().filter(named).map(|part| part.as_os_str().to_owned()).collect()
}
