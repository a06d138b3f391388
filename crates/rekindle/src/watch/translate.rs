//! From what a backend tells to signals: directories that appear are entered, links are followed, and
//! the rest is a word on a wanted file.

use std::path::{Path, PathBuf};

use super::backend::{Happened, Notice, Subject};
use super::walk::is_link_to_directory;
use super::{Found, Inventory, Stamp, Watch};
use crate::route::{Temporary, is_config_file, temporary};
use crate::settle::What;

impl Watch {
    pub(super) fn take(&mut self, notice: Notice, inventory: &Inventory, found: &mut Found) {
        match notice.of {
            _ if notice.path.is_absolute() => self.take_on_the_way(&notice, inventory, found),
            Subject::Itself => self.take_own(&notice, inventory, found),
            Subject::Directory => self.take_directory(notice, inventory, found),
            Subject::File if notice.what == Happened::Unclear => self.take_unclear(notice, inventory, found),
            Subject::File => self.take_file(notice, inventory, found),
        }
    }

    /// About an armed directory itself. Its parent tells as well, except for the root.
    fn take_own(&mut self, notice: &Notice, inventory: &Inventory, found: &mut Found) {
        if notice.what == Happened::Deleted {
            self.gone(&notice.path, inventory, found);
        }
        let is_back = notice.what == Happened::Deleted && self.root.join(&notice.path).is_dir();
        if is_back || self.refused.contains_key(&notice.path) {
            self.enter(&notice.path, found);
        } else if notice.path.as_os_str().is_empty() {
            self.missing = notice.what == Happened::Deleted;
        }
    }

    /// What was known below a directory, or behind a link to one, is there no more.
    fn gone(&mut self, directory: &Path, inventory: &Inventory, found: &mut Found) {
        if let Some(backend) = &mut self.backend {
            backend.disarm_below(directory);
        }
        let below: Vec<PathBuf> =
            self.refused.keys().filter(|path| path.starts_with(directory)).cloned().collect();
        below.iter().for_each(|path| drop(self.refused.remove(path)));
        for link in self.links.below(directory).into_iter().filter(|link| link != directory) {
            self.learn(&link);
        }
        inventory.below(directory).for_each(|path| found.signal(path.to_path_buf(), What::Gone));
    }

    fn take_directory(&mut self, notice: Notice, inventory: &Inventory, found: &mut Found) {
        let Notice { path, what, .. } = notice;
        match what {
            Happened::Deleted | Happened::MovedFrom(_) => self.gone(&path, inventory, found),
            // Its mode changed: that matters if it could not be read.
            Happened::Attributes if self.is_armed(&path) && !self.refused.contains_key(&path) => {}
            _ if self.interest.directory(&path) => self.enter(&path, found),
            _ => {}
        }
        // Where a file was, or a configuration should be, somebody will miss it.
        if self.interest.file(&path) && (inventory.get(&path).is_some() || is_config_file(&path)) {
            found.signal(path, What::Finished);
        }
    }

    /// Tells of every file in a directory that appeared, or can be read now.
    fn enter(&mut self, directory: &Path, found: &mut Found) {
        for (path, stamp) in self.walk(directory) {
            found.signal(path, What::Seen(Some(stamp)));
        }
    }

    fn take_file(&mut self, notice: Notice, inventory: &Inventory, found: &mut Found) {
        let Notice { path, what, .. } = notice;
        if let Happened::MovedFrom(cookie) = what {
            self.moved = Some((cookie, path.clone()));
        }
        if what.may_replace() {
            self.relink(&path, inventory, found);
        }
        if !self.interest.file(&path) {
            return self.take_temporary(path, what, found);
        }
        let what = match what {
            Happened::MovedTo(cookie) => self.moved_to(cookie, inventory),
            other => self.word(other, &path),
        };
        found.signal(path, what);
    }

    /// What happened to a wanted file, as the settle stage wants to hear it.
    fn word(&self, what: Happened, path: &Path) -> What {
        match what {
            Happened::Closed | Happened::MovedTo(_) => What::Finished,
            Happened::Modified => What::Writing,
            Happened::Deleted | Happened::MovedFrom(_) => What::Gone,
            Happened::Created => created(&self.root.join(path)),
            // Perhaps it can be read now. Says nothing of whether it is open for writing.
            Happened::Attributes => What::Seen(None),
            Happened::Unclear => {
                Stamp::of(&self.root.join(path)).map_or(What::Gone, |stamp| What::Seen(Some(stamp)))
            }
        }
    }

    fn moved_to(&mut self, cookie: u32, inventory: &Inventory) -> What {
        let from =
            self.moved.take().filter(|(moved, from)| *moved == cookie && inventory.get(from).is_some());
        from.map_or(What::Finished, |(_, from)| What::RenamedFrom(from))
    }

    /// A temporary file beside wanted ones says that more is coming.
    fn take_temporary(&self, path: PathBuf, what: Happened, found: &mut Found) {
        let Some(kind) = temporary(&path) else { return };
        let is_written = matches!(what, Happened::Created | Happened::Modified);
        let more = kind == Temporary::OneOfMany;
        found.signal(path, if is_written { What::Staging } else { What::Staged { more } });
    }

    /// A name came or went that is, or was, a link.
    fn relink(&mut self, path: &Path, inventory: &Inventory, found: &mut Found) {
        let is_link = self.root.join(path).symlink_metadata().is_ok_and(|data| data.is_symlink());
        if self.is_armed(path) {
            // It led to a directory: what was found through it is gone until it is found again.
            self.gone(path, inventory, found);
        }
        let is_wanted = self.interest.file(path) || self.interest.directory(path);
        if self.links.contains(path) || is_link && is_wanted {
            self.learn(path);
        }
        if is_link && self.interest.directory(path) && is_link_to_directory(&self.root, path) {
            self.enter(path, found);
        }
    }

    /// Something changed that links lead through.
    fn take_on_the_way(&mut self, notice: &Notice, inventory: &Inventory, found: &mut Found) {
        let links = match notice.of {
            Subject::Itself if notice.what == Happened::Deleted => {
                if let Some(backend) = &mut self.backend {
                    backend.disarm(&notice.path);
                }
                self.links.through_directory(&notice.path)
            }
            Subject::Itself => Vec::new(),
            Subject::File | Subject::Directory => self.links.through(&notice.path),
        };
        for link in links {
            self.follow(&link, notice.what, inventory, found);
        }
    }

    fn follow(&mut self, link: &Path, what: Happened, inventory: &Inventory, found: &mut Found) {
        let may_replace = what.may_replace();
        if may_replace {
            self.learn(link);
        }
        let is_root = link.as_os_str().is_empty();
        let is_directory = is_root || is_link_to_directory(&self.root, link);
        if may_replace && (is_directory || self.is_armed(link)) {
            self.gone(link, inventory, found);
            self.missing = if is_root { !self.root.is_dir() } else { self.missing };
            if is_directory && self.interest.directory(link) {
                self.enter(link, found);
            }
        } else if !is_directory && self.interest.file(link) {
            found.signal(link.to_path_buf(), self.word(what, link));
        }
    }

    /// The system says that something happened, and not what.
    fn take_unclear(&mut self, notice: Notice, inventory: &Inventory, found: &mut Found) {
        let path = notice.path;
        let full = self.root.join(&path);
        let kind = full.symlink_metadata().map(|data| data.file_type());
        match kind {
            Ok(kind) if kind.is_dir() => {
                if self.interest.directory(&path) {
                    self.enter(&path, found);
                }
            }
            Err(_) if inventory.get(&path).is_none() => self.gone(&path, inventory, found),
            _ => {
                self.relink(&path, inventory, found);
                if self.interest.file(&path) && !full.is_dir() {
                    let what = self.word(Happened::Unclear, &path);
                    found.signal(path, what);
                }
            }
        }
    }
}

/// A name that appeared: a link is finished, a new file is not. One with something in it is either a
/// file that was linked here and unlinked there, or its writer's `Modified` comes right after this.
fn created(path: &Path) -> What {
    match path.symlink_metadata() {
        Ok(data) if data.is_file() && links_to(&data) == 1 && data.len() > 0 => What::Seen(None),
        Ok(data) if data.is_file() && links_to(&data) == 1 => What::Writing,
        Ok(_) => What::Finished,
        Err(_) => What::Gone,
    }
}

#[cfg(unix)]
fn links_to(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn links_to(_: &std::fs::Metadata) -> u64 {
    1
}
