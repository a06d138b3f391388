//! `fleet`: a release of a shared store, taken by many instances, beside a bare watch of the same store.
//!
//! All clients of a case are in one process, each with a connection of its own; server and clients share the machine. The
//! instances are whole members of a fleet, whose engine takes a release without touching the disk: what is measured is what
//! lies between the store and the engine.

mod clients;
mod engine;
mod rollout;
mod server;

use serde::{Deserialize, Serialize};

use crate::harness::child::Case;
use crate::harness::stats::{Times, float, median};
use crate::harness::table::{Row, Table};
use crate::harness::{Result, Size};
use server::Etcd;

pub(crate) use clients::case;

const ABOUT: &str = "One change of the store until each of that many clients has it: a bare watch of etcd (the key holds the \
    release; the time is from the write on), instances of a fleet that have validated the release before (from `publish_at_once` on, which reads \
    and writes four documents one after the other), and the whole way from `publish` on: every instance validates and answers, a coordinator counts, \
    everybody applies. Milliseconds over all clients and changes; CPU of one change in the process of the clients and in the server, median, with what they \
    do after it; memory per client, and of the server. One connection each; all on one machine.";

const ROLLOUT: &str = "A rollout over 300 instances in steps of 10, 50 and 100 per cent that bake for no time; medians in milliseconds. \
    Good: from `publish` until it is stable. Refused by one: from its answer until the candidate is gone from the head; nobody had \
    applied it. A sick canary: from its word until everybody is back on what was stable.";

/// One change.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    /// Of each client.
    ms: Vec<f64>,
    cpu_ms: f64,
}

/// What a client costs that waits.
#[derive(Debug, Serialize, Deserialize)]
struct Ready {
    bytes: u64,
}

const WATCH: &str = "a bare watch of etcd";
const APPLY: &str = "instances, validated before";
const PUBLISH: &str = "instances, from publish on";

pub(crate) fn measure(size: Size) -> Result<Vec<Table>> {
    let columns = ["changes", "p50", "p99", "last", "CPU, clients", "CPU, server", "kB each", "MB, server"];
    let mut table = Table::new("A fleet", ABOUT, "clients", &columns);
    for count in size.pick([1_u64, 100, 1_000], [1, 2, 4]) {
        for case in [WATCH, APPLY, PUBLISH] {
            table.rows.push(etcd(case, count, size.pick(20, 2))?);
        }
    }
    for count in size.pick([1_u64, 10, 100], [1, 2, 3]) {
        for case in ["a bare watch of SQLite", "instances on SQLite"] {
            table.rows.push(sqlite(case, count, size.pick(20, 2))?);
        }
    }
    table.add_ratio("p50, by the watch's", "p50", WATCH);
    table.add_ratio("p99, by the watch's", "p99", WATCH);
    Ok(vec![table, rollouts(size)?])
}

fn etcd(case: &str, count: u64, rounds: usize) -> Result<Row> {
    let server = Etcd::start()?;
    let mut clients = Case::start(&["fleet", case, &server.address(), &count.to_string()])?;
    let ready: Ready = clients.answer()?;
    // One that does not count.
    change(&mut clients)?;
    let mut told = Vec::new();
    let mut of_server = Vec::new();
    for _ in 0..rounds {
        let _none: Option<Told> = clients.ask("prepare")?;
        let before = server.cpu_ms()?;
        told.extend(clients.ask::<Option<Told>>("change")?);
        of_server.push(server.cpu_ms()? - before);
    }
    let costs = [median(&of_server), None, Some(float(server.memory()?) / 1e6)];
    row(count.to_string(), case, &told, costs, (ready.bytes, count))
}

fn change(clients: &mut Case) -> Result<Option<Told>> {
    let _none: Option<Told> = clients.ask("prepare")?;
    clients.ask("change")
}

fn sqlite(case: &str, count: u64, rounds: usize) -> Result<Row> {
    let directory = tempfile::tempdir()?;
    let address = format!("sqlite:{}", directory.path().join("fleet.db").display());
    let mut clients = Case::start(&["fleet", case, &address, &count.to_string()])?;
    let ready: Ready = clients.answer()?;
    change(&mut clients)?;
    let mut told = Vec::new();
    for _ in 0..rounds {
        told.extend(change(&mut clients)?);
    }
    row(format!("{count}, in a file"), case, &told, [None; 3], (ready.bytes, count))
}

fn row(
    group: String,
    case: &str,
    told: &[Told],
    [server, _, memory]: [Option<f64>; 3],
    (bytes, count): (u64, u64),
) -> Result<Row> {
    let all: Vec<f64> = told.iter().flat_map(|told| told.ms.iter().copied()).collect();
    let times = Times::of_millis(&all)?;
    let last: Vec<f64> = told.iter().map(|told| told.ms.iter().copied().fold(0.0, f64::max)).collect();
    let cpu: Vec<f64> = told.iter().map(|told| told.cpu_ms).collect();
    // Of a few, the pages of memory are all that would be seen.
    let each = (count >= 100).then(|| float(bytes / count) / 1e3);
    let (p50, p99) = (times.ms(0.5), times.ms(0.99));
    Ok(Row::new(
        group,
        case,
        vec![Some(float(told.len())), p50, p99, median(&last), median(&cpu), server, each, memory],
    ))
}

fn rollouts(size: Size) -> Result<Table> {
    let mut table = Table::new("Rollouts", ROLLOUT, "", &["rollouts", "p50", "longest"]);
    let count = size.pick("300", "5");
    for case in ["a good one", "refused by one", "a sick canary"] {
        let server = Etcd::start()?;
        let mut clients = Case::start(&["fleet", case, &server.address(), count])?;
        let _ready: Ready = clients.answer()?;
        let mut took: Vec<f64> = Vec::new();
        for _ in 0..size.pick(10, 1) {
            took.push(clients.ask("rollout")?);
        }
        let longest = took.iter().copied().fold(0.0, f64::max);
        table.rows.push(Row::new("", case, vec![Some(float(took.len())), median(&took), Some(longest)]));
    }
    Ok(table)
}
