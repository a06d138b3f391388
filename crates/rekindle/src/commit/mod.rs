//! Commit: what was verified becomes what is in use, all at once.
//!
//! In: [`Verified`] configurations. Out: a new generation in [`Committed`], and the list of what it
//! changed. The bytes that a generation replaces are kept by [`backup`].

pub(crate) mod atomic;
pub(crate) mod backup;
mod fingerprint;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

use crate::load::{Candidate, Origin};
use crate::propagate::Ready;
use crate::validate::{Secrets, Verified};

/// The permissions of a mode; where the system has none, or none is known, those of a directory's file.
pub(crate) fn permissions_of(
    mode: Option<u32>,
    beside: &std::path::Path,
) -> std::io::Result<std::fs::Permissions> {
    #[cfg(unix)]
    if let Some(mode) = mode {
        return Ok(std::os::unix::fs::PermissionsExt::from_mode(mode));
    }
    let _ = mode;
    std::fs::metadata(beside).map(|metadata| metadata.permissions())
}

/// The configurations in use, and the number of their generation.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    generation: u64,
    configs: HashMap<String, InUse>,
}

/// A configuration in use.
#[derive(Debug)]
struct InUse {
    config: Arc<Candidate>,
    /// The generation that its value is from.
    since: u64,
}

/// What a commit replaced.
#[derive(Debug)]
pub(crate) struct Replaced {
    pub(crate) old: Option<Arc<Candidate>>,
    pub(crate) new: Arc<Candidate>,
}

/// A commit that has been made and is to be handed on.
#[derive(Debug)]
pub(crate) struct Commit {
    /// The generation it made, or the one there was when every value stayed the same.
    pub(crate) generation: u64,
    /// Configurations whose value changed.
    pub(crate) changed: Vec<Replaced>,
    /// Configurations that are gone.
    pub(crate) removed: Vec<Arc<Candidate>>,
    pub(crate) ready: Vec<Box<dyn Ready>>,
}

impl Committed {
    fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Swaps the verified configurations in and takes those out that are `gone`, as one generation.
    /// Nothing in here can fail.
    pub(crate) fn commit(&self, verified: Vec<Verified>, gone: &[String]) -> Commit {
        let (candidates, mut ready): (Vec<_>, Vec<_>) =
            verified.into_iter().map(Verified::into_parts).unzip();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let next = state.generation + 1;
        let mut changed = Vec::new();
        for new in candidates.into_iter().flatten() {
            let old = state.configs.remove(&new.name);
            let same = old.as_ref().filter(|old| old.config.value == new.value);
            let since = same.map_or(next, |old| old.since);
            let is_new = same.is_none();
            state.configs.insert(new.name.clone(), InUse { config: Arc::clone(&new), since });
            if is_new {
                changed.push(Replaced { old: old.map(|old| old.config), new });
            }
        }
        let removed: Vec<_> = gone.iter().filter_map(|name| state.configs.remove(name)).collect();
        if !(changed.is_empty() && removed.is_empty()) {
            state.generation = next;
        }
        let generation = state.generation;
        drop(state);
        // Below the lock: what is dropped here may run the user's code.
        let concerned = |ready: &dyn Ready| {
            let differs = |Replaced { old, new }: &Replaced| {
                ready.concerns(&new.name, old.as_ref().map(|old| &old.value), Some(&new.value))
            };
            changed.iter().any(differs)
                || gone.iter().any(|name| ready.concerns(name, Some(&Value::Null), None))
        };
        let ready = ready.drain(..).flatten().filter(|ready| concerned(&**ready)).collect();
        let removed = removed.into_iter().map(|removed| removed.config).collect();
        Commit { generation, changed, removed, ready }
    }

    /// The configuration in use under a name.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Candidate>> {
        self.read(|state| state.configs.get(name).map(|in_use| Arc::clone(&in_use.config)))
    }

    /// The generation that a configuration's value is from.
    pub(crate) fn since(&self, name: &str) -> Option<u64> {
        self.read(|state| state.configs.get(name).map(|in_use| in_use.since))
    }

    /// The number of the last generation.
    pub(crate) fn generation(&self) -> u64 {
        self.read(|state| state.generation)
    }

    /// Some configurations of one generation.
    pub(crate) fn pick(&self, names: &[String]) -> Picked {
        self.read(|state| {
            let find = |name: &String| state.configs.get(name).map(|in_use| Arc::clone(&in_use.config));
            let configs = names.iter().filter_map(find).collect();
            Picked { version: state.generation, configs }
        })
    }

    /// All configurations of one generation.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.read(|state| {
            let config = |(name, in_use): (&String, &InUse)| (name.clone(), Arc::clone(&in_use.config));
            Snapshot { generation: state.generation, configs: state.configs.iter().map(config).collect() }
        })
    }
}

/// Configurations of one generation, by name.
#[derive(Debug)]
pub(crate) struct Picked {
    pub(crate) version: u64,
    configs: Vec<Arc<Candidate>>,
}

impl Picked {
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Candidate>> {
        self.configs.iter().find(|config| config.name == name).cloned()
    }
}

/// All configurations as they were in one generation: never half of one.
///
/// ```
/// # use rekindle::{prelude::*, testing::create_test_workspace_with_structure};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let (_dir, ws) = create_test_workspace_with_structure();
/// # std::fs::write(ws.config_dir().join("app.toml"), "[server]\nport = 80")?;
/// let manager = ws.start_hot_reload().await?;
/// let snapshot = manager.snapshot();
/// assert_eq!(snapshot.get("app").unwrap()["server"]["port"], 80);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Snapshot {
    generation: u64,
    configs: HashMap<String, Arc<Candidate>>,
}

impl Snapshot {
    /// The number of the generation; it rises by one with every batch that changed something.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The merged value of a configuration.
    pub fn get(&self, config_name: &str) -> Option<&Value> {
        self.configs.get(config_name).map(|config| &config.value)
    }

    /// What of a configuration is secret, by a [rule](crate::HotReloadBuilder::secret) or because the
    /// [secrets directory](crate::HotReloadBuilder::secrets_dir) sets it, for whoever shows its value.
    pub fn secrets(&self, config_name: &str) -> Secrets {
        self.configs.get(config_name).map(|config| config.secrets()).unwrap_or_default()
    }

    /// The names of all configurations, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.configs.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Where the value under a JSON pointer (`/server/port`, `` for all) is from: the strongest layer that
    /// has it. A table that several layers add to is from the strongest of them. `None` where there is
    /// no such value.
    pub fn origin(&self, config_name: &str, pointer: &str) -> Option<Origin> {
        self.configs.get(config_name)?.origin(pointer)
    }

    /// What each layer says under a JSON pointer, the strongest first: the first is the one that counts,
    /// of tables all that do not contradict it, and the others are what it overrode. Secrets are shown.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> rekindle::Result<()> {
    /// # let root = tempfile::tempdir()?;
    /// # std::fs::create_dir(root.path().join("config"))?;
    /// std::fs::write(root.path().join("config/app.toml"), "port = 80")?;
    /// std::fs::write(root.path().join("config/app.local.toml"), "port = 81")?;
    /// let manager = rekindle::HotReload::builder(root.path()).start().await?;
    /// let layers = manager.snapshot().layers("app", "/port");
    /// let shown: Vec<_> = layers.iter().map(|(origin, value)| format!("{value} from {origin}")).collect();
    /// assert_eq!(shown, ["81 from config/app.local.toml:1:8", "80 from config/app.toml:1:8"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn layers(&self, config_name: &str, pointer: &str) -> Vec<(Origin, Value)> {
        let config = self.configs.get(config_name).into_iter();
        let said = config.flat_map(|config| config.saying(pointer));
        said.map(|(origin, node)| (origin, node.to_value())).collect()
    }

    /// A short text that is equal where all values are, whatever files and layers they are from: by it two
    /// instances compare what they run with. It is safe to log: of a secret it says only where one is.
    ///
    /// It is the SHA-256, in 64 lower-case hexadecimal digits, of this text in UTF-8: one JSON object
    /// with the value of each configuration under its name, in which
    ///
    /// - no blanks stand between the tokens, and the members of every object are sorted by the bytes of
    ///   their keys in UTF-8;
    /// - `"` and `\` in a text are escaped by `\`, the control characters below U+0020 are `\b`, `\t`,
    ///   `\n`, `\f`, `\r` or `\u00` and two lower-case digits, and every other character is itself;
    /// - integers are plain digits; a float has the fewest digits that read as it again, as a decimal with
    ///   a digit behind the point from 0.00001 to below 1e16 (`80.0`, `-0.5`), else with an exponent that
    ///   has its sign (`1e+16`, `1.5e-7`);
    /// - in the place of every value that is [secret](Self::secrets) there is `***`, without quotes.
    pub fn fingerprint(&self) -> String {
        fingerprint::of_all(
            self.configs.iter().map(|(name, config)| (name.as_str(), &config.value, config.secrets())),
        )
    }

    /// The [fingerprint](Self::fingerprint) of one configuration: of the text of its value alone.
    pub fn fingerprint_of(&self, config_name: &str) -> Option<String> {
        let config = self.configs.get(config_name)?;
        Some(fingerprint::of_value(&config.value, &config.secrets()))
    }
}
