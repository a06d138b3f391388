//! [`Follower`]: the service among the engine's handlers.

use std::sync::{Arc, Weak};

use async_trait::async_trait;

use super::contract::Service;
use super::core::Core;
use crate::error::Result;
use crate::event::ChangeEvent;
use crate::propagate::{Candidate, ReloadHandler};

/// It does nothing once the handle of the service is gone.
pub(super) struct Follower<S: Service> {
    core: Weak<Core<S>>,
}

impl<S: Service> Follower<S> {
    pub(super) fn new(core: &Arc<Core<S>>) -> Self {
        Self { core: Arc::downgrade(core) }
    }

    fn core(&self) -> Option<Arc<Core<S>>> {
        self.core.upgrade().filter(|core| !core.is_closed())
    }
}

#[async_trait]
impl<S: Service> ReloadHandler for Follower<S> {
    fn can_handle(&self, event: &ChangeEvent) -> bool {
        matches!(event, ChangeEvent::ConfigChanged { .. }) && self.core().is_some()
    }

    async fn prepare(&self, candidate: &Candidate) -> Result<()> {
        let Some(core) = self.core() else { return Ok(()) };
        let part = core.blueprint.part(candidate.new_value());
        core.prepare(part).await
    }

    async fn abort(&self, candidate: &Candidate) {
        if let Some(core) = self.core() {
            core.discard(&core.blueprint.part(candidate.new_value()));
        }
    }

    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        let ChangeEvent::ConfigChanged { new_value, generation, .. } = event else { return Ok(()) };
        let Some(core) = self.core() else { return Ok(()) };
        let part = core.blueprint.part(&new_value);
        core.follow(part, generation).await
    }
}
