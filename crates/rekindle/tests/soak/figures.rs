//! What a process costs, as `/proc` has it.

use std::fmt;
use std::fs;

/// How much the memory may grow after the warm-up, in percent.
const MEMORY: u64 = 5;

/// The figures of a process at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    /// Resident, in kB.
    memory: u64,
    open_files: usize,
    pub(crate) watches: usize,
}

impl Figures {
    pub(crate) fn of(process: u32) -> Self {
        let open_files = fs::read_dir(format!("/proc/{process}/fd")).expect("it runs").count();
        Self { memory: memory(process), open_files, watches: watches(process) }
    }

    /// Holds them against those of the time when the process was warm.
    pub(crate) fn hold_against(&self, warm: &Self, memory: bool) {
        assert_eq!(self.open_files, warm.open_files, "open files: {self}, warm: {warm}");
        let grown = self.memory * 100 > warm.memory * (100 + MEMORY);
        assert!(!(memory && grown), "memory grew by more than {MEMORY} %: {self}, warm: {warm}");
    }
}

fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number of kB")
}

fn watches(process: u32) -> usize {
    let files = fs::read_dir(format!("/proc/{process}/fdinfo")).expect("it runs").flatten();
    // One that was closed since it was listed has no watches.
    let texts = files.map(|file| fs::read_to_string(file.path()).unwrap_or_default());
    texts.map(|text| text.lines().filter(|line| line.starts_with("inotify wd:")).count()).sum()
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { memory, open_files, watches } = self;
        write!(f, "{memory:7} kB  {open_files:3} open files  {watches:4} watches")
    }
}
