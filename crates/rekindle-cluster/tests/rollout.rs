//! Rollouts over instances with real engines on real files, and a store in a file.
#![cfg(feature = "sqlite")]

mod fleet;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use fleet::*;
use rekindle_cluster::store::{Sqlite, Store};
use rekindle_cluster::{Client, ClusterStatus, Error, Outcome, Plan};

async fn open(path: &Path) -> Arc<dyn Store> {
    Arc::new(Sqlite::open(path.join("cluster.db")).await.expect("it opens"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_one_a_refused_one_and_a_sick_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path()).await;
    let fleet = fleet(&store, 5).await;
    let client = Client::new(Arc::clone(&store));
    live(&client, 5).await;

    let good = client.publish(&payload("port = 1"), plan()).await.expect("it begins");
    assert_eq!(ended(&client, good).await.1, Outcome::Promoted);
    all_on(&client, Some(good)).await;
    assert!(fleet.iter().all(|instance| instance.value("/port") == 1 && instance.value("/limit") == 10));

    let generations: Vec<u64> =
        fleet.iter().map(|instance| instance.manager.snapshot().generation()).collect();
    let refused = client.publish(&payload("port = 'one'"), plan()).await.expect("it begins");
    let (head, outcome, reason) = ended(&client, refused).await;
    assert_eq!((outcome, head.stable), (Outcome::Refused, Some(good)));
    assert!(reason.contains("data/rekindle/remote/app.toml:1:8"), "{reason}");
    let after: Vec<u64> = fleet.iter().map(|instance| instance.manager.snapshot().generation()).collect();
    assert_eq!(generations, after, "nobody has applied it");

    fleet.iter().for_each(|instance| instance.is_well.store(false, Ordering::Relaxed));
    let sick = client.publish(&payload("port = 2"), plan()).await.expect("it begins");
    let (head, outcome, reason) = ended(&client, sick).await;
    assert_eq!((outcome, head.stable), (Outcome::RolledBack, Some(good)));
    assert!(reason.contains("no orders come in"), "{reason}");
    fleet.iter().for_each(|instance| instance.is_well.store(true, Ordering::Relaxed));
    all_on(&client, Some(good)).await;
    assert!(fleet.iter().all(|instance| instance.value("/port") == 1));
    let touched = fleet.iter().filter(|instance| instance.manager.status().rollbacks > 0).count();
    assert_eq!(touched, 1, "a fifth of five");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_those_who_publish_at_the_same_time_one_wins_and_the_others_are_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path()).await;
    let client = Client::new(Arc::clone(&store));
    let publishers = (0..50).map(|number| {
        let client = client.clone();
        tokio::spawn(async move { client.publish(&payload(&format!("port = {number}")), plan()).await })
    });
    let publishers: Vec<_> = publishers.collect();
    let (mut won, mut told) = (Vec::new(), 0);
    for publisher in publishers {
        match publisher.await.expect("it does not panic") {
            Ok(release) => won.push(release),
            Err(Error::Conflict(_)) => told += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((won.len(), told), (1, 49));
    let fleet = fleet(&store, 2).await;
    assert_eq!(ended(&client, won[0]).await.1, Outcome::Promoted);
    all_on(&client, Some(won[0])).await;
    assert_eq!(fleet[0].value("/port"), fleet[1].value("/port"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successor_goes_on_and_who_joins_late_catches_up() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path()).await;
    let mut fleet = fleet(&store, 4).await;
    let client = Client::new(Arc::clone(&store));
    live(&client, 4).await;
    let slow = Plan { bake_ms: 1500, ..plan() };
    let release = client.publish(&payload("port = 7"), slow).await.expect("it begins");
    let in_step = |status: &ClusterStatus| {
        status.head.candidate.as_ref().is_some_and(|candidate| candidate.share > 0)
            && status.coordinator.is_some()
    };
    let status = until(&client, "the first step", in_step).await;
    let coordinator = status.coordinator.expect("there is one");
    let at: usize = coordinator.trim_start_matches('i').parse().expect("a number");
    fleet[at].leave().await;
    let late = Instance::start(&store, "late").await;
    assert_eq!(ended(&client, release).await.1, Outcome::Promoted);
    all_on(&client, Some(release)).await;
    assert_eq!(late.value("/port"), 7);
    let status = client.status().await.expect("the store answers");
    assert_ne!(status.coordinator, Some(coordinator));
    assert!(status.head.term >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_store_an_instance_starts_as_it_was_and_says_so() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path()).await;
    let mut one = Instance::start(&store, "one").await;
    let client = Client::new(Arc::clone(&store));
    let release = client.publish_at_once(&payload("port = 5")).await.expect("it is written");
    live(&client, 1).await;
    all_on(&client, Some(release)).await;
    one.leave().await;
    let root = one.root;
    one.manager.shutdown().await.expect("a clean end");

    // A directory in the place of the file: nothing can be opened.
    let path = directory.path().join("cluster.db");
    for file in ["cluster.db", "cluster.db-wal", "cluster.db-shm"] {
        let _there =
            std::fs::rename(directory.path().join(file), directory.path().join(format!("away-{file}")));
    }
    std::fs::create_dir(&path).expect("there is room");
    let again = Instance::start_in(root, &store, "one").await;
    assert_eq!(again.value("/port"), 5);
    let mut status = again.member.as_ref().expect("it takes part").status();
    let told = tokio::time::timeout(LIMIT, status.wait_for(|status| status.trouble.is_some())).await;
    let instance = told.expect("in time").expect("it takes part").instance.clone();
    assert_eq!(instance.applied, Some(release));

    // It is back: what was published meanwhile comes.
    std::fs::remove_dir(&path).expect("it is empty");
    for file in ["cluster.db", "cluster.db-wal", "cluster.db-shm"] {
        let _there =
            std::fs::rename(directory.path().join(format!("away-{file}")), directory.path().join(file));
    }
    let next = client.publish(&payload("port = 6"), plan()).await.expect("it begins");
    assert_eq!(ended(&client, next).await.1, Outcome::Promoted);
    all_on(&client, Some(next)).await;
    assert_eq!(again.value("/port"), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_was_wiped_takes_nothing_away() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path()).await;
    let one = Instance::start(&store, "one").await;
    let client = Client::new(Arc::clone(&store));
    live(&client, 1).await;
    let first = client.publish(&payload("port = 5"), plan()).await.expect("it begins");
    ended(&client, first).await;
    all_on(&client, Some(first)).await;
    for file in ["cluster.db", "cluster.db-wal", "cluster.db-shm"] {
        let _there = std::fs::remove_file(directory.path().join(file));
    }
    live(&client, 1).await;
    assert_eq!(one.value("/port"), 5, "what is in use stays");
    let again = client.publish(&payload("port = 9"), plan()).await.expect("it begins");
    assert_eq!((again.rollout, ended(&client, again).await.1), (1, Outcome::Promoted));
    all_on(&client, Some(again)).await;
    assert_eq!(one.value("/port"), 9);
}
