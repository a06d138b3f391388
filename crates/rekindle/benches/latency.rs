//! How long after a finished save a reader sees the new value.
//!
//! ```text
//! cargo bench -p rekindle --bench latency
//! ```
//!
//! - *Finished save*, t0: read off the clock directly after the system call that finishes the save has
//!   returned: `rename` where the save replaces the file, `close` where it rewrites the file in place.
//! - *Seen*, t1: read directly after the first load that returns the value of that save. The same thread
//!   saves and then loads in a loop, yielding in between, so both ends are on one clock, and no wake-up of
//!   the reader's is counted.
//! - *Whole*: from just before that system call to t1. The kernel tells of the change in the middle of the
//!   call, and may let whoever was woken run before the call returns. From t0 to t1 then leaves out work
//!   that was done, and the floor looks like nothing; this leaves out none. It is what is compared.
//! - *Floor*: a bare thread on a blocking inotify descriptor that reads the file, parses the TOML into the
//!   same type and stores the number: the least that any reloader of TOML files does, without one of
//!   rekindle's promises.
//!
//! The cases take turns, save by save, with gaps of random length between them, so that other load and the
//! phase of timers fall on all alike. Nothing is asserted about time; a save that is not seen at all within
//! ten seconds ends the run with an error.

#![allow(
    clippy::disallowed_methods,
    reason = "a bench saves files as anybody would, and leaves gaps between saves"
)]

use std::process::ExitCode;

/// Only `cargo bench` says `--bench`; `cargo test` builds and starts this file too, to see that it runs.
fn main() -> ExitCode {
    let asked_for = |flag: &str| std::env::args().any(|argument| argument == flag);
    if !asked_for("--bench") || asked_for("--test") {
        return ExitCode::SUCCESS;
    }
    match bench::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("latency: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod bench {
    pub(crate) fn run() -> Result<(), &'static str> {
        Err("the floor is inotify's: this bench runs on Linux")
    }
}

#[cfg(target_os = "linux")]
mod bench {
    use std::error::Error;
    use std::fs::{self, File};
    use std::io::{self, Write};
    use std::mem::MaybeUninit;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{Duration, Instant};

    use hdrhistogram::Histogram;
    use rekindle::HotReload;
    use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
    use serde::Deserialize;
    use tempfile::TempDir;

    type Result<T> = std::result::Result<T, Box<dyn Error>>;

    /// Saves of each kind on each site.
    const SAVES: u64 = 300;

    /// Saves before them that are not counted: threads start, caches and directories fill.
    const WARM_UP: u64 = 10;

    /// Between one save and the next, in microseconds. Long enough for everything to be idle again.
    const GAP: std::ops::Range<u64> = 4_000..20_000;

    /// A save that is not seen after this long never will be.
    const NEVER: Duration = Duration::from_secs(10);

    /// The name of the file that is saved.
    const FILE: &str = "app.toml";

    /// What the file decodes into.
    #[derive(Debug, Clone, Deserialize)]
    #[allow(dead_code, reason = "decoded, as a program would; only the number is looked at")]
    struct App {
        number: u64,
        host: String,
        port: u16,
        features: Vec<String>,
        limits: Limits,
    }

    #[derive(Debug, Clone, Deserialize)]
    #[allow(dead_code, reason = "decoded, as a program would; only the number is looked at")]
    struct Limits {
        connections: usize,
        body_bytes: u64,
        timeout_ms: u64,
    }

    /// As long as a small service's configuration.
    fn content(number: u64) -> String {
        format!(
            "# Written by the latency bench.\nnumber = {number}\nhost = \"127.0.0.1\"\nport = 8080\n\
             features = [\"search\", \"export\"]\n\n[limits]\n\
             connections = 100\nbody_bytes = 1_048_576\ntimeout_ms = 30_000\n"
        )
    }

    /// How a save is made.
    #[derive(Debug, Clone, Copy)]
    enum Kind {
        /// Written beside the file, then renamed over it.
        Rename,
        /// Truncated, written, closed.
        InPlace,
    }

    impl Kind {
        fn name(self) -> &'static str {
            match self {
                Self::Rename => "rename",
                Self::InPlace => "in place",
            }
        }

        /// Saves, and says when the system call that finished it was entered, and when it had returned.
        fn save(self, file: &Path, number: u64) -> io::Result<(Instant, Instant)> {
            let entered = match self {
                Self::Rename => {
                    let beside = file.with_extension("toml.tmp");
                    fs::write(&beside, content(number))?;
                    let entered = Instant::now();
                    fs::rename(&beside, file)?;
                    entered
                }
                Self::InPlace => {
                    let mut open = File::create(file)?;
                    open.write_all(content(number).as_bytes())?;
                    let entered = Instant::now();
                    drop(open);
                    entered
                }
            };
            Ok((entered, Instant::now()))
        }
    }

    /// What was measured of one kind of save, in nanoseconds.
    struct Times {
        kind: Kind,
        /// t1 - t0.
        seen: Histogram<u64>,
        /// From the entry of the system call.
        whole: Histogram<u64>,
    }

    impl Times {
        fn new(kind: Kind) -> Result<Self> {
            Ok(Self { kind, seen: Histogram::new(3)?, whole: Histogram::new(3)? })
        }
    }

    /// A directory, whoever watches it, and what has been measured there.
    struct Site {
        name: &'static str,
        file: PathBuf,
        load: Box<dyn Fn() -> u64>,
        times: [Times; 2],
        _directory: TempDir,
    }

    impl Site {
        fn new(name: &'static str, directory: TempDir, load: Box<dyn Fn() -> u64>) -> Result<Self> {
            let times = [Times::new(Kind::Rename)?, Times::new(Kind::InPlace)?];
            Ok(Self { name, file: file_in(&directory), load, times, _directory: directory })
        }

        /// One save of each kind, a random gap before each.
        fn round(&mut self, number: &mut u64, random: &mut Random, counts: bool) -> Result<()> {
            for times in &mut self.times {
                std::thread::sleep(Duration::from_micros(random.within(GAP)));
                *number += 1;
                let (entered, returned) = times.kind.save(&self.file, *number)?;
                while (self.load)() != *number {
                    if returned.elapsed() > NEVER {
                        return Err(format!("{}: save {number} was never seen", self.name).into());
                    }
                    std::thread::yield_now();
                }
                let seen = Instant::now();
                if counts {
                    times.seen.record(u64::try_from((seen - returned).as_nanos())?)?;
                    times.whole.record(u64::try_from((seen - entered).as_nanos())?)?;
                }
            }
            Ok(())
        }
    }

    fn file_in(directory: &TempDir) -> PathBuf {
        directory.path().join("config").join(FILE)
    }

    /// A directory with the file in it.
    fn directory() -> Result<TempDir> {
        let directory = tempfile::tempdir()?;
        fs::create_dir(directory.path().join("config"))?;
        fs::write(file_in(&directory), content(0))?;
        Ok(directory)
    }

    /// A site watched by rekindle; `settle` where it is not to be the default.
    async fn rekindle(name: &'static str, settle: Option<Duration>) -> Result<Site> {
        let directory = directory()?;
        let builder = HotReload::builder(directory.path());
        let builder = match settle {
            Some(quiet) => builder.settle(quiet),
            None => builder,
        };
        let live = builder.start().await?.watch::<App>("app").await?.live();
        Site::new(name, directory, Box::new(move || live.load().number))
    }

    /// A site watched by a bare loop.
    fn floor(name: &'static str) -> Result<Site> {
        let directory = directory()?;
        let fd = inotify::init(CreateFlags::CLOEXEC)?;
        inotify::add_watch(
            &fd,
            directory.path().join("config"),
            WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO,
        )?;
        let (file, number) = (file_in(&directory), Arc::new(AtomicU64::new(0)));
        let stored = Arc::clone(&number);
        std::thread::Builder::new().name("floor".into()).spawn(move || {
            let mut buffer = [MaybeUninit::uninit(); 4096];
            let mut reader = Reader::new(fd, &mut buffer);
            while let Ok(event) = reader.next() {
                // Its directory is gone: the end.
                if event.events().contains(ReadFlags::IGNORED) {
                    break;
                }
                let is_it = event.file_name().is_some_and(|name| name.to_bytes() == FILE.as_bytes());
                if let Some(app) = is_it.then(|| read(&file)).flatten() {
                    stored.store(app.number, Ordering::Release);
                }
            }
        })?;
        Site::new(name, directory, Box::new(move || number.load(Ordering::Acquire)))
    }

    fn read(file: &Path) -> Option<App> {
        toml::from_str(&fs::read_to_string(file).ok()?).ok()
    }

    /// SplitMix64: enough for gaps that follow no pattern, the same in every run.
    struct Random(u64);

    impl Random {
        fn within(&mut self, range: std::ops::Range<u64>) -> u64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            range.start + (mixed ^ (mixed >> 31)) % (range.end - range.start)
        }
    }

    /// Measures and prints.
    pub(crate) fn run() -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let default = runtime.block_on(rekindle("rekindle", None))?;
        let prompt = runtime.block_on(rekindle("rekindle, settle(0)", Some(Duration::ZERO)))?;
        let mut sites = [default, prompt, floor("floor: raw inotify")?];
        print_machine();
        let (mut number, mut random) = (0, Random(1));
        for round in 0..WARM_UP + SAVES {
            for site in &mut sites {
                site.round(&mut number, &mut random, round >= WARM_UP)?;
            }
        }
        print_table(&sites);
        Ok(())
    }

    fn print_table(sites: &[Site; 3]) {
        println!("{SAVES} saves each, in ms; p50 to max from t0 to t1, whole: p50 with the system call\n");
        let [save, by, whole, floors] = ["save", "watched by", "whole", "whole / floor's"];
        println!("{save:<10}{by:<22}{:>8}{:>8}{:>8}{:>8}{whole:>9}{floors:>17}", "p50", "p90", "p99", "max");
        for kind in 0..2 {
            for site in sites {
                let Times { kind: save, seen, whole } = &site.times[kind];
                let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|quantile| ms(seen.value_at_quantile(quantile)));
                let [whole, floors] =
                    [whole, &sites[2].times[kind].whole].map(|times| ms(times.value_at_quantile(0.5)));
                let (save, by, max, ratio) = (save.name(), site.name, ms(seen.max()), whole / floors);
                println!(
                    "{save:<10}{by:<22}{p50:>8.3}{p90:>8.3}{p99:>8.3}{max:>8.3}{whole:>9.3}{ratio:>17.1}"
                );
            }
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "to be read by people")]
    fn ms(nanoseconds: u64) -> f64 {
        nanoseconds as f64 / 1e6
    }

    /// What the figures depend on.
    fn print_machine() {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let cpu = text("/proc/cpuinfo");
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or("unknown", |(_, model)| model);
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let rustc = std::process::Command::new("rustc").arg("--version").output();
        let rustc =
            rustc.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned()).unwrap_or_default();
        println!("rekindle {}, {rustc}", env!("CARGO_PKG_VERSION"));
        println!("Linux {}, {cores} cores, {model}", text("/proc/sys/kernel/osrelease"));
        println!("load before {}, in {}\n", text("/proc/loadavg"), std::env::temp_dir().display());
    }
}
