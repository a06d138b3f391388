//! The game: an engine, its handlers and readers, and one change after the other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rekindle::{
    ChangeEvent, ErrorKind, HotReload, HotReloadBuilder, HotReloadManager, Live, Patch, Receipt, Trigger,
};
use rekindle_test::{Site, brief};
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::dice::Dice;
use crate::files::{CONFIGS, LOCAL, PAIR, Parts, file, site, text};
use crate::handlers::{self, Hangs, Told, lock};
use crate::kind::{Fate, Kind, MIXTURE, kind_of};
use crate::ledger::Ledger;
use crate::readers::Readers;
use crate::watchdog::Watchdog;

/// How many changes there are between two moments of quiet.
const CHUNK: u64 = 50;

/// How long a handler, a check or an answer to `prepare` may take. Those that hang take all of it.
const TIME_LIMIT: Duration = Duration::from_millis(100);

/// How long what does not parse is waited for.
const WINDOW: Duration = Duration::from_millis(30);

/// How long a change is waited for before the next is made all the same.
const PACE: Duration = Duration::from_millis(80);

/// How many events are shown when something is wrong.
const SHOWN: usize = 80;

pub(crate) struct Game {
    pub(crate) site: Site,
    pub(crate) manager: HotReloadManager,
    pub(crate) watchdog: Watchdog,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) handlers: Vec<(&'static str, Arc<Told>)>,
    pub(crate) hangs: Arc<Hangs>,
    pub(crate) readers: Readers,
    pub(crate) app: Live<Parts>,
    pub(crate) pair: Live<Parts>,
    dice: Dice,
    receipts: Receiver<Receipt>,
    story: Arc<Mutex<VecDeque<String>>>,
    /// The number that the next value has.
    n: u64,
    /// What came of changes, by who refused them.
    outcomes: Arc<Mutex<BTreeMap<String, u64>>>,
}

/// One step.
#[derive(Debug, Clone, Copy)]
enum Step {
    Save,
    SaveBoth,
    Layer,
    Again,
    Delete,
    Update,
    Stale,
    Restore,
    Look,
}

const STEPS: [(u64, Step); 9] = [
    (66, Step::Save),
    (5, Step::SaveBoth),
    (6, Step::Layer),
    (4, Step::Again),
    (2, Step::Delete),
    (9, Step::Update),
    (2, Step::Stale),
    (3, Step::Restore),
    (3, Step::Look),
];

/// Plays so many changes, and fails when something does not hold.
pub(crate) async fn play(dice: Dice, changes: u64) {
    handlers::keep_quiet();
    let mut game = Game::start(dice).await;
    for done in 0..changes {
        game.step().await;
        if (done + 1) % CHUNK == 0 || done + 1 == changes {
            game.agree_when_quiet().await;
        }
    }
    game.end(changes).await;
}

/// A check of each configuration, that does what the value says.
pub(crate) fn checked(builder: HotReloadBuilder, hangs: &Arc<Hangs>) -> HotReloadBuilder {
    CONFIGS.into_iter().fold(builder, |builder, config| {
        let hangs = Arc::clone(hangs);
        builder.check(config, move |value| match kind_of(config, value) {
            Some(Kind::Check) => Err("the check refuses it".into()),
            Some(Kind::CheckPanic) => panic!("chaos: the check"),
            Some(Kind::CheckHang) => hangs.hang(),
            _ => Ok(()),
        })
    })
}

impl Game {
    async fn start(dice: Dice) -> Self {
        let (site, hangs) = (site(), Arc::<Hangs>::default());
        let builder = HotReload::builder(site.root()).environment("test");
        let builder = builder.debounce(WINDOW).time_limit(TIME_LIMIT);
        let (mut builder, mut told) = (checked(builder, &hangs), Vec::new());
        for (name, by, registration) in handlers::all(&hangs) {
            builder = builder.register(registration);
            told.push((name, by));
        }
        let manager = builder.start().await.expect("an engine");
        let app = manager.watch::<Parts>("app").await.expect("a stream").live();
        let pairs = manager.watch_layered::<Parts>(&PAIR).await.expect("a stream");
        let pair = pairs.live();
        let ledger = Arc::new(Mutex::new(Ledger::new(&manager.snapshot())));
        let story = Arc::<Mutex<VecDeque<String>>>::default();
        let outcomes = Arc::default();
        tokio::spawn(enter(manager.subscribe(), site.root().into(), Arc::clone(&ledger), Arc::clone(&story)));
        tokio::spawn(count(manager.receipts(), Arc::clone(&outcomes)));
        let readers = Readers::start(&manager, &app, &pair, pairs);
        let (watchdog, receipts) = (Watchdog::start(&manager), manager.receipts());
        let handlers = told;
        Self {
            site,
            manager,
            watchdog,
            ledger,
            handlers,
            hangs,
            readers,
            app,
            pair,
            dice,
            receipts,
            story,
            n: 1,
            outcomes,
        }
    }

    async fn step(&mut self) {
        if self.dice.per_cent(30) {
            self.hangs.release();
        }
        let config = self.dice.one_of(&CONFIGS);
        let kind = self.dice.weighted(&MIXTURE);
        let step = self.dice.weighted(&STEPS);
        self.n += 1;
        self.tell(format!("-- {step:?} {config} {} {}", kind.name(), self.n));
        while !matches!(self.receipts.try_recv(), Err(tokio::sync::broadcast::error::TryRecvError::Empty)) {}
        match step {
            Step::Save => self.save(config, kind),
            Step::SaveBoth => PAIR.into_iter().for_each(|config| self.save(config, kind)),
            Step::Layer => self.layer(kind),
            Step::Again => self.again(config),
            Step::Delete => drop(std::fs::remove_file(self.site.path(&file(config)))),
            Step::Update => self.update(config, kind).await,
            Step::Stale => self.update_stale(config).await,
            Step::Restore => self.restore(config).await,
            Step::Look => drop(self.look().await),
        }
        if self.dice.per_cent(85) {
            // Not what is waited for, but a pace at which most changes are taken one by one.
            let _taken = tokio::time::timeout(PACE, self.receipts.recv()).await;
        }
    }

    pub(crate) fn tell(&self, what: String) {
        note(&self.story, what);
    }

    /// Saves a value in one of the ways in which files are saved.
    fn save(&mut self, config: &str, kind: Kind) {
        let (file, text) = (file(config), text(config, kind, self.n));
        match self.dice.below(3) {
            0 => self.site.write(&file, &text),
            1 => self.site.replace(&file, &text),
            _ => {
                drop(std::fs::remove_file(self.site.path(&file)));
                self.site.write(&file, &text);
            }
        }
    }

    /// Lays something over `app`, or takes it away again.
    fn layer(&mut self, kind: Kind) {
        if self.dice.per_cent(60) {
            drop(std::fs::remove_file(self.site.path(LOCAL)));
            return;
        }
        let lines = match kind {
            Kind::Syntax => "[app".to_owned(),
            Kind::Type => format!("[app]\nkind = \"type\"\nn = \"{}\"\n", self.n),
            kind => format!("[app]\nkind = \"{}\"\n", kind.name()),
        };
        self.site.write(LOCAL, &lines);
    }

    /// Saves what is there.
    fn again(&self, config: &str) {
        if let Ok(text) = std::fs::read_to_string(self.site.path(&file(config))) {
            self.site.write(&file(config), &text);
        }
    }

    /// Changes a configuration through the engine. What is refused leaves no trace on disk.
    async fn update(&mut self, config: &'static str, kind: Kind) {
        // What is written by the engine parses.
        let kind = if kind == Kind::Syntax { Kind::Good } else { kind };
        let n = if kind == Kind::Type { json!("many") } else { json!(self.n) };
        let value = json!({ config: { "kind": kind.name(), "n": n, "twice": 2 * self.n } });
        let generation = self.manager.snapshot().generation();
        let before = self.site_of(config);
        let update = self.manager.update(config, generation, Patch::merge(value));
        let receipt = self.watchdog.soon("an update", update).await;
        // A layer that has just come may lie over what the update says.
        let is_seen = config != "app" || before[1].is_none();
        let is_refused = kind.fate() == Fate::IsRefused && is_seen;
        let is_changed = self.site_of(config) != before;
        let is_applied = receipt.as_ref().is_ok_and(|receipt| !receipt.applied().is_empty());
        if is_refused && (is_changed || is_applied) {
            let fault = format!("an update with {} left a trace: {receipt:?}", kind.name());
            lock(&self.ledger).faults.push(fault);
        }
        if let Ok(receipt) = &receipt
            && receipt.trigger != Trigger::Update
        {
            lock(&self.ledger).faults.push(format!("the receipt of an update: {receipt:?}"));
        }
    }

    /// All bytes of a configuration's files.
    fn site_of(&self, config: &str) -> [Option<Vec<u8>>; 2] {
        [file(config), LOCAL.to_owned()].map(|file| std::fs::read(self.site.path(&file)).ok())
    }

    async fn update_stale(&mut self, config: &str) {
        let before = self.site_of(config);
        let patch = Patch::set(format!("/{config}/n"), self.n);
        let receipt = self.watchdog.soon("a stale update", self.manager.update(config, 0, patch)).await;
        if receipt.is_ok() || self.site_of(config) != before {
            lock(&self.ledger).faults.push(format!("a stale update was taken: {receipt:?}"));
        }
    }

    /// Brings some revision back, one that was undone perhaps.
    async fn restore(&mut self, config: &str) {
        let entries = self.watchdog.soon("the history", self.manager.history(config)).await;
        let entries = entries.expect("a history");
        let revisions: Vec<u64> = entries.iter().map(|entry| entry.revision).collect();
        let revision = self.dice.one_of(&revisions);
        let receipt = self.watchdog.soon("a rollback", self.manager.rollback(config, revision)).await;
        // What is old goes when something new comes, between the two questions as well.
        if let Err(error) = receipt
            && error.kind() != ErrorKind::NotFound
        {
            lock(&self.ledger).faults.push(format!("cannot restore {config} {revision}: {error}"));
        }
    }

    pub(crate) async fn look(&self) -> Receipt {
        self.watchdog.soon("a look", self.manager.reload_now()).await.expect("the engine runs")
    }

    /// Makes everything good.
    pub(crate) fn mend(&mut self) {
        self.tell("-- mend".into());
        drop(std::fs::remove_file(self.site.path(LOCAL)));
        for config in CONFIGS {
            self.n += 1;
            self.site.write(&file(config), &text(config, Kind::Good, self.n));
        }
    }

    /// Fails, with what happened last.
    pub(crate) fn fail(&self, why: &str) -> ! {
        self.hangs.release();
        self.watchdog.end();
        let story: Vec<String> = lock(&self.story).iter().cloned().collect();
        panic!("{why}\nwhat happened last: {story:#?}\nthe engine: {:#?}", self.manager.status());
    }

    async fn end(mut self, changes: u64) {
        let undone = lock(&self.ledger).undone();
        let outcomes = lock(&self.outcomes).clone();
        let reads = self.readers.end();
        eprintln!("{changes} changes, {undone} of them undone, {reads} reads; {outcomes:#?}");
        self.watchdog.soon("the shutdown", self.manager.clone().shutdown()).await.expect("a clean end");
        self.watchdog.end();
        if changes >= 500 {
            let wanted = ["applied", "rolled-back", "syntax", "type", "schema", "check", "handler gate"];
            let missing: Vec<_> = wanted.iter().filter(|what| !outcomes.contains_key(**what)).collect();
            assert!(missing.is_empty(), "nothing of this came about: {missing:?}");
        }
    }
}

impl Drop for Game {
    fn drop(&mut self) {
        // The runtime waits for whoever hangs on one of its threads.
        self.hangs.release();
    }
}

fn note(story: &Mutex<VecDeque<String>>, what: String) {
    let mut story = lock(story);
    story.push_back(what);
    if story.len() > SHOWN {
        story.pop_front();
    }
}

/// Enters every event into the ledger as it comes.
async fn enter(
    mut events: Receiver<ChangeEvent>,
    root: std::path::PathBuf,
    ledger: Arc<Mutex<Ledger>>,
    story: Arc<Mutex<VecDeque<String>>>,
) {
    loop {
        match events.recv().await {
            Ok(event) => {
                note(&story, brief(&event, &root));
                lock(&ledger).enter(&event);
            }
            Err(RecvError::Lagged(missed)) => lock(&ledger).faults.push(format!("{missed} events missed")),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Counts what comes of changes.
async fn count(mut receipts: Receiver<Receipt>, outcomes: Arc<Mutex<BTreeMap<String, u64>>>) {
    while let Ok(receipt) = receipts.recv().await {
        let mut outcomes = lock(&outcomes);
        *outcomes.entry(receipt.outcome.as_str().to_owned()).or_default() += 1;
        for refusal in receipt.refusals() {
            *outcomes.entry(refusal.by.clone()).or_default() += 1;
        }
    }
}
