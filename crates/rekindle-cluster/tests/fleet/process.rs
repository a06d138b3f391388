//! Instances that are processes of their own, to be stopped and killed.
//!
//! Each is this program again, with one test to run that is an instance: see [`run`].

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rekindle::{HotReload, RemoteLayer};
use rekindle_cluster::{Engine, Host, Member, Options, Payload, Release, Sick};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;

/// What an instance is told: its directory, its store, its name, and where it dies.
const TOLD: [&str; 4] = ["INSTANCE_ROOT", "INSTANCE_STORE", "INSTANCE_ID", "INSTANCE_DIES"];

/// An instance in a process.
pub(crate) struct Process {
    child: Child,
    pub(crate) root: TempDir,
}

impl Process {
    pub(crate) fn start(store: &str, id: &str) -> Self {
        Self::start_in(super::root(), store, id, "")
    }

    pub(crate) fn start_in(root: TempDir, store: &str, id: &str, dies: &str) -> Self {
        let path = root.path().display().to_string();
        let child = Command::new(std::env::current_exe().expect("it has a path"))
            .args(["--exact", "an_instance", "--ignored"])
            .envs(TOLD.into_iter().zip([path.as_str(), store, id, dies]))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        Self { child, root }
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// Waits until it has died by itself; what it leaves behind.
    pub(crate) async fn died(mut self) -> TempDir {
        let dying = async {
            while self.child.try_wait().expect("it is ours").is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(super::LIMIT, dying).await.expect("it dies");
        std::mem::replace(&mut self.root, tempfile::tempdir().expect("a directory"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have died by itself.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// An instance, when this process is told to be one.
pub(crate) async fn run() {
    let told = TOLD.map(|name| std::env::var(name).ok());
    let [Some(root), Some(store), Some(id), Some(dies)] = told else { return };
    let release = rekindle_cluster::restore(&root).await.expect("it can be read");
    let manager =
        HotReload::builder(&root).remote_layer(RemoteLayer::AboveFiles).start().await.expect("an engine");
    let store = rekindle_cluster::store::open(&store).await.expect("it opens");
    let engine = Arc::new(Mortal { host: Host::new(manager), dies });
    let options = Options { lease: Duration::from_secs(3), ..Options::new(id) };
    let _member = Member::join(store, engine, release, options);
    // Nobody writes to it: whoever started it has ended.
    let _ended = tokio::io::stdin().read(&mut [0; 1]).await;
}

/// An engine whose process may die at the worst moment.
struct Mortal {
    host: Host,
    dies: String,
}

#[async_trait]
impl Engine for Mortal {
    async fn check(&self, payload: &Payload) -> Result<(), String> {
        self.host.check(payload).await
    }

    async fn apply(&self, payload: Option<(Release, &Payload)>) -> Result<u64, String> {
        if self.dies == "before" {
            std::process::abort();
        }
        let applied = self.host.apply(payload).await;
        if self.dies == "after" {
            std::process::abort();
        }
        applied
    }

    async fn health(&self, generation: u64) -> Result<(), Sick> {
        self.host.health(generation).await
    }
}
