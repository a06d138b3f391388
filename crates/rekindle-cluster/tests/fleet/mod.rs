//! Instances with real engines on real files.

#![allow(dead_code, reason = "each test takes what it needs")]

pub(crate) mod faults;
#[cfg(all(target_os = "linux", feature = "etcd"))]
pub(crate) mod network;
pub(crate) mod process;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rekindle::{HotReload, HotReloadManager, Probation, RemoteLayer};
use rekindle_cluster::store::Store;
use rekindle_cluster::{
    Client, ClusterStatus, Document, Head, Host, Member, Options, Outcome, Payload, Plan, Release, Step,
};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything takes.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// An instance, with all that it has.
pub(crate) struct Instance {
    pub(crate) root: TempDir,
    pub(crate) manager: HotReloadManager,
    pub(crate) member: Option<Member>,
    pub(crate) is_well: Arc<AtomicBool>,
}

impl Instance {
    pub(crate) async fn start(store: &Arc<dyn Store>, id: &str) -> Self {
        Self::start_in(root(), store, id).await
    }

    pub(crate) async fn start_in(root: TempDir, store: &Arc<dyn Store>, id: &str) -> Self {
        let release = rekindle_cluster::restore(root.path()).await.expect("it can be read");
        let is_well = Arc::new(AtomicBool::new(true));
        let health = Arc::clone(&is_well);
        let manager = HotReload::builder(root.path())
            .remote_layer(RemoteLayer::AboveFiles)
            .probation(Probation::of(Duration::from_millis(100)).every(Duration::from_millis(20)))
            .health_check("orders", move || match health.load(Ordering::Relaxed) {
                true => Ok(()),
                false => Err("no orders come in".into()),
            })
            .start()
            .await
            .expect("an engine");
        let host = Arc::new(Host::new(manager.clone()));
        let options = Options { lease: Duration::from_secs(3), ..Options::new(id) };
        let member = Some(Member::join(Arc::clone(store), host, release, options));
        Self { root, manager, member, is_well }
    }

    pub(crate) fn value(&self, pointer: &str) -> Value {
        let snapshot = self.manager.snapshot();
        snapshot.get("app").and_then(|app| app.pointer(pointer)).cloned().unwrap_or_default()
    }

    pub(crate) async fn leave(&mut self) {
        if let Some(member) = self.member.take() {
            member.leave().await;
        }
    }
}

/// A directory with a configuration and its schema.
pub(crate) fn root() -> TempDir {
    let root = tempfile::tempdir().expect("a directory");
    let write = |name, text| std::fs::write(root.path().join(name), text).expect("there is room");
    std::fs::create_dir(root.path().join("config")).expect("there is room");
    write("config/app.toml", "port = 80\nlimit = 10\n");
    write("config/app.schema.json", r#"{"properties": {"port": {"type": "integer"}}}"#);
    root
}

pub(crate) async fn fleet(store: &Arc<dyn Store>, size: usize) -> Vec<Instance> {
    let mut fleet = Vec::new();
    for number in 0..size {
        fleet.push(Instance::start(store, &format!("i{number}")).await);
    }
    fleet
}

pub(crate) fn payload(text: &str) -> Payload {
    Payload::new([Document::new("app", "toml", text)])
}

/// Fast steps.
pub(crate) fn plan() -> Plan {
    let steps = vec![Step::Share(200), Step::Share(1000)];
    Plan { steps, bake_ms: 100, patience_ms: 20_000, ..Plan::default() }
}

/// Waits until the cluster is so.
pub(crate) async fn until(client: &Client, what: &str, is: impl Fn(&ClusterStatus) -> bool) -> ClusterStatus {
    let mut last = None;
    let waiting = async {
        loop {
            // A store that is away comes back.
            if let Ok(status) = client.status().await {
                if is(&status) {
                    return status;
                }
                last = Some(status);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let done = tokio::time::timeout(LIMIT, waiting).await;
    done.unwrap_or_else(|_| panic!("{what}: {last:#?}"))
}

pub(crate) async fn live(client: &Client, count: usize) {
    until(client, "all are there", |status| status.instances.len() == count).await;
}

pub(crate) async fn ended(client: &Client, release: Release) -> (Head, Outcome, String) {
    let over = |head: &Head| {
        head.candidate.is_none() && head.last.as_ref().is_some_and(|last| last.release == release)
    };
    let status = until(client, "the rollout ends", |status| over(&status.head)).await;
    let last = status.head.last.clone().expect("it has ended");
    (status.head, last.outcome, last.reason)
}

pub(crate) async fn all_on(client: &Client, release: Option<Release>) {
    let is_on = |status: &ClusterStatus| status.instances.iter().all(|instance| instance.applied == release);
    until(client, "everybody converges", is_on).await;
}
