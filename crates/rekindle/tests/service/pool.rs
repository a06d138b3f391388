//! A value that is swapped under its users.

use std::future::{pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use rekindle::prelude::*;
use rekindle::service::Pool;
use tokio::sync::watch;

use crate::kit::*;

/// A deadline that is waited for.
const SHORT: Duration = Duration::from_millis(100);

/// Counts its drop.
#[derive(Debug)]
struct Connection {
    number: usize,
    dropped: Arc<AtomicUsize>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

fn connections() -> (impl Fn(usize) -> Connection, Arc<AtomicUsize>) {
    let dropped = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&dropped);
    (move |number| Connection { number, dropped: Arc::clone(&counter) }, dropped)
}

#[tokio::test]
async fn those_who_hold_the_old_value_finish_on_it_and_the_last_one_drops_it() {
    let (connect, dropped) = connections();
    let pool = Pool::new(connect(1)).named("database");
    let mut retirements = pool.retirements();
    let first = pool.get();
    let second = first.clone();
    pool.swap(connect(2));
    assert_eq!((first.number, second.generation(), pool.get().number), (1, 1, 2));
    drop(first);
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    drop(second);
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
    let retirement = soon("the retirement", retirements.recv()).await.expect("the pool is there");
    assert_eq!((retirement.name.as_str(), retirement.generation), ("database", 1));
    assert!(!retirement.cut && retirement.error.is_none() && retirement.holders == 0, "{retirement:?}");
}

#[tokio::test]
async fn a_use_that_the_pool_runs_is_dropped_at_the_deadline() {
    let (connect, dropped) = connections();
    let pool = Pool::new(connect(1)).named("database").drain_within(SHORT);
    let mut retirements = pool.retirements();
    let user = tokio::spawn({
        let pool = pool.clone();
        async move {
            pool.run(|lease| async move {
                let _copy = lease.clone();
                pending::<()>().await;
            })
            .await
        }
    });
    tokio::task::yield_now().await;
    pool.swap(connect(2));
    let error = soon("the cut", user).await.expect("no panic").expect_err("it was cut off");
    assert_eq!(dropped.load(Ordering::Relaxed), 1, "the value is gone by then");
    let said = "it was cut off: database has been replaced, and 100ms have passed since";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Timeout, said));
    let retirement = soon("the retirement", retirements.recv()).await.expect("the pool is there");
    let told = retirement.error.as_ref().expect("it was cut").to_string();
    assert_eq!(told, "of its uses 1 took longer than 100ms and were cut off");
    assert_eq!((retirement.cut, retirement.holders), (true, 0));
}

#[tokio::test]
async fn what_is_still_held_after_the_deadline_is_told_of() {
    let (connect, dropped) = connections();
    let pool = Pool::new(connect(1)).drain_within(SHORT);
    let mut retirements = pool.retirements();
    let (one, two) = (pool.get(), pool.get());
    pool.swap(connect(2));
    one.expired().await;
    let retirement = soon("the retirement", retirements.recv()).await.expect("the pool is there");
    assert_eq!((retirement.cut, retirement.holders), (true, 2));
    assert_eq!(retirement.error.expect("they hold it").to_string(), "after 100ms it was still held, 2 times");
    assert_eq!(
        (one.number, two.number, dropped.load(Ordering::Relaxed)),
        (1, 1, 0),
        "nobody can take it from them"
    );
    drop((one, two));
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn one_who_gives_it_back_when_it_expires_is_in_time() {
    let (connect, _dropped) = connections();
    let pool = Pool::new(connect(1)).drain_within(SHORT);
    let mut retirements = pool.retirements();
    let lease = pool.get();
    pool.swap(connect(2));
    let deadline = lease.replaced().await;
    lease.expired().await;
    assert!(deadline <= Instant::now());
    drop(lease);
    assert!(!soon("the retirement", retirements.recv()).await.expect("the pool is there").cut);
    let current = pool.get();
    tokio::select! {
        biased;
        () = current.expired() => panic!("it is the newest"),
        () = ready(()) => {}
    }
}

#[tokio::test]
async fn a_use_that_is_done_gives_what_it_made() {
    let pool = Pool::new(vec![1, 2, 3]);
    assert_eq!(pool.run(async |numbers| numbers.len()).await.expect("it is done"), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_threads_see_whole_values_that_only_rise_and_all_old_ones_are_dropped() {
    const SWAPS: usize = 2_000;
    let (connect, dropped) = connections();
    let pool = Pool::new(connect(1));
    let start = Arc::new(Barrier::new(5));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (pool, start) = (pool.clone(), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                let mut last = 0;
                while last < SWAPS {
                    let lease = pool.get();
                    assert!(lease.number >= last && lease.generation() == lease.number as u64);
                    last = lease.number;
                }
            })
        })
        .collect();
    let swapper = pool.clone();
    let swapping = tokio::task::spawn_blocking(move || {
        start.wait();
        (2..=SWAPS).for_each(|number| swapper.swap(connect(number)));
    });
    swapping.await.expect("no panic");
    readers.into_iter().for_each(|reader| reader.join().expect("no panic"));
    assert_eq!(dropped.load(Ordering::Relaxed), SWAPS - 1);
}

#[test]
fn without_a_runtime_old_values_are_dropped_with_their_last_lease() {
    let (connect, dropped) = connections();
    let pool = Pool::new(connect(1));
    let lease = pool.get();
    pool.swap(connect(2));
    drop(lease);
    assert_eq!((pool.get().number, dropped.load(Ordering::Relaxed)), (2, 1));
}

#[tokio::test]
async fn a_pool_follows_its_part_of_a_configuration() {
    let (site, manager) = engine("[database]\nsize = 1\n[web]\nport = 80\n").await;
    let sizes = manager.watch_at::<usize>("app", "/database/size").await.expect("a stream");
    let (connect, dropped) = connections();
    let made = Arc::new(AtomicUsize::new(0));
    let make = {
        let made = Arc::clone(&made);
        move |size| {
            made.fetch_add(1, Ordering::Relaxed);
            let connected = if size == 0 { Err("no connection".into()) } else { Ok(connect(size)) };
            async move { connected }
        }
    };
    let pool = Pool::following(sizes, make).await.expect("the first is made");
    let mut retirements = pool.retirements();
    let mut receipts = manager.receipts();
    // One that cannot be made changes nothing; a change elsewhere is none.
    for (size, port) in [(0, 80), (0, 81), (3, 81)] {
        site.replace("config/app.toml", &format!("[database]\nsize = {size}\n[web]\nport = {port}\n"));
        assert!(soon("a reload", receipts.recv()).await.expect("the engine runs").is_applied());
    }
    let retirement = soon("a retirement", retirements.recv()).await.expect("the pool is there");
    assert_eq!((retirement.generation, pool.get().number, dropped.load(Ordering::Relaxed)), (1, 3, 1));
    assert!(made.load(Ordering::Relaxed) <= 3);
}

#[tokio::test]
async fn a_pool_that_is_dropped_follows_nothing_any_more() {
    let (sender, numbers) = watch::channel(1);
    let pool = Pool::following(numbers, async |number| Ok(number)).await.expect("the first is made");
    assert_eq!(*pool.get(), 1);
    drop(pool);
    soon("the end", sender.closed()).await;
}

#[tokio::test]
async fn a_value_that_panics_while_it_is_made_ends_nothing() {
    let (sender, numbers) = watch::channel(1);
    let make = |number| async move {
        assert_ne!(number, 2, "two is too much");
        Ok(number)
    };
    let pool = Pool::following(numbers, make).await.expect("the first is made");
    let mut retirements = pool.retirements();
    sender.send_replace(2);
    tokio::task::yield_now().await;
    sender.send_replace(3);
    soon("a retirement", retirements.recv()).await.expect("the pool is there");
    assert_eq!(*pool.get(), 3);
}
