//! A service whose configuration says how it behaves, and a log of what was done with it.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rekindle::prelude::*;
use rekindle::service::{Retirement, Running, Service, Supervised, Supervisor};
use rekindle_test::{LIMIT, Site};
use tokio::sync::broadcast::Receiver;
use tokio::sync::{Semaphore, watch};

use crate::lines;

/// What a shop is built from.
#[derive(serde::Deserialize, Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: String,
    /// What goes wrong.
    #[serde(default)]
    pub(crate) fault: String,
}

/// What one shop hands to the next.
#[derive(Default)]
pub(crate) struct Stock {
    /// Both may have it.
    pub(crate) shared: Arc<Shared>,
    /// Only one may.
    pub(crate) key: Option<Key>,
}

#[derive(Default, Debug)]
pub(crate) struct Shared {
    pub(crate) served: AtomicU64,
    pub(crate) cache: Mutex<BTreeMap<u64, String>>,
}

/// There is one, and it cannot be copied.
#[derive(Debug)]
pub(crate) struct Key;

/// The log of everything that was done, in order.
#[derive(Clone, Debug)]
pub(crate) struct Log(watch::Sender<Vec<String>>);

impl Default for Log {
    fn default() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }
}

impl Log {
    pub(crate) fn note(&self, entry: String) {
        self.0.send_modify(|entries| entries.push(entry));
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    pub(crate) fn take(&self) -> Vec<String> {
        self.0.send_replace(Vec::new())
    }

    /// Waits until something has been done.
    pub(crate) async fn until(&self, entry: &str) {
        let mut entries = self.0.subscribe();
        let there = entries.wait_for(|all| all.iter().any(|one| one == entry));
        soon(entry, there).await.expect("the log is there");
    }
}

/// Builds shops.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) log: Log,
    /// Drains that wait are let go by this.
    pub(crate) gate: Arc<Semaphore>,
}

impl Default for Chain {
    fn default() -> Self {
        Self { log: Log::default(), gate: Arc::new(Semaphore::new(0)) }
    }
}

#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) plan: Plan,
    pub(crate) shared: Arc<Shared>,
    pub(crate) key: Mutex<Option<Key>>,
    log: Log,
    gate: Arc<Semaphore>,
}

impl Shop {
    fn note(&self, what: &str) {
        self.log.note(format!("{what} {}", self.plan.name));
    }

    pub(crate) fn serve(&self) -> u64 {
        let served = self.shared.served.fetch_add(1, Ordering::Relaxed) + 1;
        let mut cache = self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(served, self.plan.name.clone());
        served
    }

    pub(crate) fn has_key(&self) -> bool {
        self.key.lock().expect("no panic").is_some()
    }

    fn take_key(&self) -> Option<Stock> {
        let key = self.key.lock().expect("no panic").take();
        key.map(|key| Stock { shared: Arc::clone(&self.shared), key: Some(key) })
    }
}

impl Service for Chain {
    type Config = Plan;
    type State = Stock;
    type Running = Shop;

    async fn build(&self, plan: &Plan, stock: Option<Stock>) -> Result<Shop> {
        self.log.note(format!("builds {}", plan.name));
        // The first one makes the key.
        let stock = stock.unwrap_or_else(|| Stock { key: Some(Key), ..Stock::default() });
        match plan.fault.as_str() {
            "build" => return Err(Error::from("no room").about("/name")),
            "panic" => panic!("the roof fell"),
            _ => {}
        }
        Ok(Shop {
            plan: plan.clone(),
            shared: stock.shared,
            key: Mutex::new(stock.key),
            log: self.log.clone(),
            gate: Arc::clone(&self.gate),
        })
    }
}

impl Running for Shop {
    type State = Stock;

    fn share(&self) -> Option<Stock> {
        Some(Stock { shared: Arc::clone(&self.shared), key: None })
    }

    async fn ready(&self) -> Result<()> {
        match self.plan.fault.as_str() {
            "not ready" => Err("the shelves are empty".into()),
            "panics in ready" => panic!("the door jams"),
            "never ready" => pending().await,
            _ => Ok(()),
        }
    }

    fn begin(&self) {
        if self.plan.fault == "panics as it begins" {
            panic!("the bell fell");
        }
        self.note("begins");
    }

    async fn drain(&self, deadline: Instant) -> Option<Stock> {
        self.note("drains");
        match self.plan.fault.as_str() {
            "waits" => self.gate.acquire().await.expect("it is never closed").forget(),
            "hangs" => pending().await,
            "keeps its deadline" => tokio::time::sleep_until(deadline.into()).await,
            "blocks" => std::thread::park_timeout(Duration::from_millis(600)),
            "panics in drain" => panic!("a customer fainted"),
            _ => {}
        }
        self.take_key()
    }

    async fn adopt(&self, stock: Stock) {
        if self.plan.fault == "panics in adopt" {
            panic!("the key broke");
        }
        *self.key.lock().expect("no panic") = stock.key;
        self.note("adopts");
    }

    fn stop(&self) {
        self.note("stops");
    }
}

/// A chain at work: the engine, and the shop under it.
pub(crate) struct Street {
    pub(crate) shop: Supervised<Chain>,
    pub(crate) log: Log,
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) retirements: Receiver<Retirement>,
    pub(crate) receipts: Receiver<Receipt>,
    pub(crate) manager: HotReloadManager,
    pub(crate) site: Site,
}

/// A configuration with a shop in it.
pub(crate) fn shop(name: &str, fault: &str) -> String {
    format!("# a street\n[shop]\nname = \"{name}\"\nfault = \"{fault}\"\n")
}

/// An engine on a configuration.
pub(crate) async fn engine(config: &str) -> (Site, HotReloadManager) {
    engine_with(config, |builder| builder).await
}

pub(crate) async fn engine_with(
    config: &str,
    options: impl FnOnce(HotReloadBuilder) -> HotReloadBuilder,
) -> (Site, HotReloadManager) {
    lines::keep();
    let site = Site::new().with("config/app.toml", config);
    let builder = HotReload::builder(site.root()).environment("test");
    let manager = options(builder).start().await.expect("the engine starts");
    (site, manager)
}

impl Street {
    pub(crate) async fn open(first: &str) -> Self {
        Self::open_with(first, |supervisor| supervisor).await
    }

    pub(crate) async fn open_with(
        first: &str,
        options: impl FnOnce(Supervisor<Chain>) -> Supervisor<Chain>,
    ) -> Self {
        let (site, manager) = engine(first).await;
        Self::open_on(site, manager, options).await
    }

    pub(crate) async fn open_on(
        site: Site,
        manager: HotReloadManager,
        options: impl FnOnce(Supervisor<Chain>) -> Supervisor<Chain>,
    ) -> Self {
        let chain = Chain::default();
        let (log, gate) = (chain.log.clone(), Arc::clone(&chain.gate));
        let supervisor = options(Supervisor::new(chain).named("shop"));
        let shop = supervisor.start(&manager, "app", "/shop").await.expect("the first shop opens");
        let (retirements, receipts) = (shop.retirements(), manager.receipts());
        Self { shop, log, gate, retirements, receipts, manager, site }
    }

    /// Saves the configuration, and gives the receipt of the reload.
    pub(crate) async fn save(&mut self, config: &str) -> Receipt {
        self.site.replace("config/app.toml", config);
        soon("a reload", self.receipts.recv()).await.expect("the engine runs")
    }

    /// Saves what is refused, and gives the one refusal.
    pub(crate) async fn refused(&mut self, config: &str) -> String {
        let receipt = self.save(config).await;
        assert!(!receipt.is_applied(), "{receipt:?}");
        receipt.refusals()[0].error.to_string()
    }

    /// Waits for the next one that has ended.
    pub(crate) async fn retired(&mut self) -> Retirement {
        soon("a retirement", self.retirements.recv()).await.expect("the shop is supervised")
    }
}

/// Waits for what is bound to come, not for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}
