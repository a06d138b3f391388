//! [`LiveReloadBuilder`]: what live reload can be told.

use std::collections::HashMap;
use std::sync::Arc;

use rekindle::{Error, ErrorKind, HotReloadManager, Result};
use rekindle_templates::{Assets, Engine, RebuildNeeded, Templates};
use tokio::task::JoinSet;

use super::{LiveReload, Shared, port};
use crate::dashboard::Dashboard;
use crate::guard::{Guard, Token};
use crate::hub::Hub;
use crate::source::{AssetsSource, Configs, RebuildSource, Source, TemplatesSource, follow, program};

/// Options of [`LiveReload`], from [`LiveReload::builder`].
#[must_use = "nothing happens before `start`"]
pub struct LiveReloadBuilder {
    manager: HotReloadManager,
    sources: Vec<Box<dyn Source>>,
    hosts: Vec<String>,
    origins: Vec<String>,
    in_release: bool,
    port: Option<u16>,
    #[cfg(feature = "cluster")]
    fleet: Option<rekindle_cluster::Client>,
}

impl std::fmt::Debug for LiveReloadBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveReloadBuilder")
            .field("hosts", &self.hosts)
            .field("origins", &self.origins)
            .field("in_release", &self.in_release)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl LiveReloadBuilder {
    pub(super) fn new(manager: HotReloadManager) -> Self {
        let (sources, hosts, origins) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            manager,
            sources,
            hosts,
            origins,
            in_release: false,
            port: None,
            #[cfg(feature = "cluster")]
            fleet: None,
        }
    }

    /// Has pages follow the templates that they are rendered from.
    pub fn templates<E: Engine>(self, templates: &Templates<E>) -> Self {
        self.source(TemplatesSource::new(templates.clone()))
    }

    /// Has pages say of templates that are compiled into the program, such as those of askama, when they were
    /// saved and the program needs a rebuild.
    pub fn compiled_templates(self, rebuild: &RebuildNeeded) -> Self {
        self.source(RebuildSource::new(rebuild.clone()))
    }

    /// Has pages follow the static files that they show: stylesheets and images are exchanged, and pages loaded
    /// anew for all else.
    pub fn assets(self, assets: &Assets) -> Self {
        self.source(AssetsSource::new(assets.clone()))
    }

    /// Has pages follow a source of one's own. The configurations are followed in any case.
    pub fn source(mut self, source: impl Source) -> Self {
        self.sources.push(Box::new(source));
        self
    }

    /// Allows the server to be reached by another name than those of the loopback: `dev.example`, at any port;
    /// `dev.example:3000`, at that one; `.dev.example`, with all names below it; `192.168.0.7`, `[fd00::7]`.
    ///
    /// Pages of that host are allowed with it. Whoever reaches the server by that name can read what live reload
    /// and the dashboard tell, and use them.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// Allows pages of another origin (`https://dev.example:8443`) to talk to this server.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Whether it may start in a release build; false by default. What is for people who write a program is not
    /// for those who use it.
    pub fn in_release(mut self, allowed: bool) -> Self {
        self.in_release = allowed;
        self
    }

    /// Listens at a further port of the loopback for LiveReload's clients alone: browser extensions and editors
    /// that know no other place than 35729. Port 0 is any that is free.
    pub fn livereload_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Has the dashboard show the fleet that the program is one of: its instances, and how far a rollout is, which people
    /// can let go on, pause and abort there.
    ///
    /// Whoever can use the dashboard can then lead the rollouts of all of it.
    #[cfg(feature = "cluster")]
    pub fn fleet(mut self, client: rekindle_cluster::Client) -> Self {
        self.fleet = Some(client);
        self
    }

    /// Starts to follow the sources, on the tokio runtime that it is called in.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] in a release build that was not [allowed](Self::in_release), [`ErrorKind::Check`] for
    /// a host or an origin that is none, [`ErrorKind::Io`] when the further port cannot be had.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(self) -> Result<LiveReload> {
        check_build(!cfg!(debug_assertions), self.in_release)?;
        let shared = Arc::new(Shared {
            hub: Arc::new(Hub::new(program())),
            guard: self.guard()?,
            token: Token::new()
                .map_err(|cause| Error::from(format!("no random bits for a token: {cause}")))?,
            dashboard: self.dashboard(),
        });
        let mut tasks = JoinSet::new();
        if let Some(port) = self.port {
            tasks.spawn(port::serve(port::listen(port)?, Arc::clone(&shared)));
        }
        let mut names = Names::default();
        let configs = Box::new(Configs::new(self.manager));
        let configs = follow(&shared.hub, names.distinct(configs.name()), configs);
        for source in self.sources {
            tasks.spawn(follow(&shared.hub, names.distinct(source.name()), source));
        }
        // Configurations end with the engine, and with that all there is to tell.
        let hub = Arc::clone(&shared.hub);
        tasks.spawn(async move {
            configs.await;
            hub.close();
        });
        Ok(LiveReload::new(shared, tasks))
    }

    fn dashboard(&self) -> Dashboard {
        let dashboard = Dashboard::new(self.manager.clone());
        #[cfg(feature = "cluster")]
        if let Some(client) = &self.fleet {
            return dashboard.fleet(client.clone());
        }
        dashboard
    }

    fn guard(&self) -> Result<Guard> {
        let mut guard = Guard::default();
        let refused = |what: &str, text: &str, example: &str| {
            Error::new(ErrorKind::Check, format!("{text:?} is no {what}: expected one as `{example}`"))
        };
        for host in &self.hosts {
            guard.allow_host(host).ok_or_else(|| refused("host", host, "dev.example"))?;
        }
        for origin in &self.origins {
            guard
                .allow_origin(origin)
                .ok_or_else(|| refused("origin", origin, "https://dev.example:8443"))?;
        }
        Ok(guard)
    }
}

/// Names of sources. Of two that have the same one, such as the assets of two directories, neither takes the
/// other's place.
#[derive(Debug, Default)]
struct Names(HashMap<String, usize>);

impl Names {
    fn distinct(&mut self, name: &str) -> String {
        let count = self.0.entry(name.to_owned()).or_default();
        *count += 1;
        if *count == 1 { name.to_owned() } else { format!("{name} {count}") }
    }
}

fn check_build(is_release: bool, is_allowed: bool) -> Result<()> {
    if !is_release || is_allowed {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Conflict,
        "this is a release build, and live reload shows whoever can reach it errors and configurations: leave it \
         out of release builds, or allow it with `LiveReload::builder(..).in_release(true)`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_the_same_name_are_told_apart() {
        let mut names = Names::default();
        assert_eq!(
            ["assets", "templates", "assets"].map(|name| names.distinct(name)),
            ["assets", "templates", "assets 2"]
        );
    }

    #[test]
    fn a_release_build_has_to_be_allowed() {
        assert!(check_build(false, false).is_ok());
        assert!(check_build(true, true).is_ok());
        let error = check_build(true, false).unwrap_err();
        assert!(error.message().contains(".in_release(true)"), "{error}");
    }
}
