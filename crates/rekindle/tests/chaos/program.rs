//! The program that is killed: it changes its own files, and says what became of each change.

use std::io::stdin;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rekindle::{
    ChangeEvent, ConfigState, HotReload, HotReloadManager, Outcome, Receipt, Registration, ReloadOutcome,
    StartPolicy,
};
use rekindle_test::child;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;

use crate::dice::Dice;
use crate::files::{CONFIGS, file, text};
use crate::handlers::{Hangs, keep_quiet};
use crate::kind::{Fate, Kind, kind_of};

/// The path of [`body`].
pub(crate) const BODY: &str = "program::body";

/// How long a start or an answer may take. Generous.
const LIMIT: Duration = Duration::from_secs(30);

/// Kinds that a start knows to be good or not: it asks no handler.
const MIXTURE: [(u64, Kind); 8] = [
    (50, Kind::Good),
    (8, Kind::Syntax),
    (6, Kind::Schema),
    (6, Kind::Check),
    (4, Kind::CheckPanic),
    (16, Kind::CriticalError),
    (6, Kind::CriticalPanic),
    (8, Kind::ExtraError),
];

/// What the program is told on its standard input.
#[derive(Debug)]
pub(crate) struct Orders {
    pub(crate) root: PathBuf,
    pub(crate) seed: u64,
    /// The number that its values begin with.
    pub(crate) first: u64,
    /// How many changes it makes before it ends by itself.
    pub(crate) changes: u64,
    pub(crate) trusted_after: Duration,
}

impl Orders {
    pub(crate) fn to_line(&self) -> String {
        let Self { root, seed, first, changes, trusted_after } = self;
        json!([root, seed, first, changes, trusted_after]).to_string()
    }

    fn read() -> Self {
        let mut line = String::new();
        stdin().read_line(&mut line).expect("it is told what to do");
        let (root, seed, first, changes, trusted_after) =
            serde_json::from_str(&line).expect("it is told all it has to know");
        Self { root, seed, first, changes, trusted_after }
    }
}

#[test]
#[ignore = "is killed by the tests of the kills"]
fn body() {
    if !child::is_this_one() {
        return;
    }
    keep_quiet();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be built").block_on(run(&Orders::read()));
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

async fn run(orders: &Orders) {
    let manager = soon("the start", start(orders)).await;
    say("up", &[&described(&manager).to_string()]);
    if CONFIGS.iter().any(|config| breaks(config, manager.snapshot().get(config))) {
        // What a handler would have found out, the program finds out when it starts with it.
        std::process::abort();
    }
    let mut dice = Dice::of(orders.seed);
    for n in orders.first..orders.first + orders.changes {
        change(&manager, &orders.root, &mut dice, n).await;
    }
    if orders.changes == 0 {
        wait_for_the_end(&manager).await;
    }
    soon("the end", manager.shutdown()).await.expect("a clean end");
}

/// Waits until it is told to end, or crashes with a value that is to end it soon.
async fn wait_for_the_end(manager: &HotReloadManager) {
    let told = tokio::task::spawn_blocking(|| stdin().read_line(&mut String::new()));
    let mut receipts = manager.receipts();
    let crash = async {
        while receipts.recv().await.is_ok() {
            if manager.snapshot().get("app").is_some_and(|value| crashes("app", value, "soon")) {
                soon("the history", manager.history("app")).await.expect("a history");
                std::process::abort();
            }
        }
    };
    tokio::select! {
        told = told => drop(told.expect("it reads")),
        () = crash => {}
    }
}

async fn start(orders: &Orders) -> HotReloadManager {
    let hangs = Arc::<Hangs>::default();
    let builder = crate::play::checked(HotReload::builder(&orders.root), &hangs).environment("test");
    let builder = builder.debounce(Duration::from_millis(5)).start_policy(StartPolicy::StartFromLastGood);
    let builder = builder.trusted_after(orders.trusted_after);
    let builder = builder.register(Registration::new(judge).named("core").critical());
    builder.start().await.expect("it starts")
}

/// The handler that a change stands or falls with; the whole program, for some.
fn judge(event: ChangeEvent) -> rekindle::Result<()> {
    let ChangeEvent::ConfigChanged { config_name, new_value, .. } = event else { return Ok(()) };
    if crashes(&config_name, &new_value, "at once") {
        std::process::abort();
    }
    match kind_of(&config_name, &new_value) {
        Some(Kind::CriticalError) => Err("the core fails".into()),
        Some(Kind::CriticalPanic) => panic!("chaos: the core"),
        _ => Ok(()),
    }
}

fn crashes(config: &str, value: &Value, when: &str) -> bool {
    value[config]["crash"] == when
}

/// Whether the program does not work with a value.
fn breaks(config: &str, value: Option<&Value>) -> bool {
    let is_undone = |value| kind_of(config, value).is_some_and(|kind| kind.fate() == Fate::IsUndone);
    value.is_some_and(|value| is_undone(value) || value[config]["crash"].is_string())
}

/// What is in use of each configuration, and why if that is not what is on disk.
fn described(manager: &HotReloadManager) -> Value {
    let (snapshot, status) = (manager.snapshot(), manager.status());
    let describe = |config: &str| {
        let why = status.configs.get(config).and_then(|config| match &config.state {
            ConfigState::Degraded(error) => Some(error.to_string()),
            _ => None,
        });
        (config.to_owned(), json!({ "value": snapshot.get(config), "degraded": why }))
    };
    Value::Object(CONFIGS.into_iter().map(describe).collect())
}

/// Makes one change, waits for what comes of it, and says so.
async fn change(manager: &HotReloadManager, root: &Path, dice: &mut Dice, n: u64) {
    let config = dice.one_of(&CONFIGS);
    let kind = dice.weighted(&MIXTURE);
    let mut receipts = manager.receipts();
    let path = root.join(file(config));
    if dice.per_cent(5) {
        drop(std::fs::remove_file(path));
    } else {
        std::fs::write(path, text(config, kind, n)).expect("it can be written");
    }
    let receipt = soon("a receipt", next_of(&mut receipts, config)).await;
    if matches!(&receipt.outcome, ReloadOutcome::RolledBack { configs, .. } if configs.iter().any(|one| one == config))
    {
        say("undone", &[config, &n.to_string()]);
    }
    if receipt.applied().iter().any(|one| one == config) && dice.per_cent(15) {
        soon("the trust", trusted(manager, config)).await;
        say("confirmed", &[config, &n.to_string()]);
    }
}

/// The receipt of a reload that a configuration had a part in.
async fn next_of(receipts: &mut Receiver<Receipt>, config: &str) -> Receipt {
    loop {
        let receipt = receipts.recv().await.expect("the engine runs");
        let undone = match &receipt.outcome {
            ReloadOutcome::RolledBack { configs, .. } => configs.as_slice(),
            _ => &[],
        };
        let refused = receipt.refusals().iter().map(|refusal| &refusal.config);
        if receipt.applied().iter().chain(undone).chain(refused).any(|one| one == config)
            || matches!(receipt.outcome, ReloadOutcome::Unchanged)
        {
            return receipt;
        }
    }
}

async fn trusted(manager: &HotReloadManager, config: &str) {
    loop {
        let newest = manager.history(config).await.expect("a history").pop();
        if newest.is_some_and(|newest| newest.outcome == Outcome::Confirmed) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

fn say(what: &str, of: &[&str]) {
    println!("{what} {}", of.join(" "));
}
