//! `fanout`: one change to many subscribers.
//!
//! rekindle's change is a save, from `rename` on, with `settle(0)`; the others' is a call that hands a new
//! value over. What can be compared is the time from the first subscriber to the last.

use std::sync::Arc;
use std::time::Duration;

use hotswap_config::core::HotswapConfig;
use hotswap_config::notify::SubscriptionHandle;
use rekindle::{ChangeEvent, ReloadHandler, async_trait};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tokio::sync::{broadcast, watch};

use crate::harness::app::{App, Kind, Project};
use crate::harness::child::{self, Case};
use crate::harness::process::{memory, others_cpu};
use crate::harness::stats::{float, median, millis};
use crate::harness::table::{Row, Table};
use crate::harness::tally::Tally;
use crate::harness::{Result, Size};
use crate::peers::reloaders;

const ABOUT: &str = "From the change until the first and the last subscriber has it, medians in milliseconds; CPU of a \
    change, of all threads but the one that makes it; memory per subscriber, the task that waits included. \
    rekindle's change is a save to the disk, loaded and checked; the others' is a value handed over. \
    The hooks and callbacks run on the thread that makes the change.";

/// Makes the change of this number. It owns what keeps the subscribers going.
type Change = Box<dyn FnMut(u64) -> Result<()>>;

/// One way to be told: subscribes that many, who count themselves.
struct Fan {
    name: &'static str,
    start: fn(u64, &Arc<Tally>, &Arc<Runtime>, &Project) -> Result<Change>,
}

const WATCH: &str = "tokio watch";

const ALL: [Fan; 6] = [
    Fan { name: "rekindle, streams", start: streams },
    Fan { name: "rekindle, handlers", start: handlers },
    Fan { name: WATCH, start: tokio_watch },
    Fan { name: "tokio broadcast", start: tokio_broadcast },
    Fan { name: "dynamic-config, hooks", start: dynamic },
    Fan { name: "hotswap-config, callbacks", start: hotswap },
];

/// One change.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Told {
    first_ms: f64,
    last_ms: f64,
    cpu_ms: f64,
    bytes: u64,
}

pub(crate) fn measure(size: Size) -> Result<Vec<Table>> {
    let columns = ["first", "last", "first to last", "CPU", "bytes each"];
    let mut table = Table::new("Fan-out", ABOUT, "subscribers", &columns);
    for count in size.pick([1_u64, 100, 10_000], [1, 10, 100]) {
        table.rows.extend(rows(count, size.pick(30, 2))?);
    }
    table.add_ratio("first to last, by tokio watch's", "first to last", WATCH);
    Ok(vec![table])
}

/// All cases with that many subscribers; they take turns.
fn rows(count: u64, rounds: usize) -> Result<Vec<Row>> {
    let mut cases = Vec::new();
    for fan in &ALL {
        cases.push((fan.name, Case::start(&["fanout", fan.name, &count.to_string()])?, Vec::new()));
    }
    for _ in 0..rounds {
        for (_, case, told) in &mut cases {
            told.push(case.ask::<Told>("change")?);
        }
    }
    Ok(cases.iter().map(|(name, _, told)| row(count, name, told)).collect())
}

fn row(count: u64, name: &str, told: &[Told]) -> Row {
    let middle = |of: &dyn Fn(&Told) -> f64| median(&told.iter().map(of).collect::<Vec<_>>());
    let values = vec![
        middle(&|told| told.first_ms),
        middle(&|told| told.last_ms),
        middle(&|told| told.last_ms - told.first_ms).filter(|_| count > 1),
        middle(&|told| told.cpu_ms),
        // Of a few, the pages of memory are all that would be seen.
        middle(&|told| float(told.bytes / count)).filter(|_| count >= 1_000),
    ];
    Row::new(count.to_string(), name, values)
}

/// In the child: subscribes, then makes changes when asked to.
pub(crate) fn case(name: &str, count: u64) -> Result<()> {
    let fan = ALL.iter().find(|fan| fan.name == name).ok_or("no such way to be told")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (runtime, project) = (Arc::new(runtime), Project::new()?);
    let tally = Arc::new(Tally::new());
    let before = memory()?;
    let mut change = (fan.start)(count, &tally, &runtime, &project)?;
    let (mut number, mut bytes) = (1, 0);
    // One that does not count: now all have begun, and hold what they hold.
    make(&mut change, number, count, &tally)?;
    bytes += memory()?.saturating_sub(before);
    child::serve(|_| {
        number += 1;
        Ok(Told { bytes, ..make(&mut change, number, count, &tally)? })
    })
}

fn make(change: &mut Change, number: u64, count: u64, tally: &Tally) -> Result<Told> {
    let (cpu, entered) = (others_cpu(), tally.begin());
    change(number)?;
    let (first_ms, last_ms) = tally.wait(count, entered)?;
    let cpu_ms = millis(others_cpu().saturating_sub(cpu));
    Ok(Told { first_ms, last_ms, cpu_ms, bytes: 0 })
}

fn streams(count: u64, tally: &Arc<Tally>, runtime: &Arc<Runtime>, project: &Project) -> Result<Change> {
    let (manager, _) = runtime.block_on(reloaders::live(project, Some(Duration::ZERO)))?;
    for _ in 0..count {
        let mut stream = runtime.block_on(manager.watch::<App>("app"))?;
        let tally = Arc::clone(tally);
        runtime.spawn(async move {
            while stream.next().await.is_some() {
                tally.told();
            }
        });
    }
    Ok(saves(project, (manager, Arc::clone(runtime))))
}

/// A change is a save.
fn saves(project: &Project, guard: impl Send + 'static) -> Change {
    let file = project.file();
    Box::new(move |number| {
        let _alive = &guard;
        Ok(Kind::Rename.save(&file, number).map(|_| ())?)
    })
}

/// A handler that counts the changes it is given.
struct Counting(Arc<Tally>);

#[async_trait]
impl ReloadHandler for Counting {
    async fn handle_change(&self, _event: ChangeEvent) -> rekindle::Result<()> {
        self.0.told();
        Ok(())
    }

    fn can_handle(&self, event: &ChangeEvent) -> bool {
        matches!(event, ChangeEvent::ConfigChanged { .. })
    }
}

fn handlers(count: u64, tally: &Arc<Tally>, runtime: &Arc<Runtime>, project: &Project) -> Result<Change> {
    let (manager, live) = runtime.block_on(reloaders::live(project, Some(Duration::ZERO)))?;
    let _entered = runtime.enter();
    (0..count).for_each(|_| manager.register_handler(Counting(Arc::clone(tally))));
    Ok(saves(project, (manager, live, Arc::clone(runtime))))
}

fn tokio_watch(count: u64, tally: &Arc<Tally>, runtime: &Arc<Runtime>, _: &Project) -> Result<Change> {
    let sender = watch::Sender::new(App::numbered(0));
    for _ in 0..count {
        let (mut receiver, tally) = (sender.subscribe(), Arc::clone(tally));
        runtime.spawn(async move {
            while receiver.changed().await.is_ok() {
                // As a stream does: a value of its own.
                std::hint::black_box(receiver.borrow_and_update().clone());
                tally.told();
            }
        });
    }
    let runtime = Arc::clone(runtime);
    Ok(Box::new(move |number| {
        let _alive = &runtime;
        sender.send_replace(App::numbered(number));
        Ok(())
    }))
}

fn tokio_broadcast(count: u64, tally: &Arc<Tally>, runtime: &Arc<Runtime>, _: &Project) -> Result<Change> {
    let sender = broadcast::Sender::new(16);
    for _ in 0..count {
        let (mut receiver, tally) = (sender.subscribe(), Arc::clone(tally));
        runtime.spawn(async move {
            while receiver.recv().await.is_ok() {
                tally.told();
            }
        });
    }
    let runtime = Arc::clone(runtime);
    Ok(Box::new(move |number| {
        let _alive = &runtime;
        sender.send(App::numbered(number)).map_err(|_| "nobody listens")?;
        Ok(())
    }))
}

/// Its change is a reload of the file, by the thread that asks for it.
fn dynamic(count: u64, tally: &Arc<Tally>, _: &Arc<Runtime>, project: &Project) -> Result<Change> {
    let config = reloaders::dynamic(project)?;
    for _ in 0..count {
        let tally = Arc::clone(tally);
        config.on_reload(move |_, _| tally.told());
    }
    let file = project.file();
    Ok(Box::new(move |number| {
        Kind::Rename.save(&file, number)?;
        Ok(config.reload()?)
    }))
}

fn hotswap(count: u64, tally: &Arc<Tally>, runtime: &Arc<Runtime>, project: &Project) -> Result<Change> {
    let build = HotswapConfig::builder().with_file(project.file()).build::<App>();
    let config = runtime.block_on(build)?;
    let mut subscriptions = Subscriptions { held: Vec::new(), runtime: Arc::clone(runtime) };
    for _ in 0..count {
        let tally = Arc::clone(tally);
        subscriptions.held.push(runtime.block_on(config.subscribe(move || tally.told())));
    }
    let runtime = Arc::clone(runtime);
    Ok(Box::new(move |number| {
        let _alive = &subscriptions;
        Ok(runtime.block_on(config.update(App::numbered(number)))?)
    }))
}

/// Subscriptions of hotswap-config: each spawns a task when it is dropped, and panics outside of a runtime.
struct Subscriptions {
    held: Vec<SubscriptionHandle>,
    runtime: Arc<Runtime>,
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        let _entered = self.runtime.enter();
        self.held.clear();
    }
}
