//! Three servers of etcd in networks of their own, cut off and healed.
#![cfg(all(target_os = "linux", feature = "etcd"))]

mod fleet;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fleet::network::{self, Network};
use fleet::*;
use rekindle_cluster::store::open;
use rekindle_cluster::{Client, Outcome, Payload, Plan, Release};

/// Three instances that know one server each, and one that knows all.
struct Fleet {
    instances: Vec<Instance>,
    client: Client,
}

async fn start() -> Fleet {
    let mut instances = Vec::new();
    for number in 1..=3 {
        let store = open(&Network::address(&[number])).await.expect("an address");
        faults::answers(Arc::clone(&store)).await;
        instances.push(Instance::start(&store, &format!("i{number}")).await);
    }
    let store = open(&Network::address(&[1, 2, 3])).await.expect("an address");
    instances.push(Instance::start(&store, "i4").await);
    let client = Client::new(store);
    live(&client, 4).await;
    Fleet { instances, client }
}

/// Publishes, whatever is said of it while servers come and go: what was acknowledged, or written without a word.
async fn published(client: &Client, payload: &Payload, plan: Plan) -> Release {
    let digest = payload.digest();
    let publishing = async {
        loop {
            if let Ok(release) = client.publish(payload, plan.clone()).await {
                return release;
            }
            if let Ok(status) = client.status().await
                && let Some(candidate) = status.head.candidate
                && candidate.release.payload == digest
            {
                return candidate.release;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(LIMIT, publishing).await.expect("it is taken")
}

/// Waits until an instance says that it does not hear of the store.
async fn notices(instance: &Instance) {
    let mut told = instance.member.as_ref().expect("it takes part").status();
    let noticing = told.wait_for(|status| status.trouble.is_some());
    assert!(tokio::time::timeout(LIMIT, noticing).await.expect("in time").is_ok());
}

/// Looks at what the instances use, all the time.
fn watched(fleet: &Fleet) -> (Arc<AtomicBool>, tokio::task::JoinHandle<BTreeSet<i64>>) {
    let stop = Arc::new(AtomicBool::new(false));
    let managers: Vec<_> = fleet.instances.iter().map(|instance| instance.manager.clone()).collect();
    let until = Arc::clone(&stop);
    let looking = tokio::spawn(async move {
        let mut seen = BTreeSet::new();
        while !until.load(Ordering::Relaxed) {
            seen.extend(
                managers.iter().filter_map(|manager| manager.snapshot().get("app")?["port"].as_i64()),
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        seen
    });
    (stop, looking)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_cut_off_keeps_what_it_has_and_follows_when_that_is_healed() {
    if !network::inside("whoever_is_cut_off_keeps_what_it_has_and_follows_when_that_is_healed") {
        return;
    }
    let _network = Network::start().await;
    let fleet = start().await;
    let (stop, looking) = watched(&fleet);
    let client = &fleet.client;
    let first = published(client, &payload("port = 1"), plan()).await;
    assert_eq!(ended(client, first).await.1, Outcome::Promoted);
    all_on(client, Some(first)).await;

    // The one that leads, and then one that follows.
    let leader = Network::leader().await;
    let follower = leader % 3 + 1;
    for (last, cut) in (1..).zip([leader, follower]) {
        Network::cut(cut);
        let lonely = &fleet.instances[cut - 1];
        live(client, 3).await;
        notices(lonely).await;
        let release = published(client, &payload(&format!("port = {}", last + 1)), plan()).await;
        assert_eq!(ended(client, release).await.1, Outcome::Promoted, "without server {cut}");
        all_on(client, Some(release)).await;
        assert_eq!(lonely.value("/port"), last, "it keeps what it has");
        Network::heal(cut);
        live(client, 4).await;
        all_on(client, Some(release)).await;
        assert!(fleet.instances.iter().all(|instance| instance.value("/port") == last + 1));
    }

    // All instances, in the middle of a rollout.
    let slow = Plan { bake_ms: 2000, ..plan() };
    let release = published(client, &payload("port = 9"), slow).await;
    until(client, "the first step", |status| {
        status.head.candidate.as_ref().is_some_and(|candidate| candidate.share > 0)
    })
    .await;
    Network::cut_clients();
    for instance in &fleet.instances {
        notices(instance).await;
    }
    Network::heal_clients();
    live(client, 4).await;
    let (head, outcome, reason) = finished(client, release).await;
    assert!(matches!(outcome, Outcome::Promoted), "{outcome:?}: {reason}");
    all_on(client, head.stable).await;
    stop.store(true, Ordering::Relaxed);
    let seen = looking.await.expect("it does not panic");
    assert_eq!(seen, BTreeSet::from([80, 1, 2, 3, 9]), "nobody was ever on anything else");
}

/// How it ends, with a person who lets it go on when too few were there.
async fn finished(client: &Client, release: Release) -> (rekindle_cluster::Head, Outcome, String) {
    until(client, "it goes on", |status| {
        status.head.candidate.as_ref().is_none_or(|candidate| candidate.paused.is_some())
    })
    .await;
    // It may have ended by itself.
    let _approved = client.approve().await;
    ended(client, release).await
}
