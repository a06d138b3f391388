//! The other store for many machines: a real NATS on free ports, killed and started as the tests want it.
//!
//! Debian's server is 2.9, without limits on the time of single messages (2.11) and without the marks that deletions
//! by the server leave: leases therefore are not the server's here, and the suite shows that they end all the same.
#![cfg(feature = "nats")]

mod conformance;
mod fleet;

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use fleet::LIMIT;
use fleet::faults::{self, Server};
use rekindle_cluster::store::{Store, Write, open};
use rekindle_cluster::{Error, Key};
use tempfile::TempDir;

/// A server, and what it keeps.
struct Nats {
    directory: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Nats {
    async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("it is bound").port();
        drop(free);
        let mut server = Self { directory, port, process: None };
        server.run().await;
        server
    }

    fn address(&self) -> String {
        format!("nats:127.0.0.1:{}/test", self.port)
    }
}

impl Server for Nats {
    async fn run(&mut self) {
        let process = Command::new("nats-server")
            .args(["--addr", "127.0.0.1", "--port", &self.port.to_string(), "--jetstream", "--store_dir"])
            .arg(self.directory.path().join("data"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server is installed: run `cargo xtask test`, or `apt-get install nats-server`");
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
        open(&self.address()).await.expect("it connects when it is asked")
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        faults::kill(self);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passes_the_suite() {
    let server = Nats::start().await;
    conformance::run(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_in_each_stage_loses_nothing() {
    faults::killed_in_each_stage(Nats::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_wiped_takes_nothing_away() {
    faults::wiped(Nats::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_those_who_publish_at_the_same_time_one_wins() {
    faults::fifty_publish(Nats::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_was_made_anew_is_another_store() {
    let server = Nats::start().await;
    let store = server.store().await;
    let identity = store.identity().await.expect("it answers");
    let first = store.write(put("a", "1")).await.expect("it is free");
    let mut watch = store.watch("inst/", first).await.expect("it begins");
    let client = async_nats::connect(format!("127.0.0.1:{}", server.port)).await.expect("it is there");
    let jetstream = async_nats::jetstream::new(client);
    for stream in ["test_docs", "test_leases"] {
        jetstream.delete_stream(stream).await.expect("it is there");
    }
    let again = server.store().await;
    assert_ne!(again.identity().await.expect("it answers"), identity);
    let told = async {
        loop {
            match watch.next().await {
                Ok(changes) => assert!(changes.is_empty(), "{changes:?}"),
                Err(error) => break error,
            }
        }
    };
    let told = tokio::time::timeout(LIMIT, told).await.expect("in time");
    assert!(matches!(told, Error::Identity(_) | Error::Unavailable(_)), "{told:?}");
}

fn put(id: &str, text: &str) -> Write {
    Write::put(Key::instance(id), text.as_bytes().to_vec())
}
