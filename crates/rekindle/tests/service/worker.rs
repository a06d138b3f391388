//! A job that is started anew at each change.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use rekindle::prelude::*;
use rekindle::service::{Cancel, Ended, JobEnd, Worker};
use tokio::sync::broadcast::Receiver;
use tokio::sync::{Semaphore, watch};

use crate::kit::*;

async fn next(ends: &mut Receiver<JobEnd>) -> JobEnd {
    soon("the end of a job", ends.recv()).await.expect("the worker is there")
}

/// A job that notes its begin and its end, which waits for the gate.
fn job(log: &Log, gate: &Arc<Semaphore>) -> impl Fn(u32, Cancel) -> Boxed + Send + Sync + 'static {
    let (log, gate) = (log.clone(), Arc::clone(gate));
    move |number, cancel| {
        let (log, gate) = (log.clone(), Arc::clone(&gate));
        Box::pin(async move {
            log.note(format!("begins {number}"));
            cancel.cancelled().await;
            log.note(format!("cancelled {number}"));
            gate.acquire().await.expect("it is never closed").forget();
            log.note(format!("ends {number}"));
            Ok(())
        })
    }
}

type Boxed = std::pin::Pin<Box<dyn Future<Output = Result<()>> + Send>>;

#[tokio::test]
async fn the_last_run_is_joined_before_the_next_begins() {
    let (log, gate, (numbers, values)) = (Log::default(), Arc::new(Semaphore::new(0)), watch::channel(1));
    let worker = Worker::spawn(values, job(&log, &gate)).expect("a runtime");
    log.until("begins 1").await;
    numbers.send_replace(2);
    log.until("cancelled 1").await;
    // Overtaken while the first comes to its end: it never begins.
    numbers.send_replace(3);
    gate.add_permits(1);
    log.until("begins 3").await;
    gate.add_permits(1);
    soon("the stop", worker.stop()).await;
    let both = |number| ["begins", "cancelled", "ends"].map(|what| format!("{what} {number}"));
    assert_eq!(log.all(), [both(1), both(3)].concat());
}

#[tokio::test]
async fn the_next_one_begins_alongside_where_that_is_asked_for() {
    let (log, gate, (numbers, values)) = (Log::default(), Arc::new(Semaphore::new(0)), watch::channel(1));
    let worker = Worker::builder(values, job(&log, &gate)).alongside().spawn().expect("a runtime");
    log.until("begins 1").await;
    numbers.send_replace(2);
    log.until("begins 2").await;
    log.until("cancelled 1").await;
    let stopping = tokio::spawn(worker.stop());
    log.until("cancelled 2").await;
    assert!(!stopping.is_finished(), "it waits for both");
    gate.add_permits(2);
    soon("the stop", stopping).await.expect("no panic");
    assert!(["ends 1", "ends 2"].iter().all(|end| log.all().iter().any(|entry| entry == end)));
}

#[tokio::test]
async fn a_run_that_does_not_end_is_dropped_and_told_of() {
    let (numbers, values) = watch::channel(1);
    let log = Log::default();
    let told = log.clone();
    let hangs = move |number, _cancel| {
        told.note(format!("begins {number}"));
        pending::<Result<()>>()
    };
    let builder = Worker::builder(values, hangs).named("indexer").stop_within(Duration::from_millis(100));
    let worker = builder.spawn().expect("a runtime");
    let mut ends = worker.ends();
    log.until("begins 1").await;
    numbers.send_replace(2);
    let end = next(&mut ends).await;
    assert!(end.worker == "indexer" && matches!(end.how, Ended::Cut), "{end:?}");
    log.until("begins 2").await;
    worker.stop().await;
    assert!(matches!(next(&mut ends).await.how, Ended::Cut));
}

#[tokio::test]
async fn a_run_that_ends_fails_or_panics_is_told_of_and_begins_anew_at_the_next_change() {
    let (numbers, values) = watch::channel(1);
    let log = Log::default();
    let told = log.clone();
    let job = move |number, cancel: Cancel| {
        told.note(format!("begins {number}"));
        async move {
            match number {
                1 => Ok(()),
                2 => Err("the disk is full".into()),
                3 => panic!("three is too much"),
                _ => {
                    cancel.cancelled().await;
                    Ok(())
                }
            }
        }
    };
    let worker = Worker::spawn(values, job).expect("a runtime");
    let mut ends = worker.ends();
    let end = next(&mut ends).await.how;
    assert!(matches!(end, Ended::Finished), "{end:?}");
    for (number, said) in [(2, "the disk is full"), (3, "it panicked: three is too much")] {
        numbers.send_replace(number);
        let Ended::Failed(error) = next(&mut ends).await.how else { panic!("it failed") };
        assert_eq!(error.to_string(), said);
    }
    numbers.send_replace(4);
    log.until("begins 4").await;
    worker.stop().await;
    let end = next(&mut ends).await.how;
    assert!(matches!(end, Ended::Cancelled), "{end:?}");
}

#[tokio::test]
async fn a_worker_that_is_dropped_cancels_its_job_and_one_without_values_goes_on() {
    let (log, gate, (numbers, values)) = (Log::default(), Arc::new(Semaphore::new(1)), watch::channel(1));
    let worker = Worker::spawn(values, job(&log, &gate)).expect("a runtime");
    drop(numbers);
    log.until("begins 1").await;
    tokio::task::yield_now().await;
    assert_eq!(log.all(), ["begins 1"]);
    drop(worker);
    log.until("ends 1").await;
}

#[tokio::test]
async fn a_worker_runs_with_its_part_of_a_configuration() {
    let (site, manager) = engine("[indexer]\nevery = 1\n[web]\nport = 80\n").await;
    let stream = manager.watch::<serde_json::Value>("app").await.expect("a stream");
    let every = stream.select(|app| app["indexer"]["every"].as_u64().unwrap_or_default() as u32);
    let (log, gate) = (Log::default(), Arc::new(Semaphore::new(10)));
    let worker = Worker::spawn(every, job(&log, &gate)).expect("a runtime");
    log.until("begins 1").await;
    let mut receipts = manager.receipts();
    site.replace("config/app.toml", "[indexer]\nevery = 1\n[web]\nport = 81\n");
    assert!(soon("a reload", receipts.recv()).await.expect("the engine runs").is_applied());
    site.replace("config/app.toml", "[indexer]\nevery = 2\n[web]\nport = 81\n");
    log.until("begins 2").await;
    worker.stop().await;
    let both = |number| ["begins", "cancelled", "ends"].map(|what| format!("{what} {number}"));
    assert_eq!(log.all(), [both(1), both(2)].concat());
}

#[test]
fn a_worker_outside_of_a_runtime_is_an_error() {
    let job = |_: u32, _: Cancel| async { Ok(()) };
    let error = Worker::spawn(watch::channel(1).1, job).expect_err("there is none");
    assert_eq!(error.to_string(), "a worker needs a Tokio runtime");
}
