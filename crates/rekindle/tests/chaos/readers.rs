//! The readers: threads that read without a pause, and a task that is slow to take what a stream has.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rekindle::{ConfigStream, HotReloadManager, Live};

use crate::files::{Parts, fault_of};
use crate::handlers::lock;
use crate::ledger::{State, state_of};

/// How often a thread reads before it lets others have the processor for a moment.
const BURST: u32 = 2000;

/// What readers saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) faults: Mutex<Vec<String>>,
    /// Snapshots of generations that have not been held against the ledger yet.
    pub(crate) generations: Mutex<BTreeMap<u64, State>>,
    /// What the slow task has taken last.
    pub(crate) streamed: Mutex<Option<Parts>>,
    pub(crate) reads: AtomicU64,
    ended: AtomicBool,
}

/// The threads.
#[derive(Debug)]
pub(crate) struct Readers {
    pub(crate) seen: Arc<Seen>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(crate) fn start(
        manager: &HotReloadManager,
        app: &Live<Parts>,
        pair: &Live<Parts>,
        stream: ConfigStream<Parts>,
    ) -> Self {
        let seen = Arc::new(Seen::default());
        let (manager, app, mut cached) = (manager.clone(), app.clone(), pair.cached());
        let threads = vec![
            spawn(&seen, move |seen| seen.judge("a live handle", &app.load())),
            spawn(&seen, move |seen| seen.judge("a cached reader", cached.load())),
            spawn_snapshots(&seen, manager),
        ];
        tokio::spawn(take_slowly(stream, Arc::clone(&seen)));
        Self { seen, threads }
    }

    /// Ends the threads. Returns how often they have read.
    pub(crate) fn end(&mut self) -> u64 {
        self.seen.ended.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| thread.join().expect("a reader does not panic"));
        self.seen.reads.load(Ordering::Relaxed)
    }
}

impl Seen {
    fn judge(&self, who: &str, parts: &Parts) {
        if let Some(fault) = parts.fault() {
            self.fail(format!("{who} saw {fault}"));
        }
    }

    fn fail(&self, fault: String) {
        let mut faults = lock(&self.faults);
        if faults.len() < 20 && !faults.contains(&fault) {
            faults.push(fault);
        }
    }
}

fn spawn(seen: &Arc<Seen>, mut read: impl FnMut(&Seen) + Send + 'static) -> JoinHandle<()> {
    let seen = Arc::clone(seen);
    thread::spawn(move || {
        while !seen.ended.load(Ordering::Relaxed) {
            (0..BURST).for_each(|_| read(&seen));
            seen.reads.fetch_add(u64::from(BURST), Ordering::Relaxed);
            thread::park_timeout(Duration::from_micros(500));
        }
    })
}

/// Reads all configurations of one generation: they never go back, and hold together.
fn spawn_snapshots(seen: &Arc<Seen>, manager: HotReloadManager) -> JoinHandle<()> {
    let mut last = 0;
    spawn(seen, move |seen| {
        let snapshot = manager.snapshot();
        let generation = snapshot.generation();
        if generation == last {
            return;
        }
        if generation < last {
            seen.fail(format!("generation {generation} was in use after {last}"));
        }
        last = generation;
        let state = state_of(&snapshot);
        for (config, value) in &state {
            if let Some(fault) = fault_of(config, value) {
                seen.fail(format!("a snapshot of generation {generation} has {config}: {fault}"));
            }
        }
        lock(&seen.generations).insert(generation, state);
    })
}

async fn take_slowly(mut stream: ConfigStream<Parts>, seen: Arc<Seen>) {
    *lock(&seen.streamed) = Some(stream.current().clone());
    while let Some(parts) = stream.next().await {
        seen.judge("a stream", &parts);
        *lock(&seen.streamed) = Some(parts);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
