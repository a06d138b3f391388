//! [`Recorder`]: every event of an engine or a watcher, in order, and waiting for the next.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rekindle::{ChangeEvent, ChangeType};
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{Instant, timeout, timeout_at};

use crate::LIMIT;

/// Takes events off a receiver and keeps them.
///
/// It panics, with all it has seen, when the events end, when some were missed, and when what is
/// waited for does not come within [`LIMIT`].
#[derive(Debug)]
pub struct Recorder {
    root: PathBuf,
    receiver: broadcast::Receiver<ChangeEvent>,
    seen: Vec<ChangeEvent>,
}

impl Recorder {
    /// Records what `receiver` gets; paths are shown relative to `root`.
    #[must_use]
    pub fn new(root: &Path, receiver: broadcast::Receiver<ChangeEvent>) -> Self {
        Self { root: root.to_path_buf(), receiver, seen: Vec::new() }
    }

    /// Everything seen so far.
    #[must_use]
    pub fn seen(&self) -> &[ChangeEvent] {
        &self.seen
    }

    /// Everything seen so far, [in brief](brief).
    #[must_use]
    pub fn story(&self) -> Vec<String> {
        self.seen.iter().map(|event| brief(event, &self.root)).collect()
    }

    /// Begins a new record.
    pub fn clear(&mut self) {
        self.seen.clear();
    }

    /// Keeps only some of what has been seen.
    pub fn retain(&mut self, keep: impl FnMut(&ChangeEvent) -> bool) {
        self.seen.retain(keep);
    }

    /// Takes what is there already, without waiting.
    pub fn drain(&mut self) {
        loop {
            match self.receiver.try_recv() {
                Ok(event) => self.seen.push(event),
                Err(TryRecvError::Empty) => return,
                Err(end) => self.fail(&format!("no more events: {end}")),
            }
        }
    }

    /// Waits for the next event, whichever. Says whether one came in time.
    pub async fn next_within(&mut self, limit: Duration) -> bool {
        match timeout(limit, self.receiver.recv()).await {
            Ok(Ok(event)) => self.seen.push(event),
            Ok(Err(end)) => self.fail(&format!("no more events: {end}")),
            Err(_) => return false,
        }
        true
    }

    /// Waits for an event. `what` says in the panic's message what was waited for.
    pub async fn until(&mut self, what: &str, mut wanted: impl FnMut(&ChangeEvent) -> bool) -> ChangeEvent {
        let deadline = Instant::now() + LIMIT;
        loop {
            let event = match timeout_at(deadline, self.receiver.recv()).await {
                Ok(Ok(event)) => event,
                Ok(Err(RecvError::Closed)) => self.fail(&format!("the events ended before {what}")),
                Ok(Err(RecvError::Lagged(missed))) => {
                    self.fail(&format!("missed {missed} events before {what}"))
                }
                Err(_) => self.fail(&format!("waited {LIMIT:?} for {what}")),
            };
            self.seen.push(event.clone());
            if wanted(&event) {
                return event;
            }
        }
    }

    /// Waits until a configuration has been reloaded and gives its value and generation.
    ///
    /// Panics when it is refused, so that a test fails on the save that was refused.
    pub async fn reloaded(&mut self, config: &str) -> (Value, u64) {
        let what = format!("the reload of {config:?}");
        let (mut found, mut refused) = (None, false);
        let completed = |event: &ChangeEvent| match event {
            ChangeEvent::ConfigChanged { config_name, new_value, generation, .. }
                if config_name == config =>
            {
                found = Some((new_value.clone(), *generation));
                false
            }
            ChangeEvent::ValidationFailed { config_name, .. } if config_name == config => {
                refused = true;
                true
            }
            ChangeEvent::ReloadCompleted { config_name, .. } => config_name == config,
            _ => false,
        };
        self.until(&what, completed).await;
        match found {
            Some(found) if !refused => found,
            _ => self.fail(&format!("{config:?} was refused, or completed without a change")),
        }
    }

    /// Waits until a file (relative) was told to have changed, in any way.
    pub async fn told_of(&mut self, file: &str) -> ChangeType {
        let wanted = self.root.join(file);
        let told =
            |event: &ChangeEvent| matches!(event, ChangeEvent::FileChanged { path, .. } if *path == wanted);
        match self.until(&format!("a change of {file}"), told).await {
            ChangeEvent::FileChanged { change_type, .. } => change_type,
            _ => unreachable!("only a changed file was waited for"),
        }
    }

    /// Waits until a file (relative) was told to have gone.
    pub async fn told_of_deletion(&mut self, file: &str) {
        let wanted = self.root.join(file);
        let gone = |event: &ChangeEvent| match event {
            ChangeEvent::FileChanged { path, change_type } => {
                *path == wanted && *change_type == ChangeType::Deleted
            }
            _ => false,
        };
        self.until(&format!("the deletion of {file}"), gone).await;
    }

    fn fail(&self, why: &str) -> ! {
        let story = self.story();
        let from = story.len().saturating_sub(40);
        panic!("{why}; the last of {} events: {:#?}", story.len(), &story[from..]);
    }
}

/// An event in a few words, without what differs from run to run: `config/app.toml modified`,
/// `app changed to {"port":80}`, `app completed`, `app refused: ...`.
#[must_use]
pub fn brief(event: &ChangeEvent, root: &Path) -> String {
    let shown = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
    match event {
        ChangeEvent::ConfigChanged { config_name, new_value, .. } => {
            format!("{config_name} changed to {new_value}")
        }
        ChangeEvent::ReloadCompleted { config_name, .. } => format!("{config_name} completed"),
        ChangeEvent::ValidationFailed { config_name, error, .. } => format!("{config_name} refused: {error}"),
        ChangeEvent::FileChanged { path, change_type: ChangeType::Renamed { from } } => {
            format!("{} renamed from {}", shown(path), shown(from))
        }
        ChangeEvent::FileChanged { path, change_type } => format!("{} {}", shown(path), change_type.as_str()),
        other => format!("{other:?}"),
    }
}
