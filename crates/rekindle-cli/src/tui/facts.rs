//! What the screen shows of an engine, in words of its own.
//!
//! In: the library's [`Status`], [`Receipt`] and [`HistoryEntry`]. Out: values that tests can make, whose
//! texts cannot steer the terminal and have paths relative to the root.

use std::path::Path;
use std::time::{Duration, SystemTime};

use rekindle::{
    ConfigStatus, Drift, Error, HistoryEntry, Pending, Receipt, ReloadOutcome, StageTimes, Status,
};

use crate::render::Row;
use crate::text::printable;

/// The number of stages, with the total as the last.
pub(super) const STAGES: usize = StageTimes::NAMES.len();

/// How something is, in one of three colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Good,
    /// As far as it goes; somebody has to do something some time.
    Doubtful,
    Bad,
}

/// How an engine is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    pub(super) root: String,
    pub(super) environment: String,
    pub(super) generation: u64,
    pub(super) watched_dirs: usize,
    pub(super) polled_dirs: usize,
    /// What keeps the engine itself from fully doing its work.
    pub(super) degraded: Option<String>,
    /// In the order of their names.
    pub(super) configs: Vec<Config>,
}

/// How a configuration is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Config {
    pub(super) name: String,
    pub(super) health: Health,
    /// How what runs and what is on disk stand to each other, in a few words.
    pub(super) state: &'static str,
    /// That of its value; `None` if it never had one.
    pub(super) generation: Option<u64>,
    /// Those it is layered from, weakest first.
    pub(super) files: Vec<String>,
    /// Files that are not read, and why.
    pub(super) ignored: Vec<String>,
    /// What waits for a restart.
    pub(super) pending: Vec<Row>,
    /// What is wrong with it, in one line.
    pub(super) failure: Option<String>,
}

/// A reload that has come to its end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reload {
    /// The time of day.
    pub(super) at: String,
    pub(super) trigger: String,
    pub(super) health: Health,
    pub(super) outcome: &'static str,
    pub(super) generation: u64,
    /// The configurations that have another value now.
    pub(super) configs: Vec<String>,
    /// Those that were refused: which, by whom and why.
    pub(super) refused: Vec<(String, String)>,
    /// Why it was undone, if it was.
    pub(super) undone: Option<String>,
    pub(super) stages: [Duration; STAGES],
}

/// A revision that the history keeps, as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Revision {
    pub(super) number: u64,
    pub(super) health: Health,
    /// When, why, what became of it, and what differed.
    pub(super) told: String,
}

impl Facts {
    /// Of this status.
    pub(super) fn of(status: &Status) -> Self {
        let configs = status.configs.iter().map(|(name, config)| Config::of(name, config, &status.root));
        Self {
            root: safe(&status.root.to_string_lossy()),
            environment: safe(&status.environment),
            generation: status.generation,
            watched_dirs: status.watched_dirs,
            polled_dirs: status.polled_dirs,
            degraded: status.degraded.as_deref().map(safe),
            configs: configs.collect(),
        }
    }

    /// The configurations that are not good on disk.
    pub(super) fn failed(&self) -> usize {
        self.configs.iter().filter(|config| config.failure.is_some()).count()
    }

    /// Whether anything is not as it should be.
    pub(super) fn is_degraded(&self) -> bool {
        self.degraded.is_some() || self.failed() > 0
    }
}

impl Config {
    fn of(name: &str, config: &ConfigStatus, root: &Path) -> Self {
        let drift = config.drift();
        let ignored = config.shadowed.iter().map(|(used, ignored)| {
            format!("{} is ignored, {} is used", relative(ignored, root), relative(used, root))
        });
        Self {
            name: safe(name),
            health: health_of(&drift),
            state: drift.as_str(),
            generation: config.generation,
            files: config.files.iter().map(|file| relative(file, root)).collect(),
            ignored: ignored.collect(),
            pending: config.pending.iter().map(waiting).collect(),
            failure: failure_of(&drift).map(|error| safe(&error.to_string())),
        }
    }
}

fn health_of(drift: &Drift) -> Health {
    match drift {
        Drift::InSync => Health::Good,
        Drift::HeldForRestart(_) => Health::Doubtful,
        _ => Health::Bad,
    }
}

fn failure_of(drift: &Drift) -> Option<&Error> {
    match drift {
        Drift::Invalid(error) | Drift::Refused(error) | Drift::RolledBack(error) => Some(error),
        _ => None,
    }
}

/// Its values are masked already.
fn waiting(field: &Pending) -> Row {
    Row::of(&field.pointer, field.running.as_ref(), field.on_disk.as_ref())
}

impl Reload {
    /// Of this receipt.
    pub(super) fn of(receipt: &Receipt) -> Self {
        let (configs, undone) = match &receipt.outcome {
            ReloadOutcome::RolledBack { configs, reason, .. } => (configs.as_slice(), Some(reason)),
            _ => (receipt.applied(), None),
        };
        let refused = receipt
            .refusals()
            .iter()
            .map(|refusal| (safe(&refusal.config), safe(&format!("by {}: {}", refusal.by, refusal.error))));
        Self {
            at: time_of_day(receipt.at),
            trigger: receipt.trigger.to_string(),
            health: match receipt.outcome {
                ReloadOutcome::Applied { .. } | ReloadOutcome::Unchanged => Health::Good,
                _ => Health::Bad,
            },
            outcome: receipt.outcome.as_str(),
            generation: receipt.generation,
            configs: configs.iter().map(|name| safe(name)).collect(),
            refused: refused.collect(),
            undone: undone.map(|reason| safe(&reason.to_string())),
            stages: receipt.stages.all(),
        }
    }

    /// From the notice of the write to the end.
    pub(super) fn total(&self) -> Duration {
        self.stages[STAGES - 1]
    }
}

impl Revision {
    /// Of this entry of the history.
    pub(super) fn of(entry: &HistoryEntry) -> Self {
        let health = match &entry.outcome {
            outcome if outcome.is_bad() => Health::Bad,
            outcome if outcome.is_good() => Health::Good,
            _ => Health::Doubtful,
        };
        let (when, changed) = (date_and_time(entry.time), changed(&entry.changed));
        let told = format!("{when}  {}  {}  {changed}", entry.trigger, entry.outcome);
        Self { number: entry.revision, health, told: safe(&told) }
    }
}

fn changed(pointers: &[String]) -> String {
    if pointers.iter().all(String::is_empty) { "(all of it)".into() } else { pointers.join(" ") }
}

/// `12:00:00`, where we are.
pub(super) fn time_of_day(time: SystemTime) -> String {
    formatted(time, "%H:%M:%S")
}

fn date_and_time(time: SystemTime) -> String {
    formatted(time, "%Y-%m-%d %H:%M:%S")
}

fn formatted(time: SystemTime, format: &str) -> String {
    let time = jiff::Timestamp::try_from(time).unwrap_or_default();
    time.to_zoned(jiff::tz::TimeZone::system()).strftime(format).to_string()
}

fn relative(path: &Path, root: &Path) -> String {
    safe(&path.strip_prefix(root).unwrap_or(path).to_string_lossy())
}

fn safe(text: &str) -> String {
    printable(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An engine in a directory of its own, with a configuration. It looks when it is asked to.
    async fn engine(text: &str) -> (tempfile::TempDir, rekindle::HotReloadManager) {
        let root = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(root.path().join("config")).expect("another");
        std::fs::write(root.path().join("config/app.toml"), text).expect("a file");
        let builder = rekindle::HotReload::builder(root.path()).poll(Duration::from_secs(3600));
        let manager = builder.start().await.expect("an engine");
        (root, manager)
    }

    #[tokio::test]
    async fn what_an_engine_says_is_told_with_paths_below_its_root() {
        let (root, manager) = engine("port = 1").await;
        let facts = Facts::of(&manager.status());
        assert_eq!((facts.configs[0].name.as_str(), facts.configs[0].state), ("app", "in sync"));
        assert_eq!(facts.configs[0].files, ["config/app.toml"]);
        assert!(!facts.is_degraded());

        std::fs::write(root.path().join("config/app.toml"), "port = = 2").expect("a file");
        let reload = Reload::of(&manager.reload_now().await.expect("a receipt"));
        assert_eq!(
            (reload.outcome, reload.health, reload.trigger.as_str()),
            ("refused", Health::Bad, "reload")
        );
        let (config, told) = &reload.refused[0];
        assert!(config == "app" && told.starts_with("by syntax: config/app.toml:1:8: "), "{told}");
        let facts = Facts::of(&manager.status());
        assert!(facts.is_degraded() && facts.failed() == 1, "{facts:?}");
        assert!(
            facts.configs[0].failure.as_deref().is_some_and(|told| told.starts_with("config/app.toml:1:8: "))
        );
    }

    #[tokio::test]
    async fn a_revision_says_when_why_and_what() {
        let (root, manager) = engine("port = 1").await;
        std::fs::write(root.path().join("config/app.toml"), "port = 2").expect("a file");
        let reload = Reload::of(&manager.reload_now().await.expect("a receipt"));
        assert_eq!((reload.outcome, reload.configs.as_slice()), ("applied", &["app".to_owned()][..]));
        let revisions = manager.history("app").await.expect("a history");
        let [first, second] = revisions.as_slice() else { panic!("{revisions:?}") };
        let (first, second) = (Revision::of(first), Revision::of(second));
        assert_eq!((first.number, second.number), (1, 2));
        assert!(first.told.ends_with("(all of it)"), "{first:?}");
        assert!(second.told.ends_with("  reload  confirmed  /port"), "{second:?}");
    }
}
