//! [`Blueprint`]: a service with all that it takes to build one.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::contract::{Running, Service};
use super::instance::Instance;
use super::limits::{after, bounded};
use crate::error::{Error, ErrorKind, Result};
use crate::manager::HotReloadManager;

pub(super) struct Blueprint<S> {
    pub(super) service: S,
    pub(super) name: String,
    pub(super) config_name: String,
    pub(super) pointer: String,
    pub(super) ready_within: Duration,
    pub(super) drain_within: Duration,
}

impl<S: Service> Blueprint<S> {
    /// The part of a configuration's value that it is built from; what is not there is null, as for streams.
    pub(super) fn part(&self, whole: &Value) -> Value {
        whole.pointer(&self.pointer).cloned().unwrap_or_default()
    }

    /// The part as it is now, and the generation that this is.
    pub(super) fn newest(&self, manager: &HotReloadManager) -> (Value, u64) {
        let snapshot = manager.snapshot();
        let part = snapshot.get(&self.config_name).map(|whole| self.part(whole));
        (part.unwrap_or_default(), snapshot.generation())
    }

    /// Builds one and waits until it is ready.
    pub(super) async fn build(
        self: &Arc<Self>,
        part: Value,
        state: Option<S::State>,
    ) -> Result<Instance<S::Running>> {
        let me = Arc::clone(self);
        let build = async move { me.build_without_limit(part, state).await };
        let built = bounded(build, Some(after(self.ready_within))).await;
        built.map_err(|error| self.not_built(error)).flatten().map_err(|error| self.within_the_part(error))
    }

    fn not_built(&self, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Timeout => {
                Error::new(ErrorKind::Timeout, format!("it was not ready within {:?}", self.ready_within))
            }
            _ => error,
        }
    }

    async fn build_without_limit(
        &self,
        part: Value,
        state: Option<S::State>,
    ) -> Result<Instance<S::Running>> {
        let config = S::Config::deserialize(&part)
            .map_err(|fault| Error::new(ErrorKind::Type, fault.to_string()).because(fault))?;
        let running = self.service.build(&config, state).await?;
        // From here on it is stopped, whatever happens.
        let instance = Instance::new(running, part);
        instance.running.ready().await?;
        Ok(instance)
    }

    /// A service knows its part alone; errors are about the whole.
    fn within_the_part(&self, error: Error) -> Error {
        let pointer = format!("{}{}", self.pointer, error.pointer().unwrap_or(""));
        error.about(pointer)
    }
}
