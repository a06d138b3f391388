//! A temporary project, its engine, and waiting for what the engine tells.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rekindle::prelude::*;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;

/// Long enough for a loaded machine; nothing waits for it unless something is wrong.
const LIMIT: Duration = Duration::from_secs(30);

/// A project in a temporary directory.
pub(crate) struct Site {
    directory: TempDir,
}

impl Site {
    /// A project with these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let site = Self { directory: tempfile::tempdir().expect("a temporary directory") };
        std::fs::create_dir(site.path("config")).expect("config/");
        files.iter().for_each(|(path, text)| site.write(path, text));
        site
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Writes in place, making the directories.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("the directories");
        std::fs::write(path, text).expect("a writable file");
    }

    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.path(path)).expect("a removable file");
    }

    pub(crate) fn workspace(&self) -> Workspace {
        Workspace::new(self.root())
    }

    /// A builder in the environment `development`, whatever the machine's variables say.
    pub(crate) fn builder(&self) -> HotReloadBuilder {
        HotReload::builder(self.root()).environment("development")
    }

    pub(crate) async fn start(&self) -> HotReloadManager {
        self.builder().start().await.expect("an engine")
    }
}

/// Waits for a future, not for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Waits for an event that `pick` takes.
pub(crate) async fn event<T>(
    events: &mut Receiver<ChangeEvent>,
    what: &str,
    mut pick: impl FnMut(&ChangeEvent) -> Option<T>,
) -> T {
    soon(what, async {
        loop {
            let event = events.recv().await.expect("the bus is open");
            if let Some(picked) = pick(&event) {
                return picked;
            }
        }
    })
    .await
}

/// Waits until a configuration changes, and gives its new value.
pub(crate) async fn changed(events: &mut Receiver<ChangeEvent>, name: &str) -> Value {
    event(events, &format!("a change of {name}"), |event| match event {
        ChangeEvent::ConfigChanged { config_name, new_value, .. } if config_name == name => {
            Some(new_value.clone())
        }
        _ => None,
    })
    .await
}

/// A refusal as it was told: error, path, line, column.
pub(crate) type Refusal = (String, Option<PathBuf>, Option<usize>, Option<usize>);

/// Waits until a configuration is refused.
pub(crate) async fn refused(events: &mut Receiver<ChangeEvent>, name: &str) -> Refusal {
    event(events, &format!("a refusal of {name}"), |event| match event {
        ChangeEvent::ValidationFailed { config_name, error, path, line, column } if config_name == name => {
            Some((error.clone(), path.clone(), *line, *column))
        }
        _ => None,
    })
    .await
}

/// Waits until a configuration has recovered.
pub(crate) async fn recovered(events: &mut Receiver<ChangeEvent>, name: &str) {
    event(events, &format!("the recovery of {name}"), |event| match event {
        ChangeEvent::Recovered { config_name: Some(config_name) } if config_name == name => Some(()),
        _ => None,
    })
    .await;
}

/// Everything told so far, without waiting.
pub(crate) fn so_far(events: &mut Receiver<ChangeEvent>) -> Vec<ChangeEvent> {
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}
