//! Writers that are killed, again and again, at any moment.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use rekindle_test::child::{self, Program};

use super::{Root, listed, new, text};
use crate::history::runs::Run;
use crate::history::{History, Limits, Outcome};

const LIMITS: Limits = Limits { revisions: 5, bytes: 1 << 20 };

#[test]
fn a_writer_killed_at_any_moment_leaves_a_history_that_is_whole_and_rises() {
    let root = Root::with(LIMITS);
    let mut newest = 0;
    for round in 0..50_u64 {
        let mut writer = Program::start("history::tests::killed::body");
        writer.tell(root.path().to_str().expect("UTF-8"));
        let said: u64 = writer.says("recorded ").parse().expect("a revision");
        assert!(said > newest, "{said} after {newest}");
        // A moment is random if it has nothing to do with what goes on: up to several records later.
        let (_tell, never) = mpsc::channel::<()>();
        let moment = Duration::from_micros(round.wrapping_mul(7919) % 20_000);
        never.recv_timeout(moment).expect_err("nobody tells");
        writer.kill();
        newest = holds(&root, said);
    }
    let (run, crashed) = Run::begin(root.path()).expect("it can be marked");
    assert_eq!(crashed.len(), 1, "each start counted the one before");
    root.history.count_crashes(crashed).expect("they can be counted");
    run.end().expect("it can be marked");
}

/// Looks at all that is kept, and returns the newest revision.
fn holds(root: &Root, at_least: u64) -> u64 {
    let listing = root.history.list("app").expect("it can be listed");
    assert!(listing.damaged.is_empty(), "{:?}", listing.damaged);
    let revisions = listed(&root.history, "app");
    assert!(revisions.is_sorted_by(|a, b| a < b), "{revisions:?}");
    // One more than the limit, when it was killed before the oldest went.
    assert!(revisions.len() <= LIMITS.revisions + 2, "{revisions:?}");
    for revision in &revisions {
        assert_eq!(text(&root.history, "app", *revision), content(*revision));
    }
    let newest = *revisions.last().expect("one was recorded");
    assert!(newest >= at_least, "what was said to be recorded is there: {newest}, {at_least}");
    newest
}

/// Of some pages, and another for each revision.
fn content(revision: u64) -> String {
    format!("n = {revision}\n").repeat(1000)
}

#[test]
#[ignore = "is killed by the test above"]
fn body() {
    if !child::is_this_one() {
        return;
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("it is told where");
    let root = PathBuf::from(line.trim());
    let history = History::open(&root, LIMITS);
    let (mut run, crashed) = Run::begin(&root).expect("it can be marked");
    history.count_crashes(crashed).expect("they can be counted");
    let newest = history.list("app").expect("it can be listed").records.pop();
    let first = newest.map_or(1, |record| record.revision + 1);
    // An end, should nobody kill it.
    for revision in first..first + 10_000 {
        let recorded = history.record(new("app", &content(revision))).expect("there is room");
        assert_eq!((recorded.record.revision, recorded.untidy.is_none()), (revision, true));
        run.begin_use("app", revision).expect("it can be noted");
        println!("recorded {revision}");
        if revision % 3 == 0 {
            history.set_outcome("app", revision, &Outcome::Confirmed).expect("it is there");
            run.end_use("app").expect("it can be noted");
        }
    }
}

/// Several processes with one root: no revision is given out twice, none is lost.
#[test]
fn writers_side_by_side_give_out_every_number_once() {
    let root = Root::new();
    let mut writers = [(); 3].map(|()| Program::start("history::tests::killed::beside"));
    for (name, writer) in writers.iter_mut().enumerate() {
        writer.tell(root.path().to_str().expect("UTF-8"));
        writer.tell(&name.to_string());
    }
    let mut revisions: Vec<u64> = Vec::new();
    for mut writer in writers {
        let said = writer.says("recorded ");
        revisions.extend(said.split(' ').map(|revision| revision.parse::<u64>().expect("a number")));
        writer.ends_well();
    }
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=60).collect::<Vec<_>>());
    let kept = listed(&root.history, "app");
    assert!((50..=56).contains(&kept.len()), "they are removed several at a time: {kept:?}");
    assert_eq!(kept, (61 - kept.len() as u64..=60).collect::<Vec<_>>());
    assert_eq!(root.blobs(), kept.len());
}

#[test]
#[ignore = "is started by the test above"]
fn beside() {
    if !child::is_this_one() {
        return;
    }
    let mut lines = std::io::stdin().lines().map(|line| line.expect("it is told"));
    let root = PathBuf::from(lines.next().expect("it is told where"));
    let name = lines.next().expect("it is told which");
    let history = History::open(&root, Limits::default());
    let record =
        |n| history.record(new("app", &format!("{name} {n}"))).expect("there is room").record.revision;
    let revisions: Vec<String> = (0..20).map(|n| record(n).to_string()).collect();
    println!("recorded {}", revisions.join(" "));
}
