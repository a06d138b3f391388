//! Whether git is changing files at this moment: while it does, it holds `index.lock`.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A lock older than this was left behind by a git that was killed.
const ABANDONED: Duration = Duration::from_secs(10);

/// The lock of the repository that a root lies in.
#[derive(Debug)]
pub(super) struct GitLock {
    path: Option<PathBuf>,
}

impl GitLock {
    /// Finds the repository of a root, if there is one.
    pub(super) fn of(root: &Path) -> Self {
        let directory = root.ancestors().find_map(|above| repository(&above.join(".git")));
        Self { path: directory.map(|directory| directory.join("index.lock")) }
    }

    /// Whether git holds it. One system call.
    pub(super) fn is_held(&self) -> bool {
        let metadata = self.path.as_ref().and_then(|path| path.symlink_metadata().ok());
        let since = metadata.and_then(|metadata| metadata.modified().ok());
        // A clock that was set back makes its age unknown; nothing is waited for on a guess.
        let age = since.and_then(|since| SystemTime::now().duration_since(since).ok());
        age.is_some_and(|age| age < ABANDONED)
    }
}

/// Where git keeps its index: `.git` itself, or in a linked worktree or submodule what `.git` names
/// (`gitrepository-layout(5)`).
fn repository(dot_git: &Path) -> Option<PathBuf> {
    if dot_git.is_dir() {
        return Some(dot_git.to_path_buf());
    }
    let text = std::fs::read_to_string(dot_git).ok()?;
    let named = text.strip_prefix("gitdir:")?.trim();
    Some(dot_git.parent()?.join(named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_while_the_lock_is_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().join("app/sub");
        std::fs::create_dir_all(&root).expect("made");
        std::fs::create_dir_all(dir.path().join(".git")).expect("made");
        let git = GitLock::of(&root);
        assert!(!git.is_held());
        let lock = dir.path().join(".git/index.lock");
        let file = std::fs::File::create(&lock).expect("made");
        assert!(git.is_held());
        file.set_modified(SystemTime::now() - 2 * ABANDONED).expect("set");
        assert!(!git.is_held(), "left behind by a git that was killed");
    }

    #[test]
    fn a_linked_worktree_has_its_own() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().join("worktree");
        let own = dir.path().join("main/.git/worktrees/worktree");
        std::fs::create_dir_all(&root).expect("made");
        std::fs::create_dir_all(&own).expect("made");
        std::fs::write(root.join(".git"), "gitdir: ../main/.git/worktrees/worktree\n").expect("written");
        std::fs::write(own.join("index.lock"), "").expect("written");
        assert!(GitLock::of(&root).is_held());
    }
}
