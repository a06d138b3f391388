//! A server of etcd of the measurement's own.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::harness::Result;

/// A server, as long as it is held.
#[derive(Debug)]
pub(super) struct Etcd {
    process: Child,
    port: u16,
    _data: TempDir,
}

impl Etcd {
    /// Starts it. Whoever connects waits until it answers.
    pub(super) fn start() -> Result<Self> {
        let data = tempfile::tempdir()?;
        // Both are held until both are known.
        let free = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
        let [port, peer] = [free[0].local_addr()?.port(), free[1].local_addr()?.port()];
        drop(free);
        let (client, peer) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{peer}"));
        let process = Command::new("etcd")
            .arg("--data-dir")
            .arg(data.path())
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("default={peer}")])
            .env("ETCD_UNSUPPORTED_ARCH", std::env::consts::ARCH)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("etcd: {error}; on Debian it is in etcd-server"))?;
        Ok(Self { process, port, _data: data })
    }

    pub(super) fn address(&self) -> String {
        format!("etcd:127.0.0.1:{}/fleet", self.port)
    }

    /// CPU time so far, in milliseconds.
    pub(super) fn cpu_ms(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // Behind the name, which may hold anything: the 12th and 13th field, in hundredths of a second.
        let (_, fields) = stat.rsplit_once(") ").ok_or("/proc has no fields")?;
        let ticks: Vec<f64> =
            fields.split(' ').skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
        Ok(ticks.iter().sum::<f64>() * 10.0)
    }

    /// Bytes of memory.
    pub(super) fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line =
            status.lines().find_map(|line| line.strip_prefix("RssAnon:")).ok_or("/proc has no RssAnon")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _killed = self.process.kill();
        let _ended = self.process.wait();
    }
}
