//! `idle`: what it costs when nothing happens.
//!
//! Every case watches a project of its own in a process of its own; all are left alone at the same time.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::harness::app::Project;
use crate::harness::child::{self, Case};
use crate::harness::process::{others_cpu, others_switches};
use crate::harness::stats::{float, millis};
use crate::harness::table::{Row, Table};
use crate::harness::{Result, Size};
use crate::peers::reloaders::{self, FLOOR, PROMPT};

const ABOUT: &str = "Per minute with nothing happening, 10,000 files watched by those that watch trees: how often a \
    thread of the process woke up (and slept again), how often it was preempted by somebody else's, and its CPU time; \
    the main thread, which sleeps, is left out.";

/// The counters of a process, so far.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Counters {
    given: u64,
    taken: u64,
    cpu_ms: f64,
}

pub(crate) fn measure(size: Size) -> Result<Vec<Table>> {
    let mut table = Table::new("Idle", ABOUT, "", &["wake-ups", "preemptions", "CPU, ms"]);
    let files = size.pick(10_000, 10).to_string();
    // Of the two ways to use rekindle one is enough: when nothing happens they are the same.
    let who = reloaders::ALL.iter().filter(|one| ![FLOOR, PROMPT].contains(&one.name));
    let mut cases = Vec::new();
    for reloader in who {
        cases.push((reloader.name, Case::start(&["idle", reloader.name, &files])?));
    }
    // The first answer comes when all are ready; then the last events of the setup pass.
    ask(&mut cases)?;
    std::thread::sleep(size.pick(Duration::from_secs(3), Duration::from_millis(100)));
    let (before, began) = (ask(&mut cases)?, Instant::now());
    std::thread::sleep(size.pick(Duration::from_secs(60), Duration::from_secs(1)));
    let after = ask(&mut cases)?;
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    for ((name, _), (before, after)) in cases.iter().zip(before.iter().zip(&after)) {
        let count = |before: u64, after: u64| Some((float(after - before) / minutes).round());
        // What the two clocks differ by when nothing runs is not time.
        let cpu = (after.cpu_ms - before.cpu_ms).max(0.0) / minutes;
        let switches = [count(before.given, after.given), count(before.taken, after.taken)];
        table.rows.push(Row::new("", *name, [switches.as_slice(), &[Some(cpu)]].concat()));
    }
    Ok(vec![table])
}

fn ask(cases: &mut [(&str, Case)]) -> Result<Vec<Counters>> {
    cases.iter_mut().map(|(_, case)| case.ask("counters")).collect()
}

/// In the child: watches, and tells its counters.
pub(crate) fn case(name: &str, files: usize) -> Result<()> {
    let project = Project::with_files(files)?;
    let _load = (reloaders::find(name)?.start)(&project)?;
    child::serve(|_| {
        let (given, taken) = others_switches()?;
        Ok(Counters { given, taken, cpu_ms: millis(others_cpu()) })
    })
}
