//! [`Serving`]: one generation of a server.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_util::future::join_all;
use rekindle::Result;
use rekindle::service::Running;
use tokio::sync::broadcast;

use super::listener::{Claim, Listener, Terms};
use super::notice::Notice;
use super::policy::Policy;
use super::probe;
use super::server::Handover;
use super::shared::Shared;
use super::socket::Bound;
use super::tls::Certificate;

/// One generation of a [`Server`](super::Server): what [`Supervised::load`](rekindle::service::Supervised::load) gives.
pub struct Serving {
    shared: Arc<Shared>,
    policy: Arc<Policy>,
    listeners: Vec<(Arc<Listener>, Arc<Terms>)>,
    claims: Mutex<Vec<Claim>>,
    /// Where the configuration of the server stands.
    at: String,
}

impl Serving {
    pub(super) fn new(
        shared: Arc<Shared>,
        policy: Arc<Policy>,
        listeners: Vec<(Claim, Arc<Terms>)>,
        at: String,
    ) -> Self {
        let of_claim =
            |(claim, terms): &(Claim, Arc<Terms>)| (Arc::clone(claim.listener()), Arc::clone(terms));
        let claims = listeners.iter().map(of_claim).collect();
        let (claims, listeners) = (listeners.into_iter().map(|(claim, _)| claim).collect(), claims);
        Self { shared, policy, listeners, claims: Mutex::new(claims), at }
    }

    /// Where it listens, by the names that the configuration gives.
    pub fn addresses(&self) -> BTreeMap<String, Bound> {
        self.listeners
            .iter()
            .map(|(listener, terms)| (terms.name.to_string(), listener.bound.clone()))
            .collect()
    }

    /// Where the listener of that name listens.
    pub fn address(&self, name: &str) -> Option<Bound> {
        let found = self.listeners.iter().find(|(_, terms)| &*terms.name == name);
        found.map(|(listener, _)| listener.bound.clone())
    }

    /// The certificates in use, by the names of their listeners.
    pub fn certificates(&self) -> BTreeMap<String, Certificate> {
        let of_tls = |terms: &Terms| {
            let tls = terms.tls.as_ref()?;
            Some((terms.name.to_string(), tls.credentials.info()))
        };
        self.listeners.iter().filter_map(|(_, terms)| of_tls(terms)).collect()
    }

    /// How many connections are open, those of listeners that are being given up included.
    pub fn connections(&self) -> usize {
        self.shared.connections.open()
    }

    /// How many requests are under way.
    pub fn requests(&self) -> usize {
        self.shared.requests.taken()
    }

    /// What is told of certificates, from now on, by this generation and all that follow.
    ///
    /// It holds 64; a slower reader is told [`Lagged`](broadcast::error::RecvError::Lagged).
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.shared.notices.subscribe()
    }

    fn take_claims(&self) -> Vec<Claim> {
        std::mem::take(&mut *self.claims.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("addresses", &self.addresses())
            .field("connections", &self.connections())
            .field("requests", &self.requests())
            .finish_non_exhaustive()
    }
}

impl Running for Serving {
    type State = Handover;

    fn share(&self) -> Option<Handover> {
        Some(Handover(Arc::clone(&self.shared)))
    }

    async fn ready(&self) -> Result<()> {
        probe::generation(&self.shared, &self.policy, &self.listeners).await.map_err(|error| {
            let pointer = format!("{}{}", self.at, error.pointer().unwrap_or(""));
            error.about(pointer)
        })
    }

    fn begin(&self) {
        self.shared.publish(&self.policy, &self.listeners);
    }

    async fn drain(&self, _deadline: Instant) -> Option<Handover> {
        self.take_claims().into_iter().for_each(Claim::resign);
        let lame_duck = self.policy.timeouts.lame_duck;
        join_all(self.listeners.iter().map(|(listener, _)| listener.retire(lame_duck))).await;
        None
    }

    fn stop(&self) {
        drop(self.take_claims());
        self.listeners.iter().for_each(|(listener, _)| listener.cut());
    }
}
