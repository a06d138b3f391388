//! [`Host`]: an engine of rekindle that applies what a store says.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rekindle::{ChangeEvent, HotReloadManager, Receipt, ReloadOutcome, RemoteDocument};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::engine::{Engine, Sick};
use crate::error::{Error, Result};
use crate::model::{Digest, Payload, Release};

/// What an instance keeps beside the files of the store's layer: which release they are.
const NOTE: &str = "data/rekindle/remote/.release.json";

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

/// The release whose files are there, and what they hold.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    format: u32,
    release: Release,
    /// By their names below the directory.
    files: BTreeMap<String, Digest>,
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
        tokio::task::spawn_blocking(move || noted(&root)).await.map_err(Error::local)?
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

#[async_trait]
impl Engine for Host {
    async fn check(&self, payload: &Payload) -> Result<(), String> {
        let receipt = self.manager.check_remote(documents(payload)).await;
        said(&receipt.map_err(|error| error.to_string())?)
    }

    async fn apply(&self, applied: Option<(Release, &Payload)>) -> Result<u64, String> {
        let root = self.manager.root().to_path_buf();
        let payload = applied.map(|(_, payload)| payload);
        let before = Applied { rollbacks: self.manager.status().rollbacks, events: self.manager.subscribe() };
        let documents = payload.map(documents).unwrap_or_default();
        let receipt = self.manager.apply_remote(documents).await.map_err(|error| error.to_string())?;
        said(&receipt)?;
        if applied.is_some() {
            let mut asked = self.applied.lock().unwrap_or_else(PoisonError::into_inner);
            asked.insert(receipt.generation, before);
        }
        let note = applied.map(|(release, payload)| note(release, payload));
        let noted = tokio::task::spawn_blocking(move || write_note(&root, note.as_ref())).await;
        if let Err(error) = noted.map_err(Error::local).and_then(|noted| noted) {
            // The next start reads it from the store again.
            tracing::warn!(%error, "cannot note which release is in use");
        }
        Ok(receipt.generation)
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

fn note(release: Release, payload: &Payload) -> Note {
    let file = |document: &crate::model::Document| {
        (format!("{}.{}", document.config, document.format), Digest::of(document.text.as_bytes()))
    };
    Note { format: 1, release, files: payload.documents.iter().map(file).collect() }
}

/// Writes the note in one piece, for the user alone, or removes it.
fn write_note(root: &Path, note: Option<&Note>) -> Result<()> {
    let path = root.join(NOTE);
    let Some(note) = note else {
        return match std::fs::remove_file(&path) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(Error::local(cause)),
            _ => Ok(()),
        };
    };
    let directory = path.parent().unwrap_or(root);
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(Error::local)?;
    std::io::Write::write_all(&mut file, &crate::model::to_bytes(note)).map_err(Error::local)?;
    file.as_file().sync_all().map_err(Error::local)?;
    file.persist(&path).map(drop).map_err(Error::local)
}

/// The release that was noted, if the files are still those of it.
fn noted(root: &Path) -> Result<Option<Release>> {
    let path = root.join(NOTE);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(Error::local(format!("{}: {cause}", path.display()))),
    };
    let Ok(note) = serde_json::from_slice::<Note>(&bytes) else { return Ok(None) };
    let directory = path.parent().unwrap_or(root);
    let there = files(directory, directory)?;
    Ok((there == note.files).then_some(note.release))
}

/// What the files below a directory hold, but for those that a dot hides.
fn files(directory: &Path, base: &Path) -> Result<BTreeMap<String, Digest>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).map_err(Error::local)? {
        let path: PathBuf = entry.map_err(Error::local)?.path();
        if path.is_dir() {
            found.extend(files(&path, base)?);
        } else if let Some(name) = path.strip_prefix(base).ok().and_then(Path::to_str)
            && !name.starts_with('.')
        {
            let bytes = std::fs::read(&path).map_err(Error::local)?;
            found.insert(name.replace('\\', "/"), Digest::of(&bytes));
        }
    }
    Ok(found)
}
