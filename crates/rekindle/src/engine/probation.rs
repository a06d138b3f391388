//! Probation: for some time after a change, health checks say whether the program still works with it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::run::Engine;
use super::trial::Undo;
use crate::config::LONGEST;
use crate::error::{Error, ErrorKind, Result};
use crate::event::ChangeEvent;
use crate::validate::guarded;

/// For how long, and how often, health checks are made after a change.
///
/// It is for the change that is valid and still breaks the program. When a check fails, the values from
/// before the probation come back, and the same values are not tried again until the configuration
/// changes. A change during a probation begins it anew; what fails then is undone together.
///
/// ```
/// use std::time::Duration;
/// use rekindle::{HotReload, Probation};
///
/// let builder = HotReload::builder("/srv/shop")
///     .probation(Probation::of(Duration::from_secs(30)).every(Duration::from_secs(2)).tolerating(1))
///     .health_check("orders", || if orders_flow() { Ok(()) } else { Err("no orders".into()) });
/// # fn orders_flow() -> bool { true }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probation {
    duration: Duration,
    every: Duration,
    tolerated: u32,
}

impl Probation {
    /// A probation of this length, with a check every second, and no failure tolerated.
    pub fn of(duration: Duration) -> Self {
        Self { duration: duration.min(LONGEST), every: Duration::from_secs(1), tolerated: 0 }
    }

    /// Checks at this interval instead. At least 1 ms.
    #[must_use]
    pub fn every(self, interval: Duration) -> Self {
        Self { every: interval.clamp(Duration::from_millis(1), LONGEST), ..self }
    }

    /// Tolerates so many failures in a row.
    #[must_use]
    pub fn tolerating(self, failures: u32) -> Self {
        Self { tolerated: failures, ..self }
    }
}

/// Says whether the program works.
pub(crate) struct HealthCheck {
    pub(crate) name: String,
    pub(crate) run: Box<dyn Fn() -> Result<()> + Send + Sync>,
}

impl fmt::Debug for HealthCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthCheck").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Generations that are in use and not confirmed yet.
#[derive(Debug)]
pub(super) struct OnProbation {
    undo: Undo,
    watch: JoinHandle<Option<Error>>,
}

impl OnProbation {
    /// Resolves when it is over: with what failed, or with nothing. Never, where there is none.
    pub(super) async fn end(probation: &mut Option<Self>) -> Option<Error> {
        match probation {
            Some(on) => (&mut on.watch).await.unwrap_or(None),
            None => std::future::pending().await,
        }
    }
}

impl Engine {
    /// Has health checks made for a generation, if there are any.
    pub(super) fn put_on_probation(&mut self, mut undo: Undo) {
        let earlier = self.probation.take().map(|on| {
            on.watch.abort();
            on.undo
        });
        // What has failed meanwhile gets another chance with what has changed since.
        let failed = self.due_undo.take().map(|(undo, _)| undo);
        for earlier in earlier.into_iter().chain(failed) {
            undo = undo.onto(earlier);
        }
        let checks = self.shared.health_checks();
        let Some(probation) = self.settings.probation.clone().filter(|_| !checks.is_empty()) else {
            let names: Vec<String> = undo.configs.into_iter().map(|(name, _)| name).collect();
            return self.confirm(&names);
        };
        let generation = undo.from;
        self.shared.observe.edit(|status| status.on_probation = Some(generation));
        let watch = tokio::spawn(observe(checks, probation, self.settings.time_limit));
        self.probation = Some(OnProbation { undo, watch });
    }

    /// A probation has ended.
    pub(super) fn end_probation(&mut self, failure: Option<Error>) {
        let Some(OnProbation { undo, .. }) = self.probation.take() else { return };
        match failure {
            Some(reason) => self.due_undo = Some((undo, reason)),
            None => {
                let generation = undo.from;
                let configs: Vec<String> = undo.configs.into_iter().map(|(name, _)| name).collect();
                self.confirm(&configs);
                self.shared.observe.tell(ChangeEvent::Confirmed { generation, configs });
            }
        }
    }

    /// Undoes what has failed its probation, once nothing else is in flight.
    pub(super) fn undo_what_failed(&mut self) {
        if self.flights.is_empty()
            && let Some((undo, reason)) = self.due_undo.take()
        {
            self.revert(None, undo, &reason);
        }
    }
}

impl Undo {
    /// Both undone together: what was before the earlier one comes back.
    fn onto(mut self, earlier: Undo) -> Self {
        for (name, old) in earlier.configs {
            match self.configs.iter_mut().find(|(known, _)| *known == name) {
                Some((_, target)) => *target = old,
                None => self.configs.push((name, old)),
            }
        }
        self.to = earlier.to;
        self
    }
}

/// Makes the checks for as long as the probation lasts. Returns the failure that ends it early.
async fn observe(checks: Vec<Arc<HealthCheck>>, probation: Probation, limit: Duration) -> Option<Error> {
    let until = Instant::now() + probation.duration;
    let mut failures = 0;
    loop {
        tokio::time::sleep_until(until.min(Instant::now() + probation.every)).await;
        match first_failure(&checks, limit).await {
            Some(error) if failures == probation.tolerated => return Some(error),
            Some(_) => failures += 1,
            None => failures = 0,
        }
        if Instant::now() >= until {
            return None;
        }
    }
}

async fn first_failure(checks: &[Arc<HealthCheck>], limit: Duration) -> Option<Error> {
    for check in checks {
        let this = Arc::clone(check);
        let made = tokio::task::spawn_blocking(move || guarded("a health check", || (this.run)()));
        let said = match tokio::time::timeout(limit, made).await {
            Ok(Ok(said)) => said,
            Ok(Err(end)) => Err(end.into()),
            Err(_) => Err(Error::new(ErrorKind::Timeout, format!("it took longer than {limit:?}"))),
        };
        if let Err(error) = said {
            let message = format!("the health check {} failed: {}", check.name, error.message());
            return Some(Error::new(error.kind(), message).because(error));
        }
    }
    None
}

/// How long a URL may take to answer.
#[cfg(feature = "health-http")]
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// A check that asks a URL.
#[cfg(feature = "health-http")]
pub(crate) fn url_check(url: &str) -> impl Fn() -> Result<()> + Send + Sync + use<> {
    let config = ureq::Agent::config_builder().timeout_global(Some(ANSWERS_WITHIN)).build();
    let (agent, url) = (ureq::Agent::new_with_config(config), url.to_owned());
    // What is not 200 to 299 is an error already.
    move || match agent.get(&url).call() {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(Error::from(format!("it answered {}", answer.status()))),
        Err(cause) => Err(Error::from(cause.to_string()).because(cause)),
    }
}
