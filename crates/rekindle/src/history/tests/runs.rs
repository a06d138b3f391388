//! The marks of runs, and what a crash does to a revision.

use std::collections::BTreeMap;

use super::{Root, undone};
use crate::history::Outcome;
use crate::history::runs::{CrashedRun, Run, Suspect};

fn begin(root: &Root) -> (Run, Vec<CrashedRun>) {
    Run::begin(root.path()).expect("it can be marked")
}

fn marks(root: &Root) -> Vec<String> {
    let entries = std::fs::read_dir(root.path().join("data/rekindle/runs")).expect("it is a directory");
    let names = entries.map(|entry| entry.expect("it is listed").file_name().into_string().expect("ASCII"));
    let mut names: Vec<String> = names.filter(|name| name != ".lock").collect();
    names.sort();
    names
}

/// A run that uses a revision for the first time, and crashes: its mark is unlocked, as by the end of its process.
fn crash(root: &Root, config: &str, revision: u64) -> Vec<Suspect> {
    let (mut run, crashed) = begin(root);
    let suspects = root.history.count_crashes(crashed).expect("they can be counted");
    run.begin_use(config, revision).expect("it can be noted");
    drop(run);
    suspects
}

#[test]
fn a_run_that_ended_leaves_nothing_and_one_that_lives_is_none_that_crashed() {
    let root = Root::new();
    let (mut run, crashed) = begin(&root);
    assert!(crashed.is_empty());
    run.begin_use("app", 1).expect("it can be noted");
    let (beside, crashed) = begin(&root);
    assert!(crashed.is_empty(), "the first is alive");
    assert!(run.id() < beside.id() || run.id()[..13] == beside.id()[..13], "names sort by time");
    assert_eq!(marks(&root).len(), 4);
    run.end().expect("it can be marked");
    beside.end().expect("it can be marked");
    assert!(marks(&root).is_empty());
}

#[test]
fn a_run_that_crashed_tells_what_it_had_in_use_and_had_not_confirmed() {
    let root = Root::new();
    let (mut run, _) = begin(&root);
    for (config, revision) in [("app", 1), ("app", 2), ("sub/other", 7), ("third", 1)] {
        run.begin_use(config, revision).expect("it can be noted");
    }
    run.end_use("third").expect("it can be noted");
    let id = run.id().to_owned();
    drop(run);
    for _ in 0..2 {
        let (again, crashed) = begin(&root);
        assert_eq!(crashed.len(), 1, "it is there until it is counted");
        assert_eq!(crashed[0].id(), id);
        let expected = BTreeMap::from([("app".to_owned(), 2), ("sub/other".to_owned(), 7)]);
        assert_eq!(crashed[0].unconfirmed, expected);
        let (beside, none) = begin(&root);
        assert!(none.is_empty(), "somebody is about to count it");
        again.end().and(beside.end()).expect("they can be marked");
    }
    let (last, crashed) = begin(&root);
    let suspects = root.history.count_crashes(crashed).expect("they can be counted");
    assert!(suspects.is_empty(), "there are no such revisions any more");
    last.end().expect("it can be marked");
    assert!(marks(&root).is_empty());
}

#[test]
fn a_revision_that_is_new_in_two_crashes_is_a_crashed_one() {
    let root = Root::new();
    root.record("app", "1");
    root.record("app", "2");
    assert!(crash(&root, "app", 2).is_empty());
    let suspect = |outcome| vec![Suspect { config: "app".into(), revision: 2, outcome }];
    assert_eq!(crash(&root, "app", 2), suspect(Outcome::Unconfirmed { crashes: 1 }));
    assert_eq!(crash(&root, "app", 1), suspect(Outcome::Crashed));
    let record = root.history.get("app", 2).expect("it is there");
    assert_eq!(record.outcome, Outcome::Crashed);
    let before = root.history.before("app", 2).expect("it can be read");
    assert_eq!(before.map(|record| record.revision), Some(1), "what the next start is on");
}

#[test]
fn one_start_counts_a_revision_once_however_many_processes_crashed_with_it() {
    let root = Root::new();
    root.record("app", "1");
    let workers: Vec<Run> = (0..4)
        .map(|_| {
            let (mut run, _) = begin(&root);
            run.begin_use("app", 1).expect("it can be noted");
            run
        })
        .collect();
    drop(workers);
    let (_run, crashed) = begin(&root);
    assert_eq!(crashed.len(), 4);
    let suspects = root.history.count_crashes(crashed).expect("they can be counted");
    assert_eq!(suspects.len(), 1);
    assert_eq!(suspects[0].outcome, Outcome::Unconfirmed { crashes: 1 });
    assert_eq!(marks(&root).len(), 2, "that of this run alone");
}

#[test]
fn a_crash_is_not_held_against_what_another_process_has_judged() {
    let root = Root::new();
    for (revision, judged) in [(1, Outcome::Confirmed), (2, undone())] {
        root.record("app", &revision.to_string());
        crash(&root, "app", revision);
        root.set("app", revision, &judged);
        let (run, crashed) = begin(&root);
        let suspects = root.history.count_crashes(crashed).expect("they can be counted");
        assert_eq!(suspects[0].outcome, judged);
        run.end().expect("it can be marked");
    }
}

#[test]
fn a_crash_with_a_revision_that_is_damaged_by_now_is_not_counted_again_and_again() {
    let root = Root::new();
    root.record("app", "1");
    crash(&root, "app", 1);
    let record = root.path().join("data/rekindle/history/app/0000000001.json");
    std::fs::write(record, "{").expect("it is ours");
    let (run, crashed) = begin(&root);
    assert_eq!(root.history.count_crashes(crashed).expect("they can be counted"), []);
    run.end().expect("it can be marked");
    assert!(marks(&root).is_empty());
}

#[test]
fn a_mark_cut_off_anywhere_hinders_no_start() {
    let root = Root::new();
    let (mut run, _) = begin(&root);
    run.begin_use("app", 1).expect("it can be noted");
    let said = root.path().join(format!("data/rekindle/runs/{}.json", run.id()));
    drop(run);
    let whole = std::fs::read(&said).expect("it is there");
    for length in 0..whole.len() {
        std::fs::write(&said, &whole[..length]).expect("it is ours");
        let (run, crashed) = begin(&root);
        assert!(crashed.len() == 1 && crashed[0].unconfirmed.is_empty(), "at {length}");
        run.end().expect("it can be marked");
    }
    std::fs::remove_file(&said).expect("it is there");
    let (run, crashed) = begin(&root);
    assert_eq!(crashed.len(), 1);
    assert!(root.history.count_crashes(crashed).expect("they can be counted").is_empty());
    std::fs::write(said, whole).expect("it is ours");
    let (beside, crashed) = begin(&root);
    assert!(crashed.is_empty(), "what is said of a run without a mark is of no use");
    run.end().and(beside.end()).expect("they can be marked");
    assert!(marks(&root).is_empty());
}
