//! The store for many machines: a real etcd on free ports, killed and started as the tests want it.
#![cfg(feature = "etcd")]

mod conformance;
mod fleet;

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use fleet::faults::{self, Server};
use fleet::process::{self, Process};
use fleet::*;
use rekindle_cluster::store::{Store, Write, open};
use rekindle_cluster::{Client, Error, Key};
use tempfile::TempDir;

/// A server, and what it keeps.
struct Etcd {
    directory: TempDir,
    client: u16,
    peer: u16,
    process: Option<Child>,
}

impl Etcd {
    async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        // Both are held until both are known.
        let free = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let [client, peer] = free.map(|free| free.local_addr().expect("it is bound").port());
        let mut server = Self { directory, client, peer, process: None };
        server.run().await;
        server
    }
}

impl Server for Etcd {
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
        faults::answers(self.store().await).await;
    }

    fn take(&mut self) -> Option<Child> {
        self.process.take()
    }

    fn wipe(&mut self) {
        std::fs::remove_dir_all(self.directory.path().join("data")).expect("it is there");
    }

    async fn store(&self) -> Arc<dyn Store> {
        open(&format!("etcd:127.0.0.1:{}/test", self.client)).await.expect("it connects when it is asked")
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        faults::kill(self);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passes_the_suite() {
    let server = Etcd::start().await;
    conformance::run(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn says_when_it_has_forgotten() {
    let server = Etcd::start().await;
    let store = server.store().await;
    let first = store.write(put("a", "1")).await.expect("it is free");
    let mut last = first;
    for number in 0..5 {
        last = store.write(put("a", &number.to_string())).await.expect("it is there");
    }
    raw(&server).await.compact(i64::try_from(last).expect("it is small"), None).await.expect("it compacts");
    let mut watch = store.watch("inst/", first).await.expect("it begins");
    let told = tokio::time::timeout(LIMIT, watch.next()).await.expect("in time");
    assert!(matches!(told, Err(Error::Compacted(_))), "{told:?}");
}

/// What a process of its own is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is an instance, when another test starts it"]
async fn an_instance() {
    process::run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_forgotten_while_an_instance_was_away_is_read_anew() {
    let mut server = Etcd::start().await;
    let address = format!("etcd:127.0.0.1:{}/test", server.client);
    let client = Client::new(server.store().await);
    let one = Process::start(&address, "one");
    let first = client.publish_at_once(&payload("port = 1")).await.expect("it is written");
    live(&client, 1).await;
    all_on(&client, Some(first)).await;
    one.signal("STOP");
    until(&client, "its lease is over", |status| status.instances.is_empty()).await;
    let mut last = first;
    for port in 2..5 {
        last = client.publish_at_once(&payload(&format!("port = {port}"))).await.expect("it is written");
    }
    let mut raw = raw(&server).await;
    let revision = raw.get("test/head", None).await.expect("it answers").kvs()[0].mod_revision();
    raw.compact(revision, None).await.expect("it compacts");
    // What was on its way to the instance is lost with the connection.
    faults::kill(&mut server);
    server.run().await;
    one.signal("CONT");
    live(&client, 1).await;
    all_on(&client, Some(last)).await;
    let text = std::fs::read_to_string(one.root.path().join("data/rekindle/remote/app.toml"));
    assert_eq!(text.expect("it is there"), "port = 4");
}

async fn raw(server: &Etcd) -> etcd_client::Client {
    let address = format!("127.0.0.1:{}", server.client);
    etcd_client::Client::connect([address], None).await.expect("it is there")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_in_each_stage_loses_nothing() {
    faults::killed_in_each_stage(Etcd::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_wiped_takes_nothing_away() {
    faults::wiped(Etcd::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_those_who_publish_at_the_same_time_one_wins() {
    faults::fifty_publish(Etcd::start().await).await;
}

fn put(id: &str, text: &str) -> Write {
    Write::put(Key::instance(id), text.as_bytes().to_vec())
}

/// A relay does not pass on how far its server is, which a watch asks for: it lives all the same, and tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_lives_behind_a_relay() {
    let server = Etcd::start().await;
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    let mut relay = Command::new("etcd")
        .args(["grpc-proxy", "start", &format!("--endpoints=127.0.0.1:{}", server.client)])
        .arg(format!("--listen-addr=127.0.0.1:{port}"))
        .env("ETCD_UNSUPPORTED_ARCH", std::env::consts::ARCH)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it comes with etcd");
    let store = open(&format!("etcd:127.0.0.1:{port}/shop")).await.expect("it opens");
    faults::answers(Arc::clone(&store)).await;
    let from = store.list("").await.expect("it answers").revision;
    let mut watch = store.watch("head", from).await.expect("it begins");
    let next = async |watch: &mut Box<dyn rekindle_cluster::store::Watch>| {
        let told = tokio::time::timeout(std::time::Duration::from_secs(3), watch.next()).await;
        told.expect("a sign of life before it is given up").expect("it goes on")
    };
    for _ in 0..3 {
        assert!(next(&mut watch).await.is_empty());
    }
    let direct = open(&format!("etcd:127.0.0.1:{}/shop", server.client)).await.expect("it opens");
    direct.write(Write::put(Key::head(), b"{}".to_vec())).await.expect("it is written");
    let told = async { while next(&mut watch).await.is_empty() {} };
    tokio::time::timeout(LIMIT, told).await.expect("it tells");
    relay.kill().and_then(|()| relay.wait()).expect("it is ours");
}

/// More than gRPC takes in one answer unless it is told otherwise, and more than a page.
#[tokio::test(flavor = "multi_thread")]
async fn much_is_listed_and_told() {
    let server = Etcd::start().await;
    let store = server.store().await;
    let before = store.list("").await.expect("it answers").revision;
    let name = |number: usize| format!("inst/i{number:04}");
    for number in 0..600 {
        let write = Write::put(Key::named(name(number)), vec![b'x'; 10_000]);
        store.write(write).await.expect("it is written");
    }
    let listed = store.list("inst/").await.expect("it answers").entries;
    let names: Vec<String> = listed.iter().map(|entry| entry.key.to_string()).collect();
    assert_eq!(names, (0..600).map(name).collect::<Vec<_>>());
    let mut watch = store.watch("inst/", before).await.expect("it begins");
    let mut told = 0;
    while told < 600 {
        let next = tokio::time::timeout(LIMIT, watch.next()).await.expect("in time");
        told += next.expect("it goes on").len();
    }
}
