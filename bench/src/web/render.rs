//! `render`: how many pages are rendered in a second, while nothing changes and while a template does ten times a second.
//!
//! Quiet and busy slices take turns, and so do the subjects; the median of the pairs counts. The templates that
//! change are a partial of the page, saved to the disk.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, RwLock};
use std::time::{Duration, Instant};

use minijinja::Environment;
use minijinja_autoreload::AutoReloader;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use rekindle::{HotReload, HotReloadManager};
use rekindle_templates::{MiniJinja, Templates};
use serde::Serialize;
use tokio::runtime::Runtime;

use super::site::{Site, number};
use crate::harness::stats::{float, median};
use crate::harness::table::{Row, Table};
use crate::harness::{Result, Size};
use crate::peers::runtime;

const ABOUT: &str = "Pages rendered in a second of wall-clock time by all threads: with nothing going on, and while a \
    partial of the page is saved ten times a second. `busy / quiet` is the median of pairs that follow each other. `shown` \
    is how many of the saves were seen in a rendered page.";

/// Between two saves.
const EVERY: Duration = Duration::from_millis(100);

/// What a page shows.
#[derive(Debug, Serialize)]
struct Shown {
    title: &'static str,
    rows: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    name: String,
    price: usize,
    new: bool,
}

impl Shown {
    fn new() -> Self {
        let line =
            |price: usize| Line { name: format!("Item <{price}>"), price, new: price.is_multiple_of(7) };
        Self { title: "A list", rows: (0..50).map(line).collect() }
    }
}

/// A way to render templates that are on disk.
trait Subject: Sync {
    fn render(&self, shown: &Shown) -> Option<String>;
}

pub(crate) fn measure(size: Size) -> Result<Vec<Table>> {
    let columns = ["quiet", "busy", "busy / quiet", "shown"];
    let mut table = Table::new("Render", ABOUT, "threads", &columns);
    for threads in size.pick(vec![1, 2], vec![2]) {
        table.rows.extend(rows(threads, size)?);
    }
    Ok(vec![table])
}

fn rows(threads: usize, size: Size) -> Result<Vec<Row>> {
    let (site, runtime) = (Site::new()?, runtime()?);
    let ours = Ours::start(&site, &runtime)?;
    let by_hand = ByHand::start(&site.templates())?;
    let autoreload = autoreload(site.templates());
    let subjects: [(&str, &dyn Subject); 3] = [
        ("rekindle", &ours),
        ("by hand: notify, RwLock, all compiled anew", &by_hand),
        ("minijinja-autoreload", &autoreload),
    ];
    let mut slices = [(); 3].map(|()| Vec::new());
    let time = size.pick(Duration::from_secs(2), Duration::from_millis(200));
    for _ in 0..size.pick(7, 1) {
        for ((_, subject), slices) in subjects.iter().zip(&mut slices) {
            let quiet = slice(*subject, threads, || rest(time));
            let busy = slice(*subject, threads, || save_for(time, &site));
            slices.push((quiet, busy));
        }
    }
    Ok(subjects.iter().zip(&slices).map(|((name, _), slices)| row(threads, name, slices)).collect())
}

fn row(threads: usize, name: &str, slices: &[(Slice, Slice)]) -> Row {
    let middle = |of: &dyn Fn(&(Slice, Slice)) -> f64| median(&slices.iter().map(of).collect::<Vec<_>>());
    let values = vec![
        middle(&|(quiet, _)| quiet.rate),
        middle(&|(_, busy)| busy.rate),
        middle(&|(quiet, busy)| busy.rate / quiet.rate),
        middle(&|(_, busy)| busy.shown),
    ];
    Row::new(threads.to_string(), name, values)
}

/// What came of one stretch of time.
#[derive(Debug, Clone, Copy)]
struct Slice {
    /// Renders a second.
    rate: f64,
    /// Different pages, by the saves there were.
    shown: f64,
}

/// Renders on so many threads for as long as `meanwhile` takes, which gives how many saves it made.
fn slice(subject: &dyn Subject, threads: usize, meanwhile: impl FnOnce() -> u64) -> Slice {
    let (stop, start, renders) = (AtomicBool::new(false), Barrier::new(threads + 1), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let render = || {
            start.wait();
            render_until(&stop, subject, &renders)
        };
        let renderers: Vec<_> = (0..threads).map(|_| scope.spawn(render)).collect();
        start.wait();
        let (before, began) = (renders.load(Ordering::Relaxed), Instant::now());
        let saves = meanwhile();
        let (count, took) = (renders.load(Ordering::Relaxed) - before, began.elapsed());
        stop.store(true, Ordering::Relaxed);
        let seen = renderers.into_iter().filter_map(|renderer| renderer.join().ok()).max();
        let shown = float(seen.unwrap_or(0)) / float(saves.max(1));
        Slice { rate: float(count) / took.as_secs_f64(), shown }
    })
}

/// Gives how often a page was another one than that before it.
fn render_until(stop: &AtomicBool, subject: &dyn Subject, renders: &AtomicU64) -> u64 {
    let (shown, mut last, mut changes) = (Shown::new(), None, 0);
    while !stop.load(Ordering::Relaxed) {
        // One that fails is no render.
        let Some(page) = subject.render(&shown) else { continue };
        renders.fetch_add(1, Ordering::Relaxed);
        let now = number(&page);
        changes += u64::from(last.is_some_and(|last| last != now));
        last = Some(now);
    }
    changes
}

fn rest(time: Duration) -> u64 {
    std::thread::sleep(time);
    0
}

/// A save that fails is one too few, which the table shows.
fn save_for(time: Duration, site: &Site) -> u64 {
    let (began, mut saves) = (Instant::now(), 0);
    while began.elapsed() < time {
        saves += 1;
        let _ = site.save_header();
        let next = began + EVERY * u32::try_from(saves).unwrap_or(u32::MAX);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    saves
}

/// rekindle.
struct Ours {
    templates: Templates<MiniJinja>,
    _manager: HotReloadManager,
}

impl Ours {
    fn start(site: &Site, runtime: &Runtime) -> Result<Self> {
        runtime.block_on(async {
            let manager = HotReload::builder(site.root()).start().await?;
            let templates = Templates::watch(&manager, "templates/**").await?;
            Ok(Self { templates, _manager: manager })
        })
    }
}

impl Subject for Ours {
    fn render(&self, shown: &Shown) -> Option<String> {
        self.templates.render("page.html", shown).ok()
    }
}

/// What is written without a library: everything compiled anew, behind a lock, with each event.
struct ByHand {
    current: Arc<RwLock<Environment<'static>>>,
    _watcher: RecommendedWatcher,
}

impl ByHand {
    fn start(templates: &Path) -> Result<Self> {
        let current = Arc::new(RwLock::new(compiled(templates)?));
        let (to, from) = (Arc::clone(&current), templates.to_path_buf());
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| event.kind.is_access()) {
                return;
            }
            // Whatever is wrong: the last good ones stay.
            if let (Ok(new), Ok(mut current)) = (compiled(&from), to.write()) {
                *current = new;
            }
        })?;
        watcher.watch(templates, RecursiveMode::Recursive)?;
        Ok(Self { current, _watcher: watcher })
    }
}

fn compiled(templates: &Path) -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    for entry in std::fs::read_dir(templates)? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        environment.add_template_owned(name, std::fs::read_to_string(&file)?)?;
    }
    Ok(environment)
}

impl Subject for ByHand {
    fn render(&self, shown: &Shown) -> Option<String> {
        self.current
            .read()
            .ok()?
            .get_template("page.html")
            .ok()?
            .render(minijinja::Value::from(minijinja::value::Serde(shown)))
            .ok()
    }
}

fn autoreload(templates: PathBuf) -> AutoReloader {
    AutoReloader::new(move |notifier| {
        let mut environment = Environment::new();
        environment.set_loader(minijinja::path_loader(&templates));
        notifier.watch_path(&templates, true);
        Ok(environment)
    })
}

impl Subject for AutoReloader {
    fn render(&self, shown: &Shown) -> Option<String> {
        self.acquire_env()
            .ok()?
            .get_template("page.html")
            .ok()?
            .render(minijinja::Value::from(minijinja::value::Serde(shown)))
            .ok()
    }
}
