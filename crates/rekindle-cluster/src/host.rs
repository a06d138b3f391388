//! [`Host`]: an engine of rekindle that applies what a store says.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rekindle::{ChangeEvent, HotReloadManager, Receipt, ReloadOutcome, RemoteDocument};
use tokio::sync::broadcast;

use crate::engine::{Engine, Sick};
use crate::error::{Error, Result};
use crate::local::{self, Copy};
use crate::model::{Payload, Release};

/// How often the status is looked at, beside whenever something is told.
const LOOK: Duration = Duration::from_millis(100);

/// An engine that was built with a [layer for what a store says](rekindle::HotReloadBuilder::remote_layer).
#[derive(Debug)]
pub struct Host {
    manager: HotReloadManager,
    /// Whose health nobody has asked for yet, by generation.
    applied: Mutex<HashMap<u64, Applied>>,
}

/// What was the case when something was applied, and what is told since.
#[derive(Debug)]
struct Applied {
    rollbacks: u64,
    events: broadcast::Receiver<ChangeEvent>,
}

impl Host {
    /// Of this engine.
    pub fn new(manager: HotReloadManager) -> Self {
        Self { manager, applied: Mutex::default() }
    }

    /// The release that the files of the store's layer are, if they are what was applied: what was changed by hand
    /// or cut short is none, and is put right as soon as the store can be read.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] when they cannot be read.
    pub async fn release(&self) -> Result<Option<Release>> {
        let root = self.manager.root().to_path_buf();
        tokio::task::spawn_blocking(move || local::release(&root)).await.map_err(Error::local)?
    }
}

/// What an instance says of a receipt.
fn said(receipt: &Receipt) -> Result<(), String> {
    match &receipt.outcome {
        ReloadOutcome::Refused { refusals, .. } => {
            let mut whys: Vec<String> = refusals.iter().map(|refusal| refusal.error.to_string()).collect();
            whys.dedup();
            Err(whys.join("; "))
        }
        ReloadOutcome::RolledBack { reason, .. } => Err(format!("it was undone: {reason}")),
        _ => Ok(()),
    }
}

fn documents(payload: &Payload) -> Vec<RemoteDocument> {
    let document = |document: &crate::model::Document| {
        RemoteDocument::new(&*document.config, &*document.format, document.text.as_bytes())
    };
    payload.documents.iter().map(document).collect()
}

/// Applies documents, and notes which they are. The generation that they are in.
async fn apply(
    manager: HotReloadManager,
    documents: Vec<RemoteDocument>,
    copy: Option<Copy>,
) -> Result<u64, String> {
    let receipt = manager.apply_remote(documents).await.map_err(|error| error.to_string())?;
    said(&receipt)?;
    let root = manager.root().to_path_buf();
    let noted = tokio::task::spawn_blocking(move || local::keep(&root, copy.as_ref())).await;
    if let Err(error) = noted.map_err(Error::local).and_then(|noted| noted) {
        // The next start reads it from the store again.
        tracing::warn!(%error, "cannot note which release is in use");
    }
    Ok(receipt.generation)
}

#[async_trait]
impl Engine for Host {
    async fn check(&self, payload: &Payload) -> Result<(), String> {
        let receipt = self.manager.check_remote(documents(payload)).await;
        said(&receipt.map_err(|error| error.to_string())?)
    }

    async fn apply(&self, applied: Option<(Release, &Payload)>) -> Result<u64, String> {
        let before = Applied { rollbacks: self.manager.status().rollbacks, events: self.manager.subscribe() };
        let documents = applied.map(|(_, payload)| documents(payload)).unwrap_or_default();
        let copy = applied.map(|(release, payload)| Copy::of(release, payload));
        // Once begun it comes to its end, whoever still waits for it: what is noted is what is in use.
        let applying = tokio::spawn(apply(self.manager.clone(), documents, copy));
        let generation = applying.await.map_err(|error| error.to_string())??;
        if applied.is_some() {
            let mut asked = self.applied.lock().unwrap_or_else(PoisonError::into_inner);
            asked.insert(generation, before);
        }
        Ok(generation)
    }

    async fn health(&self, generation: u64) -> Result<(), Sick> {
        let Some(Applied { rollbacks, mut events }) =
            self.applied.lock().unwrap_or_else(PoisonError::into_inner).remove(&generation)
        else {
            return Ok(());
        };
        let mut reason = None;
        loop {
            let status = self.manager.status();
            while let Ok(event) = events.try_recv() {
                if let ChangeEvent::RolledBack { reason: why, .. } = event {
                    reason = Some(why);
                }
            }
            if status.rollbacks > rollbacks {
                let reason = reason.unwrap_or_else(|| "it failed its probation".to_owned());
                return Err(Sick { reason, went_back: true });
            }
            if status.on_probation.is_none() {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
