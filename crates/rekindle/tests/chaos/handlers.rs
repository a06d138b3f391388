//! The handlers: one that has a say, one that a change stands or falls with, one that does not matter,
//! and one that only listens. What the value says they do, they do.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rekindle::{Candidate, ChangeEvent, Error, ErrorKind, Registration, ReloadHandler, Result};
use serde_json::Value;

use crate::kind::{Kind, kind_of};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The panics that belong to the game are not worth a backtrace each.
pub(crate) fn keep_quiet() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.payload().downcast_ref::<&str>().is_some_and(|text| text.starts_with("chaos: ")) {
            usual(panic);
        }
    }));
}

/// Where calls hang that block their thread, until they are let go.
#[derive(Debug, Default)]
pub(crate) struct Hangs {
    released: Mutex<u64>,
    bell: Condvar,
}

impl Hangs {
    /// Hangs until the next release; not for ever, should the test itself have ended. Who is let go before
    /// anybody has noticed has failed all the same.
    pub(crate) fn hang(&self) -> Result<()> {
        let released = lock(&self.released);
        let before = *released;
        drop(self.bell.wait_timeout_while(released, Duration::from_secs(60), |now| *now == before));
        Err("let go".into())
    }

    /// Lets go of all that hang now.
    pub(crate) fn release(&self) {
        *lock(&self.released) += 1;
        self.bell.notify_all();
    }
}

/// What a handler has been told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The last value of each configuration.
    pub(crate) last: Mutex<BTreeMap<String, Value>>,
    /// What it has prepared for, and not been told of since.
    pub(crate) prepared: Mutex<Vec<(String, Value)>>,
    pub(crate) faults: Mutex<Vec<String>>,
}

impl Told {
    fn note(&self, config: String, value: Value) {
        lock(&self.last).insert(config, value);
    }

    fn take_back(&self, config: &str, value: &Value) -> bool {
        let mut prepared = lock(&self.prepared);
        let known = prepared.iter().position(|(name, of)| name == config && of == value);
        known.map(|index| prepared.remove(index)).is_some()
    }
}

/// All handlers, and what each has been told, by name.
pub(crate) fn all(hangs: &Arc<Hangs>) -> Vec<(&'static str, Arc<Told>, Registration)> {
    let [gate, core, extra, listener] = [(); 4].map(|()| Arc::<Told>::default());
    let registered = |told: &Arc<Told>, part| {
        let (told, hangs) = (Arc::clone(told), Arc::clone(hangs));
        Registration::new(Handler { part, told, hangs })
    };
    let first = Registration::new(Gate { told: Arc::clone(&gate) }).named("gate");
    let second = registered(&core, Part::Core).named("core").after("gate").critical();
    let third = registered(&extra, Part::Extra).named("extra").after("core");
    let fourth = registered(&listener, Part::Listener).named("listener");
    vec![
        ("gate", gate, first),
        ("core", core, second),
        ("extra", extra, third),
        ("listener", listener, fourth),
    ]
}

/// The handler that has a say.
struct Gate {
    told: Arc<Told>,
}

#[async_trait::async_trait]
impl ReloadHandler for Gate {
    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        if let ChangeEvent::ConfigChanged { config_name, new_value, .. } = event {
            self.told.take_back(&config_name, &new_value);
            self.told.note(config_name, new_value);
        }
        Ok(())
    }

    fn can_handle(&self, event: &ChangeEvent) -> bool {
        matches!(event, ChangeEvent::ConfigChanged { .. })
    }

    async fn prepare(&self, candidate: &Candidate) -> Result<()> {
        let (config, value) = (candidate.config_name(), candidate.new_value());
        match kind_of(config, value) {
            Some(Kind::Veto) => return Err(Error::new(ErrorKind::Other, "the gate is shut")),
            Some(Kind::PreparePanic) => panic!("chaos: the gate"),
            Some(Kind::PrepareHang) => std::future::pending().await,
            _ => {}
        }
        lock(&self.told.prepared).push((config.to_owned(), value.clone()));
        Ok(())
    }

    async fn abort(&self, candidate: &Candidate) {
        if !self.told.take_back(candidate.config_name(), candidate.new_value()) {
            let fault = format!("told to abort what it had not prepared for: {}", candidate.new_value());
            lock(&self.told.faults).push(fault);
        }
    }
}

/// What a handler without a say is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A change stands or falls with it. It blocks its thread.
    Core,
    Extra,
    Listener,
}

/// A handler without a say.
struct Handler {
    part: Part,
    told: Arc<Told>,
    hangs: Arc<Hangs>,
}

#[async_trait::async_trait]
impl ReloadHandler for Handler {
    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        let ChangeEvent::ConfigChanged { config_name, new_value, .. } = event else { return Ok(()) };
        let kind = kind_of(&config_name, &new_value);
        self.told.note(config_name, new_value);
        match (self.part, kind) {
            (Part::Core, Some(Kind::CriticalError)) => Err("the core fails".into()),
            (Part::Core, Some(Kind::CriticalPanic)) => panic!("chaos: the core"),
            (Part::Core, Some(Kind::CriticalHang)) => self.hangs.hang(),
            (Part::Extra, Some(Kind::ExtraError)) => Err("the extra fails".into()),
            (Part::Extra, Some(Kind::ExtraPanic)) => panic!("chaos: the extra"),
            (Part::Extra, Some(Kind::ExtraHang)) => std::future::pending().await,
            _ => Ok(()),
        }
    }

    fn can_handle(&self, event: &ChangeEvent) -> bool {
        matches!(event, ChangeEvent::ConfigChanged { .. })
    }

    fn may_block(&self) -> bool {
        self.part == Part::Core
    }
}
