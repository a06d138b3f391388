//! [`Files`]: files that pages are made of beside templates and configurations, as a source of updates.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use rekindle::{ChangeEvent, ChangeType, HotReloadManager, async_trait};
use rekindle_web::{Problem, Source, Update};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::disk::{Disk, MADE};

/// What a change of a file means: its name, and whether it is gone.
pub(super) type Meaning = Box<dyn Fn(&str, bool) -> Vec<Update> + Send>;

/// Follows the files of a directory.
pub(super) struct Files {
    manager: HotReloadManager,
    events: Receiver<ChangeEvent>,
    disk: Disk,
    known: HashMap<String, u64>,
    meaning: Meaning,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").finish_non_exhaustive()
    }
}

impl Files {
    /// All that is watched.
    pub(super) fn new(manager: &HotReloadManager, meaning: Meaning) -> Self {
        // Told first, listed second: what is written in between is told of.
        let events = manager.subscribe();
        let disk = Disk::new(manager.root());
        let known = disk.contents();
        Self { manager: manager.clone(), events, disk, known, meaning }
    }

    /// The name of a file by its path, if it is one of these.
    fn name(&self, path: &Path) -> Option<String> {
        let name = path.strip_prefix(self.manager.root()).ok()?.to_str()?.replace('\\', "/");
        let is_ours = name.split('/').all(|part| !part.starts_with('.') && !MADE.contains(&part));
        is_ours.then_some(name)
    }

    fn taken_in(&mut self, path: &Path, change: &ChangeType) -> Vec<Update> {
        let mut updates = Vec::new();
        if let ChangeType::Renamed { from } = change {
            updates.extend(self.look(from));
        }
        updates.extend(self.look(path));
        updates
    }

    fn look(&mut self, path: &Path) -> Vec<Update> {
        let Some(name) = self.name(path) else { return Vec::new() };
        match self.disk.stamp(&name) {
            Some(stamp) => {
                self.known.insert(name.clone(), stamp);
                (self.meaning)(&name, false)
            }
            None if self.known.remove(&name).is_some() => (self.meaning)(&name, true),
            None => Vec::new(),
        }
    }
}

#[async_trait]
impl Source for Files {
    fn name(&self) -> &str {
        "files"
    }

    fn contents(&self) -> HashMap<String, u64> {
        self.known.clone()
    }

    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }

    async fn changed(&mut self) -> Option<Vec<Update>> {
        loop {
            match self.events.recv().await {
                Ok(ChangeEvent::FileChanged { path, change_type }) => {
                    let updates = self.taken_in(&path, &change_type);
                    if !updates.is_empty() {
                        return Some(updates);
                    }
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => {
                    self.known = self.disk.contents();
                    return Some(vec![Update::Reload]);
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
