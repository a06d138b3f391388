//! Plays a sequence: a site, an engine on it, the steps, and the wait for quiet.

use std::time::Duration;

use rekindle::{ConfigStream, Error, ErrorKind, HotReloadBuilder, Receipt, Snapshot, Status};
use rekindle_test::Running;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::disk::Disk;
use crate::ledger::Ledger;
use crate::op::{Op, Sequence};
use crate::oracle;
use crate::verdict::{faults, view};

/// Short: every sequence waits for its end once.
const WINDOW: Duration = Duration::from_millis(80);

/// How long an event is waited for before what does not hold counts as missed. Not the helpers' limit:
/// that would make a sequence that fails take hours to shrink.
const PATIENCE: Duration = Duration::from_secs(8);

/// The configurations that streams are taken of.
const STREAMED: [&str; 3] = ["a", "b", "sub/c"];

/// Where a configuration can get to by steps that leave a new content half over an old one.
const CHECKED: [&str; 6] = ["a", "b", "sub/c", "sub/e/c", "deep/sub/c", "deep/sub/e/c"];

/// Plays a sequence and says what did not hold.
pub(crate) fn play(sequence: &Sequence) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let end = runtime.expect("a runtime can be built").block_on(async {
        let mut game = Game::start(sequence.queue_limit).await;
        for op in &sequence.steps {
            game.step(*op).await;
        }
        game.end().await
    });
    let faults = faults(&end);
    if faults.is_empty() {
        return Ok(());
    }
    Err(format!("{}\nThe engine told {:#?}", faults.join("\n"), end.story))
}

fn options(builder: HotReloadBuilder, queue_limit: Option<usize>) -> HotReloadBuilder {
    let builder = builder.debounce(WINDOW).queue_limit(queue_limit.unwrap_or(usize::MAX));
    CHECKED.into_iter().fold(builder, |builder, name| builder.check(name, refuse_the_torn))
}

fn refuse_the_torn(value: &Value) -> rekindle::Result<()> {
    let torn = || Error::new(ErrorKind::Check, "a new content half over an old one");
    oracle::is_whole(value).then_some(()).ok_or_else(torn)
}

/// Everything there is to judge when all is quiet.
pub(crate) struct End {
    pub(crate) disk: Disk,
    pub(crate) ledger: Ledger,
    /// What a look at everything found.
    pub(crate) receipt: Receipt,
    pub(crate) snapshot: Snapshot,
    pub(crate) status: Status,
    /// Every value that was told of, in order, with its configuration.
    pub(crate) told: Vec<(String, Value)>,
    /// Every value of each stream, in order.
    pub(crate) streams: Vec<(&'static str, Vec<Value>)>,
    pub(crate) story: Vec<String>,
    /// What did not hold by itself, before everything was looked at.
    pub(crate) missed: Vec<String>,
}

struct Game {
    running: Running,
    disk: Disk,
    ledger: Ledger,
    /// How much of the record of events is in the ledger.
    entered: usize,
    streams: Vec<(&'static str, JoinHandle<Vec<Value>>)>,
}

impl Game {
    async fn start(queue_limit: Option<usize>) -> Self {
        let (site, disk) = Disk::new();
        let running = Running::start_with(site, |builder| options(builder, queue_limit)).await;
        let ledger = Ledger::new(running.manager.root(), disk.now());
        let mut streams = Vec::new();
        for name in STREAMED {
            let stream = running.manager.watch::<Value>(name).await.expect("it is good in the beginning");
            streams.push((name, tokio::spawn(read_to_the_end(stream))));
        }
        Self { running, disk, ledger, entered: 0, streams }
    }

    async fn step(&mut self, op: Op) {
        self.disk.step(op).await;
        self.running.events.drain();
        self.enter_events();
    }

    fn enter_events(&mut self) {
        let events = &self.running.events.seen()[self.entered..];
        events.iter().for_each(|event| self.ledger.take(event, self.disk.moments.len()));
        self.entered = self.running.events.seen().len();
    }

    /// Waits until the view is the disk's. What fell due when the last window ended may still be judged,
    /// so there may be events to come; when none comes, gives what does not hold.
    async fn quiet(&mut self) -> Vec<String> {
        loop {
            self.enter_events();
            let mut faults =
                view(&self.disk, &self.running.manager.snapshot(), &self.running.manager.status());
            faults.extend(self.ledger.faults(&self.disk.moments));
            if faults.is_empty() || !self.running.events.next_within(PATIENCE).await {
                return faults;
            }
        }
    }

    async fn end(mut self) -> End {
        self.disk.close_all();
        self.running.windows_end().await;
        let missed = self.quiet().await;
        let receipt = self.running.manager.reload_now().await.expect("the engine runs");
        self.running.events.drain();
        self.enter_events();
        let Running { manager, events, site, .. } = self.running;
        let (snapshot, status) = (manager.snapshot(), manager.status());
        manager.shutdown().await.expect("a shutdown cannot fail");
        let mut streams = Vec::new();
        for (name, reader) in self.streams {
            streams.push((name, reader.await.expect("reading cannot fail")));
        }
        drop(site);
        let told = events.seen().iter().filter_map(told_value).collect();
        let (disk, ledger, story) = (self.disk, self.ledger, events.story());
        End { disk, ledger, receipt, snapshot, status, told, streams, story, missed }
    }
}

async fn read_to_the_end(mut stream: ConfigStream<Value>) -> Vec<Value> {
    let mut values = vec![stream.current().clone()];
    while let Some(value) = stream.next().await {
        values.push(value);
    }
    values
}

fn told_value(event: &rekindle::ChangeEvent) -> Option<(String, Value)> {
    match event {
        rekindle::ChangeEvent::ConfigChanged { config_name, new_value, .. } => {
            Some((config_name.clone(), new_value.clone()))
        }
        _ => None,
    }
}
