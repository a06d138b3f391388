//! What happens to a server, and what has to hold whatever does.

use std::process::Child;
use std::sync::Arc;

use rekindle_cluster::store::Store;
use rekindle_cluster::{Client, ClusterStatus, Error, Outcome, Plan, Stage};

use super::{Instance, LIMIT, all_on, ended, fleet, live, payload, plan, until};

/// A real one, with what it keeps.
pub(crate) trait Server {
    /// Starts it on the port that it had, and waits until it answers.
    async fn run(&mut self);

    /// Its process, no more ours then.
    fn take(&mut self) -> Option<Child>;

    /// As it was when it was new.
    fn wipe(&mut self);

    /// A connection to it.
    async fn store(&self) -> Arc<dyn Store>;
}

/// Without a word to anybody, as the power goes.
pub(crate) fn kill(server: &mut impl Server) {
    if let Some(mut process) = server.take() {
        process.kill().expect("it runs");
        process.wait().expect("it is ours");
    }
}

/// Waits until a server that was started answers.
pub(crate) async fn answers(store: Arc<dyn Store>) {
    let asking = async {
        while store.list("").await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, asking).await.expect("it starts");
}

/// Retries what the server does not answer.
pub(crate) async fn insist<T>(mut ask: impl AsyncFnMut() -> rekindle_cluster::Result<T>) -> T {
    let asking = async {
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(Error::Unavailable(_)) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                Err(other) => panic!("{other}"),
            }
        }
    };
    tokio::time::timeout(LIMIT, asking).await.expect("in time")
}

fn stage(status: &ClusterStatus) -> Option<Stage> {
    status.head.candidate.as_ref().map(|candidate| candidate.stage)
}

/// A server that is killed in each stage of a rollout loses nothing.
pub(crate) async fn killed_in_each_stage(mut server: impl Server) {
    let store = server.store().await;
    let fleet = fleet(&store, 4).await;
    let client = Client::new(Arc::clone(&store));
    live(&client, 4).await;
    let stages: [fn(&ClusterStatus) -> bool; 3] = [
        |status| status.head.candidate.is_some(),
        |status| stage(status) == Some(Stage::Step(0)),
        |status| stage(status) == Some(Stage::Step(1)),
    ];
    for (number, is_there) in stages.into_iter().enumerate() {
        let port = 100 + number;
        let plan = Plan { bake_ms: 1000, ..plan() };
        let release = client.publish(&payload(&format!("port = {port}")), plan).await.expect("it begins");
        until(&client, "the stage", is_there).await;
        kill(&mut server);
        server.run().await;
        assert_eq!(ended(&client, release).await.1, Outcome::Promoted, "killed in stage {number}");
        all_on(&client, Some(release)).await;
        assert!(fleet.iter().all(|instance| instance.value("/port") == port));
    }
}

/// A server that was wiped takes nothing away.
pub(crate) async fn wiped(mut server: impl Server) {
    let store = server.store().await;
    let one = Instance::start(&store, "one").await;
    let client = Client::new(Arc::clone(&store));
    live(&client, 1).await;
    let first = client.publish(&payload("port = 5"), plan()).await.expect("it begins");
    ended(&client, first).await;
    all_on(&client, Some(first)).await;
    kill(&mut server);
    server.wipe();
    server.run().await;
    live(&client, 1).await;
    assert_eq!(one.value("/port"), 5, "what is in use stays");
    let again = insist(async || client.publish(&payload("port = 9"), plan()).await).await;
    assert_eq!((again.rollout, ended(&client, again).await.1), (1, Outcome::Promoted));
    all_on(&client, Some(again)).await;
    assert_eq!(one.value("/port"), 9);
}

/// Of those who publish at the same time one wins, and the others are told.
pub(crate) async fn fifty_publish(server: impl Server) {
    let store = server.store().await;
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
