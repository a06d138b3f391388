//! A network of three servers of etcd that can be cut, in namespaces of this test's own.
//!
//! ```text
//!   this process ── c0 ═ c1 ─┐              ┌─ h1 ═ v1 ── etcd n1
//!        10.77.0.1           ├─ a bridge ───┼─ h2 ═ v2 ── etcd n2      n1 is 10.77.0.11
//!                            ┘              └─ h3 ═ v3 ── etcd n3
//! ```
//!
//! Linux lets any user do that in a namespace of users of their own, where that is not forbidden.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::LIMIT;

/// Says that this process is in its own namespaces.
const INSIDE: &str = "NETWORK_OF_ITS_OWN";

/// Runs one test of this program again in namespaces of its own. Whether this is that run.
pub(crate) fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let again = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "--"])
        .arg(std::env::current_exe().expect("it has a path"))
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("unshare is there, of util-linux");
    assert!(again.success(), "in namespaces of its own; where they are forbidden, this cannot be tested");
    false
}

fn ip(arguments: &str) {
    let done = Command::new("ip").args(arguments.split(' ')).output().expect("iproute2 is installed");
    assert!(done.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Three servers, and what leads to them.
pub(crate) struct Network {
    _directory: TempDir,
    nodes: Vec<Child>,
}

impl Network {
    pub(crate) async fn start() -> Self {
        for arguments in [
            "link set lo up",
            "link add name bridge type bridge",
            "link set bridge up",
            "link add c0 type veth peer name c1",
            "link set c1 master bridge",
            "link set c1 up",
            "addr add 10.77.0.1/24 dev c0",
            "link set c0 up",
        ] {
            ip(arguments);
        }
        let directory = tempfile::tempdir().expect("a directory");
        let mut nodes = Vec::new();
        for number in 1..=3 {
            nodes.push(node(number, &directory.path().join(format!("n{number}"))).await);
        }
        Self { _directory: directory, nodes }
    }

    /// The address of some of the servers.
    pub(crate) fn address(numbers: &[usize]) -> String {
        let hosts = numbers.iter().map(|number| format!("{}:2379", host(*number)));
        format!("etcd:{}/test", hosts.collect::<Vec<_>>().join(","))
    }

    /// Cuts a server off from everybody.
    pub(crate) fn cut(number: usize) {
        ip(&format!("link set h{number} down"));
    }

    pub(crate) fn heal(number: usize) {
        ip(&format!("link set h{number} up"));
    }

    /// Cuts this process off from all servers, which still see each other.
    pub(crate) fn cut_clients() {
        ip("link set c1 down");
    }

    pub(crate) fn heal_clients() {
        ip("link set c1 up");
    }

    /// Which of them leads.
    pub(crate) async fn leader() -> usize {
        let asking = async {
            loop {
                for number in 1..=3 {
                    if leads(number).await == Some(true) {
                        return number;
                    }
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(LIMIT, asking).await.expect("one of them leads")
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            // It may have ended.
            let _killed = node.kill();
            let _ended = node.wait();
        }
    }
}

fn host(number: usize) -> String {
    format!("10.77.0.1{number}")
}

async fn leads(number: usize) -> Option<bool> {
    let asked = async {
        let mut client = etcd_client::Client::connect([format!("{}:2379", host(number))], None).await.ok()?;
        let status = client.status().await.ok()?;
        Some(status.header()?.member_id() == status.leader())
    };
    tokio::time::timeout(Duration::from_secs(2), asked).await.ok()?
}

/// A server in a namespace of its own, wired to the bridge before it starts.
async fn node(number: usize, data: &std::path::Path) -> Child {
    let url = |number: usize, port: u16| format!("http://{}:{port}", host(number));
    let (peer, client) = (url(number, 2380), url(number, 2379));
    let peers =
        (1..=3).map(|number| format!("n{number}={}", url(number, 2380))).collect::<Vec<_>>().join(",");
    let script = format!(
        "read -r go && ip link set lo up && ip addr add {host}/24 dev v{number} && ip link set v{number} up && \
         exec etcd --name n{number} --data-dir {data} --listen-peer-urls {peer} --initial-advertise-peer-urls {peer} \
         --listen-client-urls {client} --advertise-client-urls {client} --initial-cluster {peers}",
        host = host(number),
        data = data.display(),
    );
    let mut node = Command::new("unshare")
        .args(["--net", "--", "sh", "-c", &script])
        .env("ETCD_UNSUPPORTED_ARCH", std::env::consts::ARCH)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("unshare is there, of util-linux");
    let process = node.id();
    moved(process).await;
    ip(&format!("link add v{number} type veth peer name h{number}"));
    ip(&format!("link set v{number} netns {process}"));
    ip(&format!("link set h{number} master bridge"));
    ip(&format!("link set h{number} up"));
    node.stdin.take().expect("it is piped").write_all(b"go\n").expect("it reads");
    node
}

/// Waits until a process is in a network of its own.
async fn moved(process: u32) {
    let network = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net")).ok();
    let here = network("self");
    let moving = async {
        while network(&process.to_string()).is_none_or(|there| Some(there) == here) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, moving).await.expect("it starts");
}
