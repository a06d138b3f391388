//! [`Shared`]: what stays from one generation to the next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwapOption;
use rekindle::Result;
use tokio::sync::broadcast;

use super::config::Tls;
use super::listener::{Claim, Listener, Terms};
use super::notice::Notice;
use super::password::Password;
use super::policy::Policy;
use super::secured::Secured;
use super::slots::{Places, Slots};
use super::socket::Address;

/// How many notices a slow receiver may be behind before it is told that it lags.
const NOTICES_CAPACITY: usize = 64;

/// What stays from one generation to the next: the listeners that are held, and what is counted.
pub(super) struct Shared {
    /// By what requests are answered. `None` before the first generation serves.
    policy: ArcSwapOption<Policy>,
    listeners: Mutex<HashMap<Address, Arc<Listener>>>,
    /// Held while one is bound, so that no two generations try the same.
    pub(super) binding: tokio::sync::Mutex<()>,
    /// What TLS is spoken with, for as long as anybody does.
    secured: Mutex<Vec<(Tls, Weak<Secured>)>>,
    /// What the server's own questions are known by.
    pub(super) password: Password,
    pub(super) connections: Slots,
    pub(super) requests: Places,
    pub(super) notices: broadcast::Sender<Notice>,
}

impl Shared {
    pub(super) fn new() -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            policy: ArcSwapOption::empty(),
            listeners: Mutex::default(),
            binding: tokio::sync::Mutex::default(),
            secured: Mutex::default(),
            password: Password::new()?,
            connections: Slots::default(),
            requests: Places::default(),
            notices: broadcast::Sender::new(NOTICES_CAPACITY),
        }))
    }

    fn listeners(&self) -> MutexGuard<'_, HashMap<Address, Arc<Listener>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By what a request is answered that begins now.
    pub(super) fn policy(&self) -> Option<Arc<Policy>> {
        self.policy.load_full()
    }

    /// How many connections may be open at this moment.
    pub(super) fn connection_limit(&self) -> usize {
        self.policy.load().as_ref().map_or(usize::MAX, |policy| policy.limits.connections)
    }

    /// A claim on the listener of an address, if it is held. What is just closing is waited for.
    pub(super) async fn claim(&self, address: &Address) -> Option<Claim> {
        loop {
            let held = self.listeners().get(address).cloned()?;
            if let Some(claim) = held.claim() {
                return Some(claim);
            }
            held.until_closed().await;
        }
    }

    /// Holds a new listener; `None` when somebody was faster and one is held.
    pub(super) fn hold(&self, listener: &Arc<Listener>) -> Option<Claim> {
        let mut listeners = self.listeners();
        if listeners.contains_key(&listener.address) {
            return None;
        }
        listeners.insert(listener.address.clone(), Arc::clone(listener));
        listener.claim()
    }

    /// What is spoken already with these very files and protocols.
    pub(super) fn secured(&self, tls: &Tls) -> Option<Arc<Secured>> {
        let secured = self.secured.lock().unwrap_or_else(PoisonError::into_inner);
        secured.iter().find(|(known, _)| known == tls).and_then(|(_, secured)| secured.upgrade())
    }

    pub(super) fn keep_secured(&self, tls: &Tls, new: &Arc<Secured>) {
        let mut secured = self.secured.lock().unwrap_or_else(PoisonError::into_inner);
        secured.retain(|(known, secured)| known != tls && secured.strong_count() > 0);
        secured.push((tls.clone(), Arc::downgrade(new)));
    }

    /// The socket of a listener is closed.
    pub(super) fn release(&self, listener: &Arc<Listener>) {
        let mut listeners = self.listeners();
        if listeners.get(&listener.address).is_some_and(|held| Arc::ptr_eq(held, listener)) {
            listeners.remove(&listener.address);
        }
    }

    /// Goes over to a generation: its policy, its listeners. All others send their clients away.
    pub(super) fn publish(&self, policy: &Arc<Policy>, listeners: &[(Arc<Listener>, Arc<Terms>)]) {
        // Under the lock, so that nobody sees the listeners of two generations.
        let held = self.listeners();
        self.policy.store(Some(Arc::clone(policy)));
        for (listener, terms) in listeners {
            listener.serve(terms, policy.timeouts.lame_duck);
        }
        for listener in held.values() {
            if !listeners.iter().any(|(wanted, _)| Arc::ptr_eq(wanted, listener)) {
                listener.turn_lame();
            }
        }
        self.connections.look_again();
    }
}
