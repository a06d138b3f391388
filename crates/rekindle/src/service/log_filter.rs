//! [`LogFilter`]: what is logged, as the configuration says.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::reload;

use super::place::point;
use crate::error::{Error, ErrorKind, Result};
use crate::event::ChangeEvent;
use crate::manager::HotReloadManager;
use crate::propagate::{Candidate, Registration, ReloadHandler};

/// What is logged where the configuration does not say.
const DEFAULT: &str = "info";

/// Keeps a filter of `tracing` at what a configuration says: `"debug"`, or `"warn,my_server=trace"`.
///
/// A filter that makes no sense refuses the change. Where the configuration says nothing the
/// [default](Self::default_filter) applies.
///
/// ```
/// # use rekindle::{prelude::*, testing::create_test_workspace_with_structure};
/// use rekindle::service::LogFilter;
/// use tracing_subscriber::{EnvFilter, Registry, prelude::*, reload};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let (_dir, ws) = create_test_workspace_with_structure();
/// let (filter, handle) = reload::Layer::new(EnvFilter::new("info"));
/// let subscriber = Registry::default().with(filter).with(tracing_subscriber::fmt::layer());
/// # let _in_use =
/// tracing::subscriber::set_default(subscriber);
///
/// std::fs::write(ws.config_dir().join("app.toml"), "[log]\nlevel = 'warn'")?;
/// let manager = ws.start_hot_reload().await?;
/// LogFilter::new(handle.clone()).start(&manager, "app", "/log/level").await?;
/// assert_eq!(handle.clone_current().expect("it is in use").to_string(), "warn");
///
/// let generation = manager.snapshot().generation();
/// let receipt = manager.update("app", generation, Patch::set("/log/level", "inof")).await?;
/// assert!(receipt.refusals()[0].error.to_string().contains("`inof` is no level"));
/// # Ok(())
/// # }
/// ```
///
/// The value is one of `off`, `error`, `warn`, `info`, `debug` and `trace`, or a list of directives as
/// [`EnvFilter`] has them. A single word that is no level would be a target to it, and silence all others;
/// it is refused: `my_server=trace` says that, too.
pub struct LogFilter<S> {
    handle: reload::Handle<EnvFilter, S>,
    default: String,
    name: String,
    pointer: String,
    /// The generation that was applied last.
    applied: Mutex<u64>,
}

impl<S: 'static> LogFilter<S> {
    /// Of the filter behind this handle.
    pub fn new(handle: reload::Handle<EnvFilter, S>) -> Self {
        Self {
            handle,
            default: DEFAULT.to_owned(),
            name: "log filter".to_owned(),
            pointer: String::new(),
            applied: Mutex::new(0),
        }
    }

    /// What is logged where the configuration does not say. Default: `info`.
    #[must_use]
    pub fn default_filter(mut self, filter: impl Into<String>) -> Self {
        self.default = filter.into();
        self
    }

    /// Names it, for refusals. Default: `log filter`.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Applies what stands at a JSON pointer in a configuration, now and at each change of it.
    ///
    /// # Errors
    ///
    /// Those of [`watch_at`](HotReloadManager::watch_at); [`ErrorKind::Check`] for a filter that makes no
    /// sense, with file, line and column; [`ErrorKind::Stopped`] when the subscriber is gone.
    pub async fn start(mut self, manager: &HotReloadManager, config_name: &str, pointer: &str) -> Result<()> {
        // The engine has the configuration in use from here on; its type is looked at here.
        drop(manager.watch_at::<Option<String>>(config_name, pointer).await?);
        pointer.clone_into(&mut self.pointer);
        parsed(&self.default).map_err(|message| Error::new(ErrorKind::Check, message))?;
        let me = Arc::new(self);
        me.take_up(manager, config_name)?;
        let registration = Registration::new(Arc::clone(&me)).named(&me.name).at(config_name, pointer);
        manager.register(registration)?;
        // What changed before it was told of changes.
        me.take_up(manager, config_name)
    }

    /// Applies what is in use.
    fn take_up(&self, manager: &HotReloadManager, config_name: &str) -> Result<()> {
        let snapshot = manager.snapshot();
        let whole = snapshot.get(config_name).unwrap_or(&Value::Null);
        self.apply(whole, snapshot.generation()).map_err(|error| point(error, manager, config_name))
    }

    /// The filter that a configuration's value says.
    fn filter(&self, whole: &Value) -> Result<EnvFilter> {
        let text = match whole.pointer(&self.pointer) {
            None | Some(Value::Null) => &self.default,
            Some(Value::String(text)) => text,
            Some(other) => {
                let message = format!("{other} is no filter of the log: a text is expected");
                return Err(Error::new(ErrorKind::Check, message).about(&self.pointer));
            }
        };
        parsed(text).map_err(|message| Error::new(ErrorKind::Check, message).about(&self.pointer))
    }

    /// Applies what a generation says, unless a newer one has been applied.
    fn apply(&self, whole: &Value, generation: u64) -> Result<()> {
        let filter = self.filter(whole)?;
        let mut applied = self.applied.lock().unwrap_or_else(PoisonError::into_inner);
        if generation < *applied {
            return Ok(());
        }
        *applied = generation;
        let gone = |cause: reload::Error| Error::new(ErrorKind::Stopped, cause.to_string()).because(cause);
        self.handle.reload(filter).map_err(gone)
    }
}

/// A filter, or what is wrong with it.
fn parsed(text: &str) -> Result<EnvFilter, String> {
    let text = text.trim();
    let is_word = !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    if is_word && text.parse::<LevelFilter>().is_err() {
        return Err(format!("`{text}` is no level; off, error, warn, info, debug and trace are"));
    }
    EnvFilter::try_new(text).map_err(|fault| format!("`{text}` is no filter of the log: {fault}"))
}

#[async_trait]
impl<S: 'static> ReloadHandler for LogFilter<S> {
    fn can_handle(&self, event: &ChangeEvent) -> bool {
        matches!(event, ChangeEvent::ConfigChanged { .. })
    }

    async fn prepare(&self, candidate: &Candidate) -> Result<()> {
        self.filter(candidate.new_value()).map(drop)
    }

    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        match event {
            ChangeEvent::ConfigChanged { new_value, generation, .. } => self.apply(&new_value, generation),
            _ => Ok(()),
        }
    }
}

impl<S> fmt::Debug for LogFilter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogFilter")
            .field("default", &self.default)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
