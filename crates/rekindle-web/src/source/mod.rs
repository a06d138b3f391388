//! [`Source`]: something that pages are made of, and that changes.

mod assets;
mod templates;

use std::collections::HashMap;
use std::sync::Arc;

use rekindle::{ChangeEvent, HotReloadManager, async_trait};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::task::JoinSet;

use crate::hub::{Hub, hash};
use crate::{Problem, Update};

pub(crate) use self::assets::AssetsSource;
pub(crate) use self::templates::TemplatesSource;

/// Something that pages are made of: the configurations, templates, assets, or what a program has of its own.
#[async_trait]
pub trait Source: Send + 'static {
    /// A name that no other source has: `templates`.
    fn name(&self) -> &str;

    /// What it consists of by now: by name, a digest of each content that is the same in every run.
    fn contents(&self) -> HashMap<String, u64>;

    /// What is wrong with it by now.
    fn problems(&self) -> Vec<Problem>;

    /// Waits until its contents or problems have changed, and tells what brings pages up to date. `None` when
    /// it will not change any more.
    ///
    /// # Cancel safety
    ///
    /// It is never cancelled but for good.
    async fn changed(&mut self) -> Option<Vec<Update>>;
}

/// Has the hub follow a source for as long as its task is not stopped.
pub(crate) fn follow(hub: &Arc<Hub>, mut source: Box<dyn Source>, tasks: &mut JoinSet<()>) {
    let hub = Arc::clone(hub);
    hub.begin(source.name(), source.contents());
    hub.set_problems(source.name(), source.problems());
    tasks.spawn(async move {
        while let Some(updates) = source.changed().await {
            // Problems first: a page that is rendered for the update finds them as they are.
            hub.set_problems(source.name(), source.problems());
            hub.publish(source.name(), source.contents(), updates);
        }
    });
}

/// The configurations of a manager.
#[derive(Debug)]
pub(crate) struct Configs {
    manager: HotReloadManager,
    events: broadcast::Receiver<ChangeEvent>,
}

impl Configs {
    pub(crate) fn new(manager: HotReloadManager) -> Self {
        let events = manager.subscribe();
        Self { manager, events }
    }
}

#[async_trait]
impl Source for Configs {
    fn name(&self) -> &str {
        "configurations"
    }

    fn contents(&self) -> HashMap<String, u64> {
        let snapshot = self.manager.snapshot();
        let names = snapshot.names().into_iter();
        names.map(|name| (name.to_owned(), hash(&snapshot.fingerprint_of(name)))).collect()
    }

    fn problems(&self) -> Vec<Problem> {
        let status = self.manager.status();
        let failures = status.failures().map(|(name, error)| {
            Problem::of_error(format!("config:{name}"), "Configuration error", self.manager.root(), error)
        });
        failures.collect()
    }

    async fn changed(&mut self) -> Option<Vec<Update>> {
        loop {
            match self.events.recv().await {
                Ok(ChangeEvent::FileChanged { .. } | ChangeEvent::ReloadCompleted { .. }) => {}
                // What was missed does not matter: what there is by now is looked at.
                Ok(_) | Err(RecvError::Lagged(_)) => return Some(vec![Update::all_pages()]),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
