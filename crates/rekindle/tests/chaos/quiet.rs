//! What must hold when nothing changes any more: looked at until it does, or for long enough.

use std::time::{Duration, Instant};

use rekindle::{ConfigState, Snapshot};

use crate::files::{CONFIGS, PAIR, Parts, may_stay, on_disk};
use crate::handlers::lock;
use crate::ledger::state_of;
use crate::play::Game;
use crate::watchdog::LIMIT;

/// How often it is looked whether all agree.
const EVERY: Duration = Duration::from_millis(5);

impl Game {
    /// Waits until all agree by itself; again after a look at everything; and again when all is good.
    pub(crate) async fn agree_when_quiet(&mut self) {
        self.until_agreed("after some changes", Self::differences).await;
        self.look().await;
        self.until_agreed("after a look", Self::differences).await;
        self.mend();
        self.until_agreed("after all was mended", |game| {
            let degraded =
                game.manager.status().failures().map(|(name, error)| format!("{name}: {error}")).collect();
            [game.differences(), degraded].concat()
        })
        .await;
        self.judge_what_was_seen();
        lock(&self.ledger).prune();
    }

    async fn until_agreed(&self, when: &str, differences: impl Fn(&Self) -> Vec<String>) {
        self.watchdog.now(when);
        let until = Instant::now() + LIMIT;
        loop {
            self.hangs.release();
            let differences = differences(self);
            self.fail_on_faults(when);
            if differences.is_empty() {
                return;
            }
            if Instant::now() > until {
                self.fail(&format!("{when}: {differences:#?}"));
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// What does not agree, or not yet.
    fn differences(&self) -> Vec<String> {
        let snapshot = self.manager.snapshot();
        let mut all = self.unlike_disk(&snapshot);
        all.extend(self.told_differently(&snapshot));
        all.extend(self.read_differently(&snapshot));
        let ledger = lock(&self.ledger);
        if ledger.newest() != (snapshot.generation(), &state_of(&snapshot)) {
            all.push(format!("told of {:?}, in use is {snapshot:?}", ledger.newest()));
        }
        all.extend(ledger.harmful().map(|config| format!("{config} has to be undone")));
        all
    }

    /// The configurations that are not what the disk holds, without a word about it in the status.
    fn unlike_disk(&self, snapshot: &Snapshot) -> Vec<String> {
        let status = self.manager.status();
        let explained = |config: &str| {
            let config = status.configs.get(config);
            config.is_some_and(|config| matches!(config.state, ConfigState::Degraded(_)))
        };
        let unlike = CONFIGS.into_iter().filter_map(|config| {
            let (disk, running) = (on_disk(self.site.root(), config), snapshot.get(config));
            if !running.is_some_and(|running| may_stay(config, running)) {
                return Some(format!("{config} runs with {running:?}"));
            }
            let agrees = disk.as_ref() == running;
            (!agrees && !explained(config)).then(|| format!("{config} is {running:?}, on disk {disk:?}"))
        });
        unlike.collect()
    }

    /// The handlers whose last word is not what is in use, and what nobody told them the end of.
    fn told_differently(&self, snapshot: &Snapshot) -> Vec<String> {
        let mut all = Vec::new();
        for (name, told) in &self.handlers {
            for (config, last) in &*lock(&told.last) {
                if snapshot.get(config) != Some(last) {
                    all.push(format!("{name} was told last that {config} is {last}"));
                }
            }
            all.extend(lock(&told.prepared).iter().map(|waits| format!("{name} is ready for {waits:?}")));
        }
        all
    }

    /// The readers whose last value is not what is in use.
    fn read_differently(&self, snapshot: &Snapshot) -> Vec<String> {
        let app = Parts::of(snapshot.get("app").into_iter());
        let pair = Parts::of(PAIR.iter().filter_map(|name| snapshot.get(name)));
        let streamed = lock(&self.readers.seen.streamed).clone();
        let mut all = Vec::new();
        if *self.app.load() != app {
            all.push(format!("the live handle has {:?}, in use is {app:?}", self.app));
        }
        if *self.pair.load() != pair || streamed.as_ref() != Some(&pair) {
            all.push(format!("live: {:?}, streamed: {streamed:?}, in use is {pair:?}", self.pair));
        }
        all
    }

    /// Holds what snapshots were seen against what was told.
    fn judge_what_was_seen(&self) {
        let seen = std::mem::take(&mut *lock(&self.readers.seen.generations));
        let mut ledger = lock(&self.ledger);
        seen.iter().for_each(|(generation, state)| ledger.judge(*generation, state));
        drop(ledger);
        self.fail_on_faults("what was seen");
    }

    fn fail_on_faults(&self, when: &str) {
        let mut faults = lock(&self.ledger).faults.clone();
        faults.extend(lock(&self.readers.seen.faults).clone());
        for (name, told) in &self.handlers {
            faults.extend(lock(&told.faults).iter().map(|fault| format!("{name}: {fault}")));
        }
        if !faults.is_empty() {
            self.fail(&format!("{when}: {faults:#?}"));
        }
    }
}
