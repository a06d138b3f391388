//! What this process costs, from `/proc` and the clocks of the kernel.

use std::fs;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::Result;

/// CPU time of this process so far.
pub(crate) fn cpu() -> Duration {
    clock(ClockId::ProcessCPUTime)
}

/// CPU time of this thread so far.
pub(crate) fn thread_cpu() -> Duration {
    clock(ClockId::ThreadCPUTime)
}

/// CPU time of all other threads so far: what a watcher costs, without whoever saves.
pub(crate) fn others_cpu() -> Duration {
    cpu().saturating_sub(thread_cpu())
}

fn clock(id: ClockId) -> Duration {
    let time = clock_gettime(id);
    // The kernel gives neither below zero.
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Bytes of memory of its own that are in use (`RssAnon`).
pub(crate) fn memory() -> Result<u64> {
    Ok(field(&fs::read_to_string("/proc/self/status")?, "RssAnon")? * 1024)
}

/// How many inotify watches are held.
pub(crate) fn watches() -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir("/proc/self/fdinfo")? {
        // The descriptor of this very listing is gone by the time it is looked at.
        let Ok(info) = fs::read_to_string(entry?.path()) else { continue };
        count += info.lines().filter(|line| line.starts_with("inotify wd:")).count();
    }
    Ok(count)
}

/// How often the threads other than the main one gave the processor up (each wake-up ends in one of these), and
/// how often it was taken from them, so far.
pub(crate) fn others_switches() -> Result<(u64, u64)> {
    let main = std::process::id().to_string();
    let (mut given, mut taken) = (0, 0);
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?;
        let Ok(status) = fs::read_to_string(task.path().join("status")) else { continue };
        if task.file_name().to_string_lossy() != main {
            given += field(&status, "voluntary_ctxt_switches")?;
            taken += field(&status, "nonvoluntary_ctxt_switches")?;
        }
    }
    Ok((given, taken))
}

/// Lets this process have as many files and sockets open as the system allows.
pub(crate) fn let_more_files_be_open() -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

/// The number in a line `name: number ...`.
fn field(text: &str, name: &str) -> Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or_else(|| format!("/proc has no {name}"))?.parse()?)
}
