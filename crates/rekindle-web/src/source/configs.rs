//! Configurations as a [`Source`]: any page may show any of their values.

use std::collections::HashMap;

use rekindle::{ChangeEvent, HotReloadManager, Status, async_trait};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::Source;
use crate::hub::hash;
use crate::{Problem, Update};

/// The name of this source.
pub(crate) const CONFIGS: &str = "configurations";

/// Follows the events of an engine. Only that something happened is taken from them; what, from the engine.
#[derive(Debug)]
pub(crate) struct Configs {
    manager: HotReloadManager,
    events: Receiver<ChangeEvent>,
    problems: Vec<Problem>,
}

impl Configs {
    pub(crate) fn new(manager: HotReloadManager) -> Self {
        // First the events: what comes in between is looked at twice.
        let events = manager.subscribe();
        let problems = problems(&manager.status());
        Self { manager, events, problems }
    }

    /// Waits for something that may concern a configuration, and takes all that is told of by then as one.
    async fn stirred(&mut self) -> Option<()> {
        loop {
            match self.events.recv().await {
                Ok(event) if !concerns(&event) => {}
                Ok(_) | Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return None,
            }
        }
        while !matches!(self.events.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
        Some(())
    }
}

#[async_trait]
impl Source for Configs {
    fn name(&self) -> &'static str {
        CONFIGS
    }

    fn contents(&self) -> HashMap<String, u64> {
        let snapshot = self.manager.snapshot();
        let digest = |name: &str| Some((name.to_owned(), hash(&snapshot.fingerprint_of(name)?)));
        snapshot.names().into_iter().filter_map(digest).collect()
    }

    fn problems(&self) -> Vec<Problem> {
        self.problems.clone()
    }

    async fn changed(&mut self) -> Option<Vec<Update>> {
        self.stirred().await?;
        let status = self.manager.status();
        // The lines around them are read from files.
        self.problems = tokio::task::spawn_blocking(move || problems(&status)).await.unwrap_or_default();
        Some(vec![Update::all_pages()])
    }
}

/// Whether an event can be about a configuration or the engine. New kinds may.
fn concerns(event: &ChangeEvent) -> bool {
    !matches!(
        event,
        ChangeEvent::FileChanged { .. } | ChangeEvent::HandlerFailed { .. } | ChangeEvent::Confirmed { .. }
    )
}

/// What is wrong with configurations and with the engine. Of a configuration the first problem has its name, the
/// others that were found in the same go a number more.
fn problems(status: &Status) -> Vec<Problem> {
    let configs = status.failures().flat_map(|(name, error)| {
        error.problems().enumerate().map(move |(index, error)| {
            let id = if index == 0 { format!("config:{name}") } else { format!("config:{name}:{index}") };
            Problem::of_error(id, "Configuration error", &status.root, error)
        })
    });
    let engine =
        status.degraded.as_ref().map(|reason| Problem::new("engine", "Hot reload is degraded", reason));
    configs.chain(engine).collect()
}
