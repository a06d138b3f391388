//! The store for many machines: a real etcd on free ports, killed and started as the tests want it.
#![cfg(feature = "etcd")]

mod conformance;
mod fleet;

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use fleet::*;
use rekindle_cluster::store::{Etcd, EtcdOptions, Store};
use rekindle_cluster::{Client, ClusterStatus, Error, Key, Outcome, Plan, Stage};
use tempfile::TempDir;

/// A server, and what it keeps.
struct Server {
    directory: TempDir,
    client: u16,
    peer: u16,
    process: Option<Child>,
}

impl Server {
    async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        // Both are held until both are known.
        let free = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let [client, peer] = free.map(|free| free.local_addr().expect("it is bound").port());
        let mut server = Self { directory, client, peer, process: None };
        server.run().await;
        server
    }

    /// Starts it, and waits until it answers.
    async fn run(&mut self) {
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let (client, peer) = (url(self.client), url(self.peer));
        let process = Command::new("etcd")
            .arg("--data-dir")
            .arg(self.directory.path().join("data"))
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("default={peer}")])
            .env("ETCD_UNSUPPORTED_ARCH", std::env::consts::ARCH)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("etcd is installed: run `cargo xtask test`, or `apt-get install etcd-server`");
        self.process = Some(process);
        let store = self.store().await;
        let answers = async {
            while store.list("").await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(LIMIT, answers).await.expect("it starts");
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Without a word to anybody, as the power goes.
            process.kill().expect("it runs");
            process.wait().expect("it is ours");
        }
    }

    /// As it was when it was new.
    fn wipe(&mut self) {
        std::fs::remove_dir_all(self.directory.path().join("data")).expect("it is there");
    }

    async fn store(&self) -> Arc<dyn Store> {
        let options = EtcdOptions::parse(&format!("127.0.0.1:{}/test", self.client)).expect("an address");
        Arc::new(Etcd::open(options).await.expect("it connects when it is asked"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passes_the_suite() {
    let server = Server::start().await;
    conformance::run(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn says_when_it_has_forgotten() {
    let server = Server::start().await;
    let store = server.store().await;
    let first = store.write(put("a", "1")).await.expect("it is free");
    let mut last = first;
    for number in 0..5 {
        last = store.write(put("a", &number.to_string())).await.expect("it is there");
    }
    let mut client = etcd_client::Client::connect([format!("127.0.0.1:{}", server.client)], None)
        .await
        .expect("it is there");
    client.compact(i64::try_from(last).expect("it is small"), None).await.expect("it compacts");
    let mut watch = store.watch("inst/", first).await.expect("it begins");
    let told = tokio::time::timeout(LIMIT, watch.next()).await.expect("in time");
    assert!(matches!(told, Err(Error::Compacted(_))), "{told:?}");
}

fn put(id: &str, text: &str) -> rekindle_cluster::store::Write {
    rekindle_cluster::store::Write::put(Key::instance(id), text.as_bytes().to_vec())
}

/// Retries what the server does not answer.
async fn insist<T>(mut ask: impl AsyncFnMut() -> rekindle_cluster::Result<T>) -> T {
    let asking = async {
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(Error::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(other) => panic!("{other}"),
            }
        }
    };
    tokio::time::timeout(LIMIT, asking).await.expect("in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_in_each_stage_loses_nothing() {
    let mut server = Server::start().await;
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
        server.kill();
        server.run().await;
        assert_eq!(ended(&client, release).await.1, Outcome::Promoted, "killed in stage {number}");
        all_on(&client, Some(release)).await;
        assert!(fleet.iter().all(|instance| instance.value("/port") == port));
    }
}

fn stage(status: &ClusterStatus) -> Option<Stage> {
    status.head.candidate.as_ref().map(|candidate| candidate.stage)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_wiped_takes_nothing_away() {
    let mut server = Server::start().await;
    let store = server.store().await;
    let one = Instance::start(&store, "one").await;
    let client = Client::new(Arc::clone(&store));
    live(&client, 1).await;
    let first = client.publish(&payload("port = 5"), plan()).await.expect("it begins");
    ended(&client, first).await;
    all_on(&client, Some(first)).await;
    server.kill();
    server.wipe();
    server.run().await;
    live(&client, 1).await;
    assert_eq!(one.value("/port"), 5, "what is in use stays");
    let again = insist(async || client.publish(&payload("port = 9"), plan()).await).await;
    assert_eq!((again.rollout, ended(&client, again).await.1), (1, Outcome::Promoted));
    all_on(&client, Some(again)).await;
    assert_eq!(one.value("/port"), 9);
}
