//! [`Supervisor`]: how a service is to be kept at its configuration.

use std::any::type_name;
use std::sync::Arc;
use std::time::Duration;

use super::blueprint::Blueprint;
use super::contract::Service;
use super::core::Core;
use super::follower::Follower;
use super::limits::runtime;
use super::place::point;
use super::supervised::Supervised;
use crate::error::Result;
use crate::manager::HotReloadManager;
use crate::propagate::Registration;

/// How long a new one may take to be built and ready.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// How long an old one may drain.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

/// States how a [`Service`] is to be supervised, and [starts](Self::start) it.
#[must_use = "it does nothing until it is started"]
#[derive(Debug)]
pub struct Supervisor<S> {
    service: S,
    name: String,
    after: Vec<String>,
    ready_within: Duration,
    drain_within: Duration,
}

impl<S: Service> Supervisor<S> {
    /// Of this service.
    pub fn new(service: S) -> Self {
        Self {
            service,
            name: type_name::<S>().to_owned(),
            after: Vec::new(),
            ready_within: READY_WITHIN,
            drain_within: DRAIN_WITHIN,
        }
    }

    /// Names it, for refusals, retirements, the log, and [`after`](Self::after) of others. Default: the type.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Has it built and switched after the service or handler of that name, if there is one.
    pub fn after(mut self, name: impl Into<String>) -> Self {
        self.after.push(name.into());
        self
    }

    /// How long a new one may take to be built and to become ready. Default: 5 s.
    ///
    /// For a change the engine's own limit holds as well, which is for all that prepare for it together:
    /// [`time_limit`](crate::HotReloadBuilder::time_limit), 10 s.
    pub fn ready_within(mut self, limit: Duration) -> Self {
        self.ready_within = limit;
        self
    }

    /// How long an old one may drain before it is cut off and stopped. Default: 30 s.
    pub fn drain_within(mut self, limit: Duration) -> Self {
        self.drain_within = limit;
        self
    }

    /// Builds the first one from the part at a JSON pointer in a configuration (the empty pointer: all of
    /// it), waits until it is ready, and replaces it at every change of that part.
    ///
    /// A new one that cannot be built or does not become ready refuses the change for everybody, as a
    /// handler does that [prepares](crate::ReloadHandler::prepare). An undo is not asked about: what it goes
    /// back to is built when it is told; where that fails the one that runs stays, and
    /// [`HandlerFailed`](crate::ChangeEvent::HandlerFailed) says so.
    ///
    /// # Errors
    ///
    /// Those of [`watch_at`](HotReloadManager::watch_at); those of the first one, with file, line and
    /// column; [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when it would come after itself; [`ErrorKind::Other`](crate::ErrorKind::Other) outside of a Tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// What was built is stopped, and nothing is followed.
    pub async fn start(
        self,
        manager: &HotReloadManager,
        config_name: &str,
        pointer: &str,
    ) -> Result<Supervised<S>> {
        let runtime = runtime("a service")?;
        let stream = manager.watch_at::<S::Config>(config_name, pointer).await?;
        let after = self.after.clone();
        let blueprint = Arc::new(self.blueprint(config_name, pointer));
        let (part, generation) = blueprint.newest(manager);
        let located = |error| point(error, manager, config_name);
        let first = blueprint.build(part, None).await.map_err(located)?;
        let core = Arc::new(Core::new(blueprint, first, generation, runtime));
        core.current.load().begin()?;
        manager.register(registration(&core, after))?;
        // What changed while the first one was built and nobody listened.
        let (part, generation) = core.blueprint.newest(manager);
        core.follow(part, generation).await.map_err(located)?;
        Ok(Supervised { core, _stream: stream })
    }

    fn blueprint(self, config_name: &str, pointer: &str) -> Blueprint<S> {
        let Self { service, name, ready_within, drain_within, .. } = self;
        let (config_name, pointer) = (config_name.to_owned(), pointer.to_owned());
        Blueprint { service, name, config_name, pointer, ready_within, drain_within }
    }
}

fn registration<S: Service>(core: &Arc<Core<S>>, after: Vec<String>) -> Registration {
    let Blueprint { name, config_name, pointer, .. } = &*core.blueprint;
    let registration = Registration::new(Follower::new(core)).named(name).at(config_name, pointer);
    after.into_iter().fold(registration, Registration::after)
}
