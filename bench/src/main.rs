//! Measures rekindle beside its peers. One run is one comparison: the cases take turns within it.
//!
//! ```text
//! cargo run --release -p rekindle-bench -- all
//! ```
//!
//! Each measurement is a file here; it prints its table and puts it into `bench/results/latest.json`, from
//! which `plot` draws and `readme` writes. Nothing is asserted about time.

#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark saves files as anybody would, leaves gaps between saves, and is no library"
)]

mod burst;
mod fanout;
mod fleet;
mod harness;
mod idle;
mod instructions;
mod latency;
mod peers;
mod plot;
mod read;
mod readme;
mod saves;
mod scale;
mod setup;
mod stages;
mod web;

use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};

use harness::machine::Machine;
use harness::results::{Part, Results};
use harness::table::Table;
use harness::{Result, Size, child};

/// Measures rekindle beside its peers.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
    /// Seconds instead of minutes: shows that everything still runs, says nothing about speed. The results
    /// go to bench/quick/ instead of bench/results/.
    #[arg(long, global = true)]
    quick: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Every measurement below, one after the other.
    All,
    /// From a finished save to the value that a reader sees.
    Latency,
    /// Beginning to watch a tree: time, watches, memory.
    Setup,
    /// Many files in new directories, then modified: which of them are told of.
    Burst,
    /// Reading a value.
    Read,
    /// One change to many streams and handlers.
    Fanout,
    /// One save with few and with many files watched.
    Scale,
    /// Nothing happens: wake-ups and CPU.
    Idle,
    /// Instructions of a read and of a reload; needs valgrind.
    Instructions,
    /// Rendering pages while their templates change.
    Render,
    /// A page's way through the layer.
    Inject,
    /// A save, told to many browsers.
    Clients,
    /// Requests while the server is changed.
    Serve,
    /// A release, taken by many instances; needs etcd.
    Fleet,
    /// A save, shown in a browser; needs Node.js and Chromium.
    Screen,
    /// Draws bench/plot/*.svg from the results.
    Plot,
    /// Writes the results into the project's README, between its markers.
    Readme,
    /// A case in a process of its own: what the measurements start.
    #[command(hide = true)]
    Case { arguments: Vec<String> },
}

/// A measurement, and its name.
type Measurement = (&'static str, fn(Size) -> Result<Vec<Table>>);

const MEASUREMENTS: [Measurement; 14] = [
    ("latency", latency::measure),
    ("setup", setup::measure),
    ("burst", burst::measure),
    ("read", read::measure),
    ("fanout", fanout::measure),
    ("scale", scale::measure),
    ("idle", idle::measure),
    ("instructions", instructions::measure),
    ("render", web::render::measure),
    ("inject", web::inject::measure),
    ("clients", web::clients::measure),
    ("serve", web::serve::measure),
    ("fleet", fleet::measure),
    ("screen", web::screen::measure),
];

fn main() -> ExitCode {
    let Arguments { what, quick } = Arguments::parse();
    match run(&what, Size { quick }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rekindle-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: &What, size: Size) -> Result<()> {
    match what {
        What::All => MEASUREMENTS.iter().try_for_each(|(name, _)| measure(name, size)),
        What::Latency => measure("latency", size),
        What::Setup => measure("setup", size),
        What::Burst => measure("burst", size),
        What::Read => measure("read", size),
        What::Fanout => measure("fanout", size),
        What::Scale => measure("scale", size),
        What::Idle => measure("idle", size),
        What::Instructions => measure("instructions", size),
        What::Render => measure("render", size),
        What::Inject => measure("inject", size),
        What::Clients => measure("clients", size),
        What::Serve => measure("serve", size),
        What::Fleet => measure("fleet", size),
        What::Screen => measure("screen", size),
        What::Plot => plot::draw(size),
        What::Readme => readme::update(size),
        What::Case { arguments } => {
            child::run(|| case(arguments));
            Ok(())
        }
    }
}

fn measure(name: &str, size: Size) -> Result<()> {
    let (_, run) = MEASUREMENTS.iter().find(|(known, _)| *known == name).ok_or("no such measurement")?;
    let (machine, started) = (Machine::here(), Instant::now());
    let tables = run(size)?;
    for table in &tables {
        print!("{}", table.text());
    }
    println!("\n{name}: {:.0?}, load average before it {}", started.elapsed(), machine.load);
    Results::merge(size, name, Part { machine, tables })
}

fn case(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["saves", name, kind, files] => saves::case(name, kind, files.parse()?),
        ["setup", name, root] => setup::case(name, root),
        ["burst", name, files, quiet] => burst::case(name, files.parse()?, quiet.parse()?),
        ["fanout", name, count] => fanout::case(name, count.parse()?),
        ["instructions", name, repeat] => instructions::case(name, repeat.parse()?),
        ["clients", name, root] => web::clients::case(name, root),
        ["fleet", name, address, count] => fleet::case(name, address, count.parse()?),
        ["idle", name, files] => idle::case(name, files.parse()?),
        _ => Err(format!("no such case: {arguments:?}").into()),
    }
}
