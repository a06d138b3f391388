//! A case that saves a file and waits until the reloader shows it: what `latency` and `scale` are made of.
//!
//! - *Seen* is from the return of the system call that finishes the save (`rename`, or `close` where the file
//!   is rewritten in place) to the first load that returns the value of that save. The same thread saves and
//!   then loads in a loop, yielding in between: both ends are on one clock, and no wake-up is counted.
//! - *Whole* is from the entry of that system call: the kernel tells of the change in the middle of it, and
//!   may let whoever was woken run before it returns. *Seen* then leaves out work that was done, and the
//!   floor looks like nothing; *whole* leaves out none. It is what is compared.
//! - *CPU* is that of all threads but the one that saves.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::harness::Result;
use crate::harness::app::{Kind, Project};
use crate::harness::child::{self, Case};
use crate::harness::process::others_cpu;
use crate::harness::random::Random;
use crate::harness::stats::Times;
use crate::peers::reloaders::{self, Reloader};

/// A save that is not seen after this long never will be.
const NEVER: Duration = Duration::from_secs(3);

/// Between one save and the next, in microseconds, on top of the case's own window.
const GAP: std::ops::Range<u64> = 4_000..20_000;

/// One save, in nanoseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Save {
    seen: u64,
    whole: u64,
    cpu: u64,
}

/// In the child: saves when asked to.
pub(crate) fn case(name: &str, kind: &str, files: usize) -> Result<()> {
    let kind = Kind::parse(kind)?;
    let project = Project::with_files(files)?;
    let load = (reloaders::find(name)?.start)(&project)?;
    let mut number = 0;
    child::serve(|_| {
        number += 1;
        save(&project, kind, number, &load)
    })
}

fn save(project: &Project, kind: Kind, number: u64, load: &reloaders::Load) -> Result<Save> {
    let before = others_cpu();
    let (entered, returned) = kind.save(&project.file(), number)?;
    while load() != number {
        if returned.elapsed() > NEVER {
            return Err("never sees the save".into());
        }
        std::thread::yield_now();
    }
    let seen = Instant::now();
    let cpu = others_cpu().saturating_sub(before);
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos());
    Ok(Save {
        seen: nanoseconds(seen - returned)?,
        whole: nanoseconds(seen - entered)?,
        cpu: nanoseconds(cpu)?,
    })
}

/// In the parent: a case, and what has been measured of it.
pub(crate) struct Site {
    pub(crate) reloader: &'static Reloader,
    case: Case,
    rested: Instant,
    pub(crate) seen: Times,
    pub(crate) whole: Times,
    pub(crate) cpu: Times,
    /// Why it is out.
    pub(crate) failed: Option<String>,
}

impl Site {
    pub(crate) fn start(reloader: &'static Reloader, kind: Kind, files: usize) -> Result<Self> {
        let case = Case::start(&["saves", reloader.name, kind.name(), &files.to_string()])?;
        let [seen, whole, cpu] = [Times::new()?, Times::new()?, Times::new()?];
        Ok(Self { reloader, case, rested: Instant::now(), seen, whole, cpu, failed: None })
    }

    /// One save, once the case is at rest again and a random gap has passed.
    pub(crate) fn round(&mut self, random: &mut Random, counts: bool) -> Result<()> {
        if self.failed.is_some() {
            return Ok(());
        }
        std::thread::sleep(self.rested.saturating_duration_since(Instant::now()) + random.micros(&GAP));
        match self.case.ask::<Save>("save") {
            Ok(save) if counts => self.record(save)?,
            Ok(_) => {}
            Err(why) => self.failed = Some(why.to_string()),
        }
        self.rested = Instant::now() + 2 * self.reloader.window;
        Ok(())
    }

    fn record(&mut self, save: Save) -> Result<()> {
        self.seen.record_ns(save.seen)?;
        self.whole.record_ns(save.whole)?;
        self.cpu.record_ns(save.cpu)
    }
}
