//! Instances in processes of their own: stopped, continued, and killed at the worst moments.
#![cfg(all(unix, feature = "sqlite"))]

mod fleet;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fleet::process::{self, Process};
use fleet::*;
use rekindle_cluster::store::{Store, open};
use rekindle_cluster::{Client, Engine, Member, Options, Outcome, Payload, Plan, Release, Sick, Step};

/// What the processes are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is an instance, when the others start it"]
async fn an_instance() {
    process::run().await;
}

struct Cluster {
    _directory: tempfile::TempDir,
    address: String,
    store: Arc<dyn Store>,
    client: Client,
}

async fn cluster() -> Cluster {
    let directory = tempfile::tempdir().expect("a directory");
    let address = format!("sqlite:{}", directory.path().join("cluster.db").display());
    let store = open(&address).await.expect("it opens");
    let client = Client::new(Arc::clone(&store));
    Cluster { _directory: directory, address, store, client }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_that_was_stopped_and_goes_on_changes_nothing_any_more() {
    let Cluster { address, client, .. } = &cluster().await;
    let names = ["i0", "i1", "i2", "i3"];
    let processes = names.map(|name| Process::start(address, name));
    live(client, 4).await;
    // Waits for a person, so that whoever stops is the coordinator all the time.
    let plan = Plan { manual: true, ..plan() };
    let release = client.publish(&payload("port = 7"), plan).await.expect("it begins");
    let status = until(client, "the pause", |status| {
        status.coordinator.is_some() && status.head.candidate.as_ref().is_some_and(is_paused)
    })
    .await;
    let stopped = status.coordinator.expect("there is one");
    let at = names.iter().position(|name| *name == stopped).expect("one of them");
    processes[at].signal("STOP");
    let approving = async {
        // Each step waits.
        while client.status().await.expect("it answers").head.candidate.is_some() {
            let _not_yet = client.approve().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LIMIT, approving).await.expect("another one goes on");
    let (before, outcome, reason) = ended(client, release).await;
    assert_eq!(outcome, Outcome::Promoted, "{reason}");
    processes[at].signal("CONT");
    live(client, 4).await;
    all_on(client, Some(release)).await;
    let after = client.status().await.expect("it answers");
    assert_eq!((after.head.stable, after.head.candidate), (before.stable, None));
    assert_ne!(after.coordinator, Some(stopped));
}

fn is_paused(candidate: &rekindle_cluster::Candidate) -> bool {
    candidate.paused.is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_killed_while_it_applies_comes_back_as_all_are() {
    for dies in ["before", "after"] {
        let Cluster { address, client, store, .. } = &cluster().await;
        let others = [Process::start(address, "i0"), Process::start(address, "i1")];
        let first = client.publish(&payload("port = 1"), plan()).await.expect("it begins");
        live(client, 2).await;
        ended(client, first).await;
        // It accepted; then it dies, in its first step if it is chosen.
        let mortal = Process::start_in(root(), address, "mortal", dies);
        let died = mortal.died().await;
        let again = Instance::start_in(died, store, "mortal").await;
        assert!([80, 1].contains(&again.value("/port").as_i64().expect("a number")), "{dies}");
        live(client, 3).await;
        all_on(client, Some(first)).await;
        let second = client.publish(&payload("port = 2"), plan()).await.expect("it begins");
        assert_eq!(ended(client, second).await.1, Outcome::Promoted);
        all_on(client, Some(second)).await;
        assert_eq!(again.value("/port"), 2);
        drop(others);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_killed_between_validating_and_applying_ends_nothing_badly() {
    let Cluster { address, client, store, .. } = &cluster().await;
    let _others = [Process::start(address, "i0"), Process::start(address, "i1")];
    live(client, 2).await;
    let mortal = Process::start_in(root(), address, "mortal", "before");
    live(client, 3).await;
    let all = Plan { steps: vec![Step::Share(1000)], ..plan() };
    let release = client.publish(&payload("port = 1"), all).await.expect("it begins");
    let died = mortal.died().await;
    let (head, outcome, reason) = ended(client, release).await;
    assert!(matches!(outcome, Outcome::Promoted | Outcome::RolledBack), "{outcome:?}: {reason}");
    let again = Instance::start_in(died, store, "mortal").await;
    live(client, 3).await;
    all_on(client, head.stable).await;
    assert_eq!(again.value("/port"), if head.stable.is_some() { 1 } else { 80 });
}

/// One that takes its time.
struct Slow(Duration);

#[async_trait]
impl Engine for Slow {
    async fn check(&self, _: &Payload) -> Result<(), String> {
        tokio::time::sleep(self.0).await;
        Ok(())
    }

    async fn apply(&self, _: Option<(Release, &Payload)>) -> Result<u64, String> {
        tokio::time::sleep(self.0).await;
        Ok(1)
    }

    async fn health(&self, _: u64) -> Result<(), Sick> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_instance_is_waited_for_and_one_that_is_too_slow_is_asked_about() {
    let Cluster { client, store, .. } = &cluster().await;
    let _fast = fleet(store, 2).await;
    let slow = |id: &str, time| {
        let options = Options { coordinates: false, ..Options::new(id) };
        Member::join(Arc::clone(store), Arc::new(Slow(time)), None, options)
    };
    let _slow = slow("slow", Duration::from_secs(1));
    live(client, 3).await;
    let release = client.publish(&payload("port = 1"), plan()).await.expect("it begins");
    assert_eq!(ended(client, release).await.1, Outcome::Promoted);
    all_on(client, Some(release)).await;

    let _slower = slow("slower", Duration::from_secs(3600));
    live(client, 4).await;
    let plan = Plan { patience_ms: 2000, ..plan() };
    client.publish(&payload("port = 2"), plan).await.expect("it begins");
    let paused =
        |status: &rekindle_cluster::ClusterStatus| status.head.candidate.as_ref().is_some_and(is_paused);
    let status = until(client, "it waits for a person", paused).await;
    assert_eq!(status.head.candidate.expect("it is on its way").share, 0, "nobody has used it");
    client.abort("too slow").await.expect("it is on its way");
    until(client, "it is over", |status| status.head.candidate.is_none()).await;
}
