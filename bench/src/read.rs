//! `read`: what it costs to look at the current value, with nothing going on and with 1,000 swaps a second.
//!
//! Every cell is a loop of reads, timed in CPU time of the reading thread: with two readers and a writer on
//! two cores, the time in which a reader is not running is no part of a read. The cells take turns, several
//! rounds, and the median counts. `swaps` says how many there really were in a second: rekindle's come from
//! the disk, each of them a save; the others' are stores.

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, RwLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use dynamic_config::Dynamic;
use hotswap_config::core::HotswapConfig;
use rekindle::{HotReloadManager, Live};
use tokio::runtime::Runtime;

use crate::harness::app::{App, Kind, Project, content};
use crate::harness::process::thread_cpu;
use crate::harness::stats::{float, median};
use crate::harness::table::{Row, Table};
use crate::harness::{Result, Size};
use crate::peers::{reloaders, runtime};

const ABOUT: &str = "Nanoseconds per read (CPU time of the reading thread), median of the rounds. `swaps` is what \
    was reached of 1,000 a second: rekindle's are saves to the disk, each loaded and checked; the others' are stores.";

/// The one to compare with.
const BASE: &str = "arc-swap, load";

/// Reads between two looks at the clock.
const BATCH: u64 = 20_000;

/// Something that can be read by many threads.
trait Subject: Sync {
    /// A reader for one thread: every call is a read.
    fn reader(&self) -> impl FnMut() -> u64;
    /// Gives it another value.
    fn swap(&self, number: u64);
    /// How many there have been, if that is not the number of calls.
    fn swaps(&self) -> Option<u64> {
        None
    }
}

pub(crate) fn measure(size: Size) -> Result<Vec<Table>> {
    let columns = ["1 thread", "2 threads", "1 thread, swaps", "2 threads, swaps", "swaps a second"];
    let mut table = Table::new("Read", ABOUT, "", &columns);
    let mut cells = Cells::new(size);
    for _ in 0..size.pick(7, 1) {
        round(&mut cells)?;
    }
    table.rows = cells.rows();
    table.columns.truncate(columns.len());
    table.add_ratio("1 thread, by arc-swap's", "1 thread", BASE);
    Ok(vec![table])
}

/// Every subject once.
fn round(cells: &mut Cells) -> Result<()> {
    let runtime = runtime()?;
    let project = Project::new()?;
    let watched = Watched::start(&project, &runtime)?;
    cells.measure("rekindle, Live::load", &watched);
    cells.measure("rekindle, Cached::load", &Cached(watched));
    cells.measure(BASE, &ArcSwap::from_pointee(App::numbered(0)));
    cells.measure("RwLock<Arc>, clone", &RwLock::new(Arc::new(App::numbered(0))));
    cells.measure("tokio watch, borrow", &tokio::sync::watch::Sender::new(App::numbered(0)));
    cells.measure("RwLock<config::Config>, get", &RwLock::new(config(0)?));
    cells.measure("dynamic-config, current", &reloaders::dynamic(&project)?);
    let build = HotswapConfig::builder().with_file(project.file()).build::<App>();
    cells.measure("hotswap-config, get", &Hotswap { config: runtime.block_on(build)?, runtime: &runtime });
    Ok(())
}

/// What has been measured: per subject, a list of figures per column.
struct Cells {
    time: Duration,
    found: Vec<(&'static str, [Vec<f64>; 5])>,
}

impl Cells {
    fn new(size: Size) -> Self {
        Self { time: size.pick(Duration::from_millis(200), Duration::from_millis(10)), found: Vec::new() }
    }

    fn measure(&mut self, name: &'static str, subject: &impl Subject) {
        if !self.found.iter().any(|(known, _)| *known == name) {
            self.found.push((name, Default::default()));
        }
        let Some((_, columns)) = self.found.iter_mut().find(|(known, _)| *known == name) else { return };
        for (column, (threads, swaps)) in
            [(1, false), (2, false), (1, true), (2, true)].into_iter().enumerate()
        {
            let (cost, swapped) = cell(subject, threads, swaps, self.time);
            columns[column].push(cost);
            if swaps {
                columns[4].push(swapped);
            }
        }
    }

    fn rows(&self) -> Vec<Row> {
        let row = |(name, columns): &(&str, [Vec<f64>; 5])| {
            Row::new("", *name, columns.iter().map(|values| median(values)).collect())
        };
        self.found.iter().map(row).collect()
    }
}

/// Nanoseconds per read, and swaps per second.
fn cell(subject: &impl Subject, threads: usize, swaps: bool, time: Duration) -> (f64, f64) {
    let (stop, start) = (AtomicBool::new(false), Barrier::new(threads + 1));
    std::thread::scope(|scope| {
        let read = || {
            start.wait();
            read_until(&stop, subject)
        };
        let readers: Vec<_> = (0..threads).map(|_| scope.spawn(read)).collect();
        start.wait();
        let swapped = if swaps { swap_for(time, subject) } else { wait(time) };
        stop.store(true, Ordering::Relaxed);
        let costs: Vec<f64> = readers.into_iter().filter_map(|reader| reader.join().ok()).collect();
        (costs.iter().sum::<f64>() / float(costs.len()), swapped)
    })
}

fn read_until(stop: &AtomicBool, subject: &impl Subject) -> f64 {
    let mut read = subject.reader();
    let (mut reads, began) = (0, thread_cpu());
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..BATCH {
            black_box(read());
        }
        reads += BATCH;
    }
    (thread_cpu() - began).as_secs_f64() * 1e9 / float(reads.max(1))
}

fn wait(time: Duration) -> f64 {
    std::thread::sleep(time);
    0.0
}

/// A swap every millisecond, as well as that can be had; gives how many there were in a second.
fn swap_for(time: Duration, subject: &impl Subject) -> f64 {
    let (began, before, mut calls) = (Instant::now(), subject.swaps().unwrap_or(0), 0);
    while began.elapsed() < time {
        calls += 1;
        subject.swap(calls);
        let next = began + Duration::from_millis(calls);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    let swaps = subject.swaps().map_or(calls, |after| after - before);
    float(swaps) / began.elapsed().as_secs_f64()
}

/// rekindle, with a file to save.
struct Watched {
    manager: HotReloadManager,
    live: Live<App>,
    file: PathBuf,
    saves: AtomicU64,
}

impl Watched {
    fn start(project: &Project, runtime: &Runtime) -> Result<Self> {
        let (manager, live) = runtime.block_on(reloaders::live(project, Some(Duration::ZERO)))?;
        Ok(Self { manager, live, file: project.file(), saves: AtomicU64::new(0) })
    }
}

impl Subject for Watched {
    fn reader(&self) -> impl FnMut() -> u64 {
        || self.live.load().number
    }

    /// A save that fails is a swap too few, which the table shows.
    fn swap(&self, _number: u64) {
        let _ = Kind::Rename.save(&self.file, self.saves.fetch_add(1, Ordering::Relaxed) + 1);
    }

    /// Two saves may become one swap.
    fn swaps(&self) -> Option<u64> {
        Some(self.manager.status().generation)
    }
}

/// The same through [`Live::cached`].
struct Cached(Watched);

impl Subject for Cached {
    fn reader(&self) -> impl FnMut() -> u64 {
        let mut cached = self.0.live.cached();
        move || cached.load().number
    }

    fn swap(&self, number: u64) {
        self.0.swap(number);
    }

    fn swaps(&self) -> Option<u64> {
        self.0.swaps()
    }
}

impl Subject for ArcSwap<App> {
    fn reader(&self) -> impl FnMut() -> u64 {
        || self.load().number
    }

    fn swap(&self, number: u64) {
        self.store(Arc::new(App::numbered(number)));
    }
}

impl Subject for RwLock<Arc<App>> {
    fn reader(&self) -> impl FnMut() -> u64 {
        || self.read().map_or(0, |value| Arc::clone(&value).number)
    }

    fn swap(&self, number: u64) {
        if let Ok(mut value) = self.write() {
            *value = Arc::new(App::numbered(number));
        }
    }
}

impl Subject for tokio::sync::watch::Sender<App> {
    fn reader(&self) -> impl FnMut() -> u64 {
        let receiver = self.subscribe();
        move || receiver.borrow().number
    }

    fn swap(&self, number: u64) {
        self.send_replace(App::numbered(number));
    }
}

fn config(number: u64) -> Result<config::Config> {
    let source = config::File::from_str(&content(number), config::FileFormat::Toml);
    Ok(config::Config::builder().add_source(source).build()?)
}

impl Subject for RwLock<config::Config> {
    fn reader(&self) -> impl FnMut() -> u64 {
        || self.read().ok().and_then(|config| config.get("number").ok()).unwrap_or_default()
    }

    fn swap(&self, number: u64) {
        if let (Ok(config), Ok(mut value)) = (config(number), self.write()) {
            *value = config;
        }
    }
}

impl Subject for Dynamic<App> {
    fn reader(&self) -> impl FnMut() -> u64 {
        || self.current().map_or(0, |app| app.number)
    }

    /// There is no store: it loads the file anew.
    fn swap(&self, _number: u64) {
        let _ = self.reload();
    }
}

struct Hotswap<'a> {
    config: HotswapConfig<App>,
    runtime: &'a Runtime,
}

impl Subject for Hotswap<'_> {
    fn reader(&self) -> impl FnMut() -> u64 {
        || self.config.get().number
    }

    fn swap(&self, number: u64) {
        let _ = self.runtime.block_on(self.config.update(App::numbered(number)));
    }
}
