//! `instructions`: what a read and a reload take, in instructions as callgrind counts them.
//!
//! These figures do not drift with the machine or with what else it does. A case is run twice under
//! valgrind, the second time with twice as many repetitions: the difference is theirs alone, without what
//! the process does to begin and to end. All threads count, so a reload is the whole of it.

use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use hotswap_config::core::HotswapConfig;

use crate::harness::app::{App, Kind, Project};
use crate::harness::results::Results;
use crate::harness::stats::float;
use crate::harness::table::{Row, Table};
use crate::harness::{Result, Size};
use crate::peers::{reloaders, runtime};
use crate::stages;

const ABOUT: &str = "Instructions, of all threads, as callgrind counts them: of one read, of one save by rename \
    with the reload that it brings, and of the pure stages each alone. `before` is what the results held until now.";

const TOOL: [&str; 3] = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];

/// Does something that many times.
type Repeat = fn(u64) -> Result<()>;

/// Group, name, repetitions.
const CASES: [(&str, &str, u64, Repeat); 16] = [
    ("read", "arc-swap, load", 100_000, read_arc_swap),
    ("read", "rekindle, Live::load", 100_000, read_live),
    ("read", "rekindle, Cached::load", 100_000, read_cached),
    ("read", "dynamic-config, current", 100_000, read_dynamic),
    ("read", "hotswap-config, get", 100_000, read_hotswap),
    ("reload", "by hand: read, parse, store", 100, reload_by_hand),
    ("reload", "rekindle, settle(0), to a stream", 100, reload_stream),
    ("reload", "dynamic-config, reload", 100, reload_dynamic),
    ("reload", "hotswap-config, reload", 100, reload_hotswap),
    ("stages", "settle: one finished write", 10_000, stages::settle_one),
    ("stages", "settle: the same among 1,000 others", 200, stages::settle_among_many),
    ("stages", "route: one path", 10_000, stages::route),
    ("stages", "merge: three layers", 1_000, stages::merge),
    ("stages", "parse: TOML", 1_000, stages::parse_toml),
    ("stages", "parse: JSON", 1_000, stages::parse_json),
    ("stages", "parse: YAML", 1_000, stages::parse_yaml),
];

pub(crate) fn measure(size: Size) -> Result<Vec<Table>> {
    let mut table = Table::new("Instructions", ABOUT, "", &["instructions", "before"]);
    let last = Results::read(size)?;
    // A quick run is to see that it works.
    for (group, name, repeat, _) in CASES.iter().take(size.pick(CASES.len(), 2)) {
        table.rows.push(match per_repetition(name, size.pick(*repeat, 100)) {
            Ok(count) => Row::new(*group, *name, vec![Some(count), before(&last, name)]),
            Err(why) => Row::failed(*group, *name, why.to_string()),
        });
    }
    table.add_ratio("read, by arc-swap's", "instructions", CASES[0].1);
    Ok(vec![table])
}

fn before(last: &Results, name: &str) -> Option<f64> {
    let table = last.tables("instructions").first()?;
    table.value(table.rows.iter().find(|row| row.case == name)?, "instructions")
}

fn per_repetition(name: &str, repeat: u64) -> Result<f64> {
    let (once, twice) = (collected(name, repeat)?, collected(name, 2 * repeat)?);
    Ok(float(twice.saturating_sub(once)) / float(repeat))
}

/// Runs a case under valgrind.
fn collected(name: &str, repeat: u64) -> Result<u64> {
    let [valgrind, options @ ..] = TOOL;
    let mut command = Command::new(valgrind);
    command.args(options).arg(std::env::current_exe()?);
    command.args(["case", "instructions", name, &repeat.to_string()]);
    let run = command.output().map_err(|error| format!("valgrind cannot be run: {error}"))?;
    if let Some(error) = String::from_utf8_lossy(&run.stdout).strip_prefix('!') {
        return Err(error.trim().into());
    }
    let told = String::from_utf8_lossy(&run.stderr);
    let count = told.lines().find_map(|line| line.split_once("Collected : ").map(|(_, count)| count.trim()));
    Ok(count.ok_or("valgrind told no count")?.parse()?)
}

/// In the child: does it.
pub(crate) fn case(name: &str, repeat: u64) -> Result<()> {
    let case = CASES.iter().find(|(_, known, _, _)| *known == name);
    let (_, _, _, run) = case.ok_or("no such case")?;
    run(repeat)
}

fn read_arc_swap(repeat: u64) -> Result<()> {
    let value = ArcSwap::from_pointee(App::numbered(0));
    (0..repeat).for_each(|_| _ = black_box(value.load().number));
    Ok(())
}

fn read_live(repeat: u64) -> Result<()> {
    let project = Project::new()?;
    let (_, live) = runtime()?.block_on(reloaders::live(&project, None))?;
    (0..repeat).for_each(|_| _ = black_box(live.load().number));
    Ok(())
}

fn read_cached(repeat: u64) -> Result<()> {
    let project = Project::new()?;
    let (_, live) = runtime()?.block_on(reloaders::live(&project, None))?;
    let mut cached = live.cached();
    (0..repeat).for_each(|_| _ = black_box(cached.load().number));
    Ok(())
}

fn read_dynamic(repeat: u64) -> Result<()> {
    let config = reloaders::dynamic(&Project::new()?)?;
    (0..repeat).for_each(|_| _ = black_box(config.current().map(|app| app.number)));
    Ok(())
}

fn read_hotswap(repeat: u64) -> Result<()> {
    let config = HotswapConfig::<App>::new(App::numbered(0));
    (0..repeat).for_each(|_| _ = black_box(config.get().number));
    Ok(())
}

fn reload_by_hand(repeat: u64) -> Result<()> {
    let (project, value) = (Project::new()?, ArcSwap::from_pointee(App::numbered(0)));
    for number in 1..=repeat {
        Kind::Rename.save(&project.file(), number)?;
        value.store(Arc::new(App::read(&project.file()).ok_or("half a file")?));
    }
    Ok(())
}

fn reload_stream(repeat: u64) -> Result<()> {
    let (project, runtime) = (Project::new()?, runtime()?);
    runtime.block_on(async {
        let (manager, _) = reloaders::live(&project, Some(Duration::ZERO)).await?;
        let mut stream = manager.watch::<App>("app").await?;
        for number in 1..=repeat {
            Kind::Rename.save(&project.file(), number)?;
            stream.next().await.ok_or("it has ended")?;
        }
        Ok(())
    })
}

fn reload_dynamic(repeat: u64) -> Result<()> {
    let project = Project::new()?;
    let config = reloaders::dynamic(&project)?;
    for number in 1..=repeat {
        Kind::Rename.save(&project.file(), number)?;
        config.reload()?;
    }
    Ok(())
}

fn reload_hotswap(repeat: u64) -> Result<()> {
    let (project, runtime) = (Project::new()?, runtime()?);
    let build = HotswapConfig::builder().with_file(project.file()).build::<App>();
    let config = runtime.block_on(build)?;
    for number in 1..=repeat {
        Kind::Rename.save(&project.file(), number)?;
        runtime.block_on(config.reload())?;
    }
    Ok(())
}
