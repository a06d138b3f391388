//! What the figures depend on.

use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// Where, when and with what it was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) rustc: String,
    /// Of the directory that is watched.
    pub(crate) file_system: String,
    /// Load average over a minute before the run: whether it was alone.
    pub(crate) load: String,
    pub(crate) versions: Vec<(String, String)>,
}

/// Whose versions matter.
const PEERS: [&str; 9] = [
    "rekindle",
    "arc-swap",
    "config",
    "dynamic-config",
    "hotswap-config",
    "notify",
    "notify-debouncer-full",
    "notify-debouncer-mini",
    "tokio",
];

impl Machine {
    pub(crate) fn here() -> Self {
        let cpu = text("/proc/cpuinfo");
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            cpu: model.map_or_else(|| "unknown".into(), |(_, model)| model.into()),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            kernel: text("/proc/sys/kernel/osrelease"),
            rustc: rustc(),
            file_system: file_system(),
            load: text("/proc/loadavg").split(' ').next().unwrap_or_default().into(),
            versions: versions(include_str!("../../../Cargo.lock")),
        }
    }

    /// In a sentence.
    pub(crate) fn sentence(&self) -> String {
        let Self { date, cpu, cores, kernel, rustc, file_system, .. } = self;
        let versions: Vec<String> =
            self.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        format!(
            "Measured {date} on {cores} cores of {cpu}, Linux {kernel}, {file_system}, {rustc}; {}.",
            versions.join(", ")
        )
    }
}

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn rustc() -> String {
    let version = Command::new("rustc").arg("--version").output();
    let version = version.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
    version.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// The kind of file system that temporary directories are on: the longest mount point that holds them.
fn file_system() -> String {
    let directory = std::env::temp_dir();
    let mounts = text("/proc/self/mounts");
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let holding = mounts.filter(|(point, _)| directory.starts_with(point));
    holding.max_by_key(|(point, _)| point.len()).map_or_else(String::new, |(_, kind)| kind.into())
}

/// Where there are several versions of one, the newest: what this crate itself depends on.
fn versions(lock: &str) -> Vec<(String, String)> {
    let newest = |name: &&str| {
        let start = format!("name = \"{name}\"\nversion = \"");
        let (_, rest) = lock.rsplit_once(&start)?;
        Some(((*name).to_owned(), rest.split('"').next()?.to_owned()))
    };
    PEERS.iter().filter_map(newest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_version() {
        let names: Vec<String> = Machine::here().versions.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, PEERS);
    }
}
