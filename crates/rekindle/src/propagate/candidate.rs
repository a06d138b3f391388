//! [`Candidate`]: a change that is about to be applied, as handlers are asked about it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::event::ChangeEvent;

/// What a configuration is about to become: it has passed all checks and is not applied yet.
#[derive(Debug)]
pub struct Candidate {
    proposal: Arc<Proposal>,
    unseen: AtomicBool,
    settled: AtomicBool,
}

/// What the candidates of one change share.
#[derive(Debug)]
pub(crate) struct Proposal {
    /// The event that will be told if it is applied.
    pub(crate) event: ChangeEvent,
    /// The files it comes from, relative to the root.
    pub(crate) paths: Vec<PathBuf>,
}

impl Proposal {
    pub(crate) fn config_name(&self) -> &str {
        match &self.event {
            ChangeEvent::ConfigChanged { config_name, .. } => config_name,
            _ => "",
        }
    }
}

impl Candidate {
    pub(crate) fn new(proposal: Arc<Proposal>) -> Self {
        Self { proposal, unseen: AtomicBool::new(false), settled: AtomicBool::new(false) }
    }

    /// The event that will be told if the change is applied; its `generation` and `duration` are 0.
    pub fn event(&self) -> &ChangeEvent {
        &self.proposal.event
    }

    /// The configuration: `app` for `config/app.toml`.
    pub fn config_name(&self) -> &str {
        self.proposal.config_name()
    }

    /// What it is now; `Null` if there is no good value yet.
    pub fn old_value(&self) -> &Value {
        match self.event() {
            ChangeEvent::ConfigChanged { old_value, .. } => old_value,
            _ => &Value::Null,
        }
    }

    /// What it would be.
    pub fn new_value(&self) -> &Value {
        match self.event() {
            ChangeEvent::ConfigChanged { new_value, .. } => new_value,
            _ => &Value::Null,
        }
    }

    /// JSON pointers of what differs, in order; the empty pointer for the whole.
    pub fn changed(&self) -> &[String] {
        match self.event() {
            ChangeEvent::ConfigChanged { changed, .. } => changed,
            _ => &[],
        }
    }

    /// Said by the default `prepare`: it has not looked, and need not be asked or waited for again.
    pub(crate) fn goes_unseen(&self) {
        self.unseen.store(true, Ordering::Relaxed);
    }

    pub(crate) fn went_unseen(&self) -> bool {
        self.unseen.load(Ordering::Relaxed)
    }

    /// Settles what came of `prepare`: it is ready, or it is given up. Says whether this was first to do so.
    pub(crate) fn settle(&self) -> bool {
        !self.settled.swap(true, Ordering::AcqRel)
    }
}
