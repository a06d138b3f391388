//! [`HotReloadConfig`]: the five settings of the specification.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::engine::{Probation, StartPolicy};
use crate::error::Result;
use crate::load::Override;
use crate::route::{Interest, RemoteLayer, Routes};
use crate::validate::Declared;

/// What to watch and how.
///
/// Everything beyond these five is set on [`HotReload::builder`](crate::HotReload::builder).
///
/// ```
/// use rekindle::HotReloadConfig;
///
/// let config = HotReloadConfig { backup_on_change: true, ..HotReloadConfig::default() };
/// assert_eq!(config.debounce_ms, 500);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotReloadConfig {
    /// Globs of the files to watch, relative to the root. `*` stays within a directory, `**`
    /// crosses them. Default: TOML, YAML and JSON below `config/`, all of `templates/` and `static/`.
    pub watch_patterns: Vec<String>,
    /// Milliseconds, default 500. The longest that a burst of changes is gathered, and the longest
    /// that an unfinished, empty, missing or invalid file is waited for before that is reported. A
    /// finished write does not wait for it.
    pub debounce_ms: u64,
    /// Whether JSON Schemas and custom checks are held against a change. Default: true. What does
    /// not parse, or not decode into a subscriber's type, never replaces a good value either way.
    pub validate_before_reload: bool,
    /// Whether the bytes that a change replaces are kept under `data/backups/configs/`. Default: false.
    pub backup_on_change: bool,
    /// Globs of what to leave out; a directory that matches is left out whole. Default: `*.tmp`,
    /// `*.swp` and names that start with a dot, everywhere.
    pub exclude_patterns: Vec<String>,
}

impl Default for HotReloadConfig {
    fn default() -> Self {
        let watch =
            ["config/**/*.toml", "config/**/*.yaml", "config/**/*.json", "templates/**/*", "static/**/*"];
        let exclude = ["**/*.tmp", "**/*.swp", "**/.*"];
        Self {
            watch_patterns: watch.map(String::from).to_vec(),
            debounce_ms: 500,
            validate_before_reload: true,
            backup_on_change: false,
            exclude_patterns: exclude.map(String::from).to_vec(),
        }
    }
}

/// The longest that any wait can be set to: a day. Points in time beyond the clock's end are a panic.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Every setting of an engine, resolved and plain. Two engines with equal settings are the same.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) config: HotReloadConfig,
    /// How long after a finished write others are waited for that belong to the same save.
    pub(crate) settle: Duration,
    pub(crate) environment: Option<String>,
    pub(crate) env_prefix: Option<String>,
    /// The weakest layer of configurations, by name.
    pub(crate) defaults: BTreeMap<String, Value>,
    /// A directory with one file a key, relative to the root.
    pub(crate) secrets_dir: Option<PathBuf>,
    /// A file of variables, relative to the root.
    pub(crate) dotenv: Option<PathBuf>,
    /// The strongest layer, in the order of being set.
    pub(crate) overrides: Vec<Override>,
    pub(crate) max_file_size: u64,
    pub(crate) backups_kept: usize,
    /// How long a handler, a check or a decode may take.
    pub(crate) time_limit: Duration,
    /// Poll at this interval instead of asking the operating system.
    pub(crate) poll: Option<Duration>,
    /// How often everything is compared with what is known, in case nobody told of a change.
    pub(crate) reconcile: Duration,
    /// How many notices at a time are believed to be all there were.
    pub(crate) queue_limit: usize,
    pub(crate) allow_any_root: bool,
    /// Where the control socket is opened, relative to the root, if it is.
    pub(crate) control: Option<PathBuf>,
    /// The JSON Schemas that are exported, by configuration.
    pub(crate) schemas: BTreeMap<String, Value>,
    /// Whether good generations are written down.
    pub(crate) keeps_history: bool,
    /// How many of them for each configuration, and how many bytes.
    pub(crate) revisions_kept: usize,
    pub(crate) history_bytes: u64,
    /// What to do at the start with a configuration that is not good.
    pub(crate) start_policy: StartPolicy,
    /// How long a generation is in use before a crash is none of its doing.
    pub(crate) trusted_after: Duration,
    /// Whether SIGHUP is as good as a call of `reload_now`.
    pub(crate) reload_on_sighup: bool,
    /// For how long health checks are made after a change.
    pub(crate) probation: Option<Probation>,
    /// Where the layer of a shared store lies, if there is one.
    pub(crate) remote: Option<RemoteLayer>,
    /// What code states of fields, whatever the order in which it does.
    pub(crate) fields: BTreeSet<Declared>,
}

/// Without what code sets of configurations, some of which may be secret.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            config: HotReloadConfig::default(),
            settle: Duration::from_millis(2),
            environment: None,
            env_prefix: None,
            defaults: BTreeMap::new(),
            secrets_dir: None,
            dotenv: None,
            overrides: Vec::new(),
            max_file_size: 16 * 1024 * 1024,
            backups_kept: 20,
            time_limit: Duration::from_secs(10),
            poll: None,
            reconcile: Duration::from_secs(30),
            queue_limit: usize::MAX,
            allow_any_root: false,
            control: None,
            schemas: BTreeMap::new(),
            keeps_history: true,
            revisions_kept: 50,
            history_bytes: 16 * 1024 * 1024,
            start_policy: StartPolicy::default(),
            trusted_after: Duration::from_secs(60),
            reload_on_sighup: false,
            probation: None,
            remote: None,
            fields: BTreeSet::new(),
        }
    }
}

impl Settings {
    /// What the history depends on.
    pub(crate) fn history(&self) -> (bool, usize, u64, StartPolicy) {
        (self.keeps_history, self.revisions_kept, self.history_bytes, self.start_policy)
    }

    /// Which file is which layer.
    pub(crate) fn routes(&self) -> Routes {
        Routes::new(self.environment()).with_remote(self.remote)
    }

    /// What of the root is wanted.
    pub(crate) fn interest(&self) -> Result<Interest> {
        let interest = Interest::new(&self.config.watch_patterns, &self.config.exclude_patterns)?;
        Ok(interest.with_remote(self.remote.is_some()))
    }

    /// The debounce window.
    pub(crate) fn window(&self) -> Duration {
        Duration::from_millis(self.config.debounce_ms).min(LONGEST)
    }

    /// The environment whose layer applies: as set, else from the first variable that is, else `development`.
    pub(crate) fn environment(&self) -> String {
        let from_variables = || {
            ["WORKSPACE_ENV", "APP_ENV", "ENVIRONMENT", "ENV"]
                .into_iter()
                .filter_map(|name| std::env::var(name).ok())
                .find(|value| is_environment(value))
        };
        self.environment.clone().or_else(from_variables).unwrap_or_else(|| "development".into())
    }
}

/// Whether a text can be the middle of `app.{environment}.toml`. A shell's `ENV=~/.shrc` cannot.
pub(crate) fn is_environment(text: &str) -> bool {
    !text.is_empty() && !text.contains(['/', '\\', '.', '\0'])
}
