//! `burst`: many files in directories made in the same moment, then all of them modified.
//!
//! A watcher that learns of a directory and then arms it has missed what was written in between; one that is
//! too slow loses what its queue does not hold. What counts is whether the program hears of every file.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::harness::child;
use crate::harness::process::others_cpu;
use crate::harness::stats::{float, median, millis};
use crate::harness::table::{Row, Table};
use crate::harness::tree::directory;
use crate::harness::{Result, Size};
use crate::peers::watchers::{self, NOTIFY, Reports};

const ABOUT: &str = "Distinct files that the program was told of, worst of the runs; quiet: from the last write to the \
    last report, milliseconds; losses: how often the program was told that something had been lost; \
    CPU of all threads but the one that writes, milliseconds. Times are medians.";

/// Files that share a directory.
const PER_DIRECTORY: usize = 100;

/// Nothing for this long is quiet.
const QUIET: Duration = Duration::from_secs(2);

/// What one run gave.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Run {
    created: usize,
    modified: usize,
    either: usize,
    created_ms: f64,
    modified_ms: f64,
    cpu_ms: f64,
    losses: u64,
}

pub(crate) fn measure(size: Size) -> Result<Vec<Table>> {
    let columns = ["created", "modified", "either", "quiet after created", "after modified", "CPU", "losses"];
    let files: usize = size.pick(20_000, 200);
    let mut table = Table::new("Burst", ABOUT, "files", &columns);
    let mut runs: Vec<Vec<Run>> = vec![Vec::new(); watchers::ALL.len()];
    let quiet = size.pick(QUIET, Duration::from_millis(200)).as_millis().to_string();
    for _ in 0..size.pick(3, 1) {
        for (watcher, runs) in watchers::ALL.iter().zip(&mut runs) {
            runs.push(child::once(&["burst", watcher.name, &files.to_string(), &quiet])?);
        }
    }
    table.rows =
        watchers::ALL.iter().zip(&runs).map(|(watcher, runs)| row(files, watcher.name, runs)).collect();
    table.add_ratio("CPU, by notify's", "CPU", NOTIFY);
    Ok(vec![table])
}

fn row(files: usize, name: &str, runs: &[Run]) -> Row {
    let fewest = |of: &dyn Fn(&Run) -> usize| runs.iter().map(of).min().map(|least| float(least as u64));
    let middle = |of: &dyn Fn(&Run) -> f64| median(&runs.iter().map(of).collect::<Vec<_>>());
    let values = vec![
        fewest(&|run| run.created),
        fewest(&|run| run.modified),
        fewest(&|run| run.either),
        middle(&|run| run.created_ms),
        middle(&|run| run.modified_ms),
        middle(&|run| run.cpu_ms),
        middle(&|run| float(run.losses)),
    ];
    Row::new(files.to_string(), name, values)
}

/// In the child: one run.
pub(crate) fn case(name: &str, files: usize, quiet_ms: u64) -> Result<()> {
    let quiet = Duration::from_millis(quiet_ms);
    let root = directory()?;
    let tree = root.path().join("tree");
    fs::create_dir(&tree)?;
    let reports = Arc::new(Reports::default());
    let _guard = (watchers::find(name)?.start)(root.path(), &reports)?;
    let cpu = others_cpu();
    let written = create(&tree, files)?;
    let created_ms = rest(&reports, quiet);
    let created = told(&reports, &written);
    written.iter().try_for_each(|file| fs::write(file, "another content\n"))?;
    let modified_ms = rest(&reports, quiet);
    let modified = told(&reports, &written);
    child::say(&Run {
        created: created.len(),
        modified: modified.len(),
        either: created.union(&modified).count(),
        created_ms,
        modified_ms,
        cpu_ms: millis(others_cpu().saturating_sub(cpu)),
        losses: reports.losses(),
    })
}

/// Directories, each filled as soon as it is made.
fn create(tree: &Path, files: usize) -> io::Result<HashSet<PathBuf>> {
    let mut written = HashSet::new();
    for index in 0..files {
        let directory = tree.join(format!("d{:03}", index / PER_DIRECTORY));
        if index.is_multiple_of(PER_DIRECTORY) {
            fs::create_dir(&directory)?;
        }
        let file = directory.join(format!("f{index:05}.txt"));
        fs::write(&file, "some content\n")?;
        written.insert(file);
    }
    Ok(written)
}

/// Waits until there are no more reports; gives how long after now the last one came, in milliseconds.
fn rest(reports: &Reports, quiet: Duration) -> f64 {
    let written = Instant::now();
    loop {
        let last = reports.last().unwrap_or(written).max(written);
        if last.elapsed() >= quiet {
            return millis(last - written);
        }
        std::thread::sleep(quiet.saturating_sub(last.elapsed()));
    }
}

/// Which of the files were reported since the last time.
fn told(reports: &Reports, written: &HashSet<PathBuf>) -> HashSet<PathBuf> {
    reports.take().into_iter().filter(|path| written.contains(path)).collect()
}
