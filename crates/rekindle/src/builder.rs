//! [`HotReload::builder`]: an engine for any directory, with every option there is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::config::{HotReloadConfig, LONGEST, Settings, is_environment};
use crate::control::DEFAULT_PLACE;
use crate::engine::{HealthCheck, Parts, Probation, StartPolicy};
use crate::error::{Error, ErrorKind, Result};
use crate::load::Override;
use crate::manager::HotReloadManager;
use crate::propagate::{Registration, ReloadHandler};
use crate::registry;
use crate::route::{Patterns, RemoteLayer, check_name};
use crate::validate::{Check, Declared, Rule};

/// Hot reload for a program that does not use `workspace_tools`, or wants more than its five settings.
#[derive(Debug)]
pub struct HotReload;

impl HotReload {
    /// Begins an engine for `root`: the directory that holds `config/`, `templates/` and so on.
    ///
    /// ```
    /// use rekindle::{Error, ErrorKind, HotReload};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> rekindle::Result<()> {
    /// # let root = tempfile::tempdir()?;
    /// # std::fs::create_dir(root.path().join("config"))?;
    /// # std::fs::write(root.path().join("config/pool.toml"), "workers = 4")?;
    /// let manager = HotReload::builder(root.path())
    ///     .environment("production")
    ///     .check("pool", |pool| match pool["workers"].as_u64() {
    ///         Some(2..) => Ok(()),
    ///         _ => Err(Error::new(ErrorKind::Check, "needs at least 2 workers").about("/workers")),
    ///     })
    ///     .start()
    ///     .await?;
    /// assert_eq!(manager.snapshot().get("pool").unwrap()["workers"], 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(root: impl AsRef<Path>) -> HotReloadBuilder {
        HotReloadBuilder {
            root: root.as_ref().to_path_buf(),
            settings: Settings::default(),
            stated: false,
            parts: Parts::default(),
            faults: Vec::new(),
        }
    }
}

/// The options of an engine. From [`HotReload::builder`].
#[derive(Debug)]
#[must_use = "nothing is watched until `start`"]
pub struct HotReloadBuilder {
    root: PathBuf,
    settings: Settings,
    /// Whether any option was set. Without one, an engine that runs already is joined as it is.
    stated: bool,
    parts: Parts,
    /// What `start` will refuse.
    faults: Vec<Error>,
}

impl HotReloadBuilder {
    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self.stated = true;
        self
    }

    /// The five settings of the specification, at once.
    pub fn config(self, config: HotReloadConfig) -> Self {
        self.set(|settings| settings.config = config)
    }

    /// Watches these globs instead of the default ones.
    pub fn watch<S: Into<String>>(self, patterns: impl IntoIterator<Item = S>) -> Self {
        self.set(|settings| settings.config.watch_patterns = patterns.into_iter().map(Into::into).collect())
    }

    /// Leaves these globs out instead of the default ones.
    pub fn exclude<S: Into<String>>(self, patterns: impl IntoIterator<Item = S>) -> Self {
        self.set(|settings| settings.config.exclude_patterns = patterns.into_iter().map(Into::into).collect())
    }

    /// The longest that something unfinished is waited for. Default: 500 ms, in whole milliseconds; at
    /// most a day, as all waits are.
    pub fn debounce(self, window: Duration) -> Self {
        self.set(|settings| {
            settings.config.debounce_ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        })
    }

    /// How long after a finished write others are waited for that belong to the same save. Default:
    /// 2 ms. With 0 a change is seen soonest, and a save of several files may be several generations.
    pub fn settle(self, quiet: Duration) -> Self {
        self.set(|settings| settings.settle = quiet.min(LONGEST))
    }

    /// Whether schemas and custom checks are held against a change. Default: true.
    pub fn validate(self, validate: bool) -> Self {
        self.set(|settings| settings.config.validate_before_reload = validate)
    }

    /// Whether the bytes that a change replaces are kept, and how many backups per file (at least 1).
    /// Default: no; 20.
    pub fn backup(self, backup: bool, keep: usize) -> Self {
        self.set(|settings| {
            settings.config.backup_on_change = backup;
            settings.backups_kept = keep.max(1);
        })
    }

    /// The environment whose layer applies (`app.{environment}.toml`). Default: the first of
    /// `WORKSPACE_ENV`, `APP_ENV`, `ENVIRONMENT` and `ENV` that is set, else `development`.
    pub fn environment(self, environment: impl Into<String>) -> Self {
        self.set(|settings| settings.environment = Some(environment.into()))
    }

    /// Takes what a shared store says as a layer of the configurations. Default: none.
    ///
    /// It is handed in by [`HotReloadManager::apply_remote`](crate::HotReloadManager::apply_remote), by hand or
    /// by an instance of `rekindle-cluster`. What was good last lies in `data/rekindle/remote`, where only the
    /// user of the program may read it, so that the program starts as it was when the store cannot be reached.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> rekindle::Result<()> {
    /// # let root = tempfile::tempdir()?;
    /// # std::fs::create_dir(root.path().join("config"))?;
    /// use rekindle::{HotReload, RemoteDocument, RemoteLayer};
    ///
    /// std::fs::write(root.path().join("config/app.toml"), "port = 80\nhost = 'localhost'")?;
    /// let manager = HotReload::builder(root.path()).remote_layer(RemoteLayer::AboveFiles).start().await?;
    /// let receipt = manager.apply_remote(vec![RemoteDocument::new("app", "toml", "port = 8080")]).await?;
    /// assert!(receipt.is_applied());
    /// let snapshot = manager.snapshot();
    /// assert_eq!(snapshot.origin("app", "/port").unwrap().to_string(), "data/rekindle/remote/app.toml:1:8");
    /// # Ok(())
    /// # }
    /// ```
    pub fn remote_layer(self, place: RemoteLayer) -> Self {
        self.set(|settings| settings.remote = Some(place))
    }

    /// Takes environment variables as a layer over the files. Default: none.
    ///
    /// With the prefix `MY`, `MY_APP__SERVER__PORT=80` sets `/server/port` of the configuration `app`.
    /// A text that is JSON (a number, `true`, a list) is taken as that, unless it replaces a text. Where
    /// the keys lead into a list, a number is the place in it.
    pub fn env_prefix(self, prefix: impl Into<String>) -> Self {
        self.set(|settings| settings.env_prefix = Some(prefix.into()))
    }

    /// Gives a configuration its weakest layer: what it has where nothing else sets it. Default: none.
    ///
    /// The configuration then exists without any file, and one that appears is merged over it. When the
    /// last file is deleted, the defaults are what is left. Of defaults given twice the later count.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> rekindle::Result<()> {
    /// # let root = tempfile::tempdir()?;
    /// #[derive(serde::Serialize)]
    /// struct Pool {
    ///     workers: u32,
    /// }
    ///
    /// let builder = rekindle::HotReload::builder(root.path()).defaults("pool", Pool { workers: 4 });
    /// assert_eq!(builder.start().await?.snapshot().get("pool").unwrap()["workers"], 4);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`start`](Self::start) refuses what does not serialize to a table.
    pub fn defaults(mut self, config_name: impl Into<String>, value: impl Serialize) -> Self {
        let config_name = config_name.into();
        match as_table(&config_name, value) {
            Ok(value) => self.set(|settings| drop(settings.defaults.insert(config_name, value))),
            Err(fault) => {
                self.faults.push(fault);
                self
            }
        }
    }

    /// Takes the files of a directory as a layer over the configurations' own files, a value each, as
    /// Docker and Kubernetes mount secrets. Default: none; a relative path is relative to the root.
    ///
    /// `APP__DB__PASSWORD` or `app__db__password` is `/db/password` of `app`. The content, without the
    /// newline that ends it, is a text, unless it replaces a number, a flag, a list or a table that it can
    /// be read as. Names that begin with a dot are left out. A directory that is not there yet is waited
    /// for. A file that cannot be read, is not UTF-8 or has more than 1 MiB refuses the change of its
    /// configuration, as a broken file of its own does.
    ///
    /// What is set from here is secret: see [`Snapshot::secrets`](crate::Snapshot::secrets).
    pub fn secrets_dir(self, directory: impl Into<PathBuf>) -> Self {
        self.set(|settings| settings.secrets_dir = Some(directory.into()))
    }

    /// Takes the lines of a dotenv file as a layer below the environment variables, under the same names:
    /// those with the [`env_prefix`](Self::env_prefix), or without one if none is set
    /// (`APP__SERVER__PORT=80`). Default: none; a relative path is relative to the root.
    ///
    /// It knows comments, `export`, `'literal'` and `"escaped: \n \t \" \\ \$"` values, in quotes over
    /// several lines; `$NAME` is not expanded. The process's environment is not touched. A file that is
    /// not there yet is waited for. One that is broken, or has more than 1 MiB, refuses every change until
    /// it is mended: nobody knows what it was to say.
    pub fn dotenv(self, file: impl Into<PathBuf>) -> Self {
        self.set(|settings| settings.dotenv = Some(file.into()))
    }

    /// Sets a value over every other layer, by its JSON pointer. Default: none; the later counts.
    ///
    /// [`start`](Self::start) refuses a malformed name or pointer.
    pub fn set_override(
        self,
        config_name: impl AsRef<str>,
        pointer: impl AsRef<str>,
        value: impl Into<Value>,
    ) -> Self {
        let made = Override::at(config_name.as_ref(), pointer.as_ref(), value.into());
        self.over(made)
    }

    /// Sets values over every other layer, from arguments of a command line: `NAME.KEY.KEY=VALUE`, as in
    /// `app.server.port=80` or `sub/app.hosts=["a","b"]`. Values are typed as those of
    /// [environment variables](Self::env_prefix) are. A key that holds a dot takes
    /// [`set_override`](Self::set_override).
    ///
    /// [`start`](Self::start) refuses a malformed argument, without telling its value.
    pub fn override_args<S: AsRef<str>>(self, arguments: impl IntoIterator<Item = S>) -> Self {
        arguments.into_iter().fold(self, |builder, argument| builder.over(Override::parse(argument.as_ref())))
    }

    fn over(mut self, made: Result<Override>) -> Self {
        match made {
            Ok(made) => self.set(|settings| settings.overrides.push(made)),
            Err(fault) => {
                self.faults.push(fault);
                self
            }
        }
    }

    /// The largest configuration file to read, in bytes. Default: 16 MiB.
    pub fn max_file_size(self, bytes: u64) -> Self {
        self.set(|settings| settings.max_file_size = bytes)
    }

    /// How long a handler, a check or a decoding may take before that is reported. Default: 10 s.
    pub fn time_limit(self, limit: Duration) -> Self {
        self.set(|settings| settings.time_limit = limit.min(LONGEST))
    }

    /// Adds a health check that asks a URL: any answer but one of 200 to 299 within 5 s is a failure.
    ///
    /// It is `http://` alone, as a program asks it of itself on its own machine.
    #[cfg(feature = "health-http")]
    pub fn health_url(self, url: impl Into<String>) -> Self {
        let url = url.into();
        let check = crate::engine::url_check(&url);
        self.health_check(url, check)
    }

    /// Looks at the files at this interval instead of asking the operating system, for mounts that
    /// tell of no changes (NFS, some container mounts).
    pub fn poll(self, interval: Duration) -> Self {
        self.set(|settings| settings.poll = Some(interval.clamp(Duration::from_millis(10), LONGEST)))
    }

    /// How often everything is compared with what is known, in case nothing told of a change. Default:
    /// 30 s; at least 100 ms. It only asks for sizes and times, and in small pieces. What it catches is
    /// counted in [`Status::reconciled`](crate::Status::reconciled).
    pub fn reconcile(self, interval: Duration) -> Self {
        self.set(|settings| settings.reconcile = interval.clamp(Duration::from_millis(100), LONGEST))
    }

    /// Holds the system's queue of notifications to have overflowed when it gives more than this many at
    /// a time. Only tests have a use for it.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    pub fn queue_limit(self, notices: usize) -> Self {
        self.set(|settings| settings.queue_limit = notices)
    }

    /// Allows `/` and a home directory as the root, which are refused otherwise. Default: false.
    pub fn allow_any_root(self, allow: bool) -> Self {
        self.set(|settings| settings.allow_any_root = allow)
    }

    /// States that a change of a field takes a restart: the field keeps its running value, the rest of
    /// the change is applied, and [`ConfigStatus::pending`](crate::ConfigStatus::pending) shows both
    /// values until the program starts anew or the file says again what is in use.
    ///
    /// `pointer` is a JSON pointer in which a step `*` stands for any key or index. What comes and goes as
    /// a whole, an element of a list or an entry of a table that `*` stands for, is applied. Both what is
    /// on disk and what is used instead have to be valid.
    ///
    /// The schema of a configuration states the same with `"x-rekindle": "restart"` in the subschema of a
    /// field, and likewise `"immutable"`, `"secret"`, or a list of these.
    ///
    /// ```
    /// # use rekindle::{Error, HotReload};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> rekindle::Result<()> {
    /// # let root = tempfile::tempdir()?;
    /// # std::fs::create_dir(root.path().join("config"))?;
    /// let file = root.path().join("config/app.toml");
    /// std::fs::write(&file, "port = 80\nname = 'a'")?;
    /// let manager = HotReload::builder(root.path()).restart("app", "/port").start().await?;
    /// std::fs::write(&file, "port = 81\nname = 'b'")?;
    /// manager.reload_now().await?;
    /// assert_eq!(manager.snapshot().get("app").unwrap().to_string(), r#"{"name":"b","port":80}"#);
    /// let pending = &manager.status().configs["app"].pending[0];
    /// assert_eq!((pending.pointer.as_str(), &pending.on_disk), ("/port", &Some(81.into())));
    /// # Ok(())
    /// # }
    /// ```
    pub fn restart(self, config_name: impl Into<String>, pointer: impl Into<String>) -> Self {
        self.declare(config_name.into(), Rule::Restart, pointer.into())
    }

    /// States that a field must not change while the program runs: a change that adds it, removes it or
    /// gives it another value is refused as a whole, with [`ErrorKind::Immutable`].
    ///
    /// `pointer` is as for [`restart`](Self::restart).
    pub fn immutable(self, config_name: impl Into<String>, pointer: impl Into<String>) -> Self {
        self.declare(config_name.into(), Rule::Immutable, pointer.into())
    }

    /// States that a field is secret: errors, the status, the log, the `Debug` of events and the command
    /// line show `***` in its place. Streams, handlers and snapshots have the true value, and
    /// [`Secrets`](crate::Secrets) for whoever shows it on.
    ///
    /// `pointer` is as for [`restart`](Self::restart).
    pub fn secret(self, config_name: impl Into<String>, pointer: impl Into<String>) -> Self {
        self.declare(config_name.into(), Rule::Secret, pointer.into())
    }

    fn declare(self, config: String, rule: Rule, pointer: String) -> Self {
        self.set(|settings| {
            settings.fields.insert(Declared { config, rule, pointer });
        })
    }

    /// Adds a check of a configuration's merged value. What it refuses is not applied; an error that is
    /// [`about`](Error::about) a pointer shows the line of that value.
    ///
    /// It runs on a thread of the engine's and may block, for as long as the time limit.
    pub fn check<F>(mut self, config_name: impl Into<String>, check: F) -> Self
    where
        F: Fn(&Value) -> Result<()> + Send + Sync + 'static,
    {
        let name = config_name.into();
        let of_it = name.clone();
        let run = move |values: &BTreeMap<&str, &Value>| {
            values.get(of_it.as_str()).map_or(Ok(()), |value| check(value))
        };
        self.parts.checks.push(Arc::new(Check { configs: vec![name], run: Box::new(run) }));
        self
    }

    /// Adds a check of several configurations together: they are judged together, and applied or refused
    /// together. It is given the merged value of each that exists, by name.
    ///
    /// A change of one that does not fit the others is refused, and is looked at again once one of the
    /// others has changed. An error that is [`of_config`](Error::of_config) one of them shows its line.
    ///
    /// ```
    /// use rekindle::{Error, ErrorKind, HotReload};
    ///
    /// let builder = HotReload::builder("/srv/shop").check_all(["app", "database"], |values| {
    ///     let (Some(app), Some(database)) = (values.get("app"), values.get("database")) else { return Ok(()) };
    ///     if app["pool"].as_u64() <= database["connections"].as_u64() {
    ///         return Ok(());
    ///     }
    ///     let refusal = Error::new(ErrorKind::Check, "more than the database allows");
    ///     Err(refusal.of_config("app").about("/pool"))
    /// });
    /// ```
    pub fn check_all<S, F>(mut self, config_names: impl IntoIterator<Item = S>, check: F) -> Self
    where
        S: Into<String>,
        F: Fn(&BTreeMap<&str, &Value>) -> Result<()> + Send + Sync + 'static,
    {
        let configs = config_names.into_iter().map(Into::into).collect();
        self.parts.checks.push(Arc::new(Check { configs, run: Box::new(check) }));
        self
    }

    /// Registers a handler, as [`HotReloadManager::register_handler`] does.
    pub fn handler<H>(mut self, handler: H) -> Self
    where
        H: ReloadHandler + 'static,
    {
        self.parts.handlers.push(Registration::new(handler));
        self
    }

    /// Registers a handler with a name, an order, a weight, or for a part of a configuration only. What is
    /// wrong with it is an error of [`start`](Self::start).
    pub fn register(mut self, registration: Registration) -> Self {
        self.parts.handlers.push(registration);
        self
    }

    /// Whether the program answers questions from outside, through a Unix socket at
    /// `data/rekindle/control.sock` below the root: the command line (`rekindle status`, `get`, `set`
    /// and so on) asks there. Default: false.
    ///
    /// Nobody but root and the user that the program runs as may ask, and no secret is told. Where the socket
    /// cannot be opened the program runs all the same, and [`Status::control_failure`](crate::Status::control_failure)
    /// says why. Of several processes with one root the first has it, and another takes over when that ends.
    pub fn control_socket(self, open: bool) -> Self {
        self.set(|settings| settings.control = open.then(|| DEFAULT_PLACE.into()))
    }

    /// As [`control_socket`](Self::control_socket), with the socket at this path: absolute, or relative to
    /// the root. Its directory is made if only that is missing, for nobody but the owner. A file beside
    /// the socket, with `.lock` behind its name, stays.
    pub fn control_socket_at(self, path: impl Into<PathBuf>) -> Self {
        self.set(|settings| settings.control = Some(path.into()))
    }

    /// Exports the JSON Schema of the type that a configuration is decoded into: the
    /// [control socket](Self::control_socket) tells it, and `rekindle schema app --write` writes it to
    /// `config/app.schema.json`, where editors find it and changes are held against it. See
    /// [`schema_for`](crate::schema_for).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> rekindle::Result<()> {
    /// # let root = tempfile::tempdir()?;
    /// # std::fs::create_dir(root.path().join("config"))?;
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct App {
    ///     port: u16,
    /// }
    ///
    /// let manager = rekindle::HotReload::builder(root.path()).schema_of::<App>("app").start().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "schemars")]
    pub fn schema_of<T: schemars::JsonSchema>(mut self, config_name: impl Into<String>) -> Self {
        let name = config_name.into();
        self.faults.extend(check_name(&name).err());
        self.set(|settings| drop(settings.schemas.insert(name, crate::schema_for::<T>())))
    }

    /// Whether every good generation is kept below `data/rekindle/history/`, from where
    /// [`HotReloadManager::rollback`] brings it back. Default: true. The files hold what the
    /// configurations hold, secrets among it; nobody but the user of the program may read them.
    pub fn history(self, keep: bool) -> Self {
        self.set(|settings| settings.keeps_history = keep)
    }

    /// How many revisions of each configuration the history keeps, and how many bytes of them. The newest
    /// good one is kept whatever its size. Default: 50, and 16 MiB. Up to an eighth more may be there for a
    /// while, since the oldest are removed several at a time.
    pub fn history_limits(self, revisions: usize, bytes: u64) -> Self {
        self.set(|settings| {
            settings.revisions_kept = revisions.max(1);
            settings.history_bytes = bytes;
        })
    }

    /// What to do at the start with a configuration that is not good. Default:
    /// [`StartPolicy::KeepLastGood`]. Going back to the last good one needs the history.
    pub fn start_policy(self, policy: StartPolicy) -> Self {
        self.set(|settings| settings.start_policy = policy)
    }

    /// How long a generation is in use before a crash is none of its doing. Only tests have a use for it.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    pub fn trusted_after(self, time: Duration) -> Self {
        self.set(|settings| settings.trusted_after = time)
    }

    /// Puts every change on probation: for some time [health checks](Self::health_check) are made, and
    /// when they fail the change is undone. Default: none.
    pub fn probation(self, probation: Probation) -> Self {
        self.set(|settings| settings.probation = Some(probation))
    }

    /// Adds a check of the program's health, made while a change is on probation. It runs on a thread of
    /// the engine's and may block; longer than the time limit counts as a failure, as does a panic.
    pub fn health_check<F>(mut self, name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> Result<()> + Send + Sync + 'static,
    {
        let check = HealthCheck { name: name.into(), run: Box::new(check) };
        self.parts.health_checks.push(Arc::new(check));
        self
    }

    /// Whether SIGHUP makes every such engine of the process look at everything, as
    /// [`reload_now`](HotReloadManager::reload_now) does. Default: no. The receipt, with
    /// [`Trigger::Signal`](crate::Trigger::Signal), is one of [`HotReloadManager::receipts`]. Signals that
    /// come while one is waiting to be acted on are that one.
    ///
    /// From then on SIGHUP does not end the process any more, not even when the engine has ended: what
    /// handles it stays. Where there is no SIGHUP, as on Windows, this does nothing.
    pub fn reload_on_sighup(self, reload: bool) -> Self {
        self.set(|settings| settings.reload_on_sighup = reload)
    }

    /// Starts the engine, or joins the one that already serves the root.
    ///
    /// When it returns, everything is armed and every good configuration loaded. A configuration that
    /// is not good does not keep the engine from starting; [`HotReloadManager::status`] tells of it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Root`], [`ErrorKind::Pattern`], [`ErrorKind::Name`] for what is malformed,
    /// [`ErrorKind::Syntax`] and [`ErrorKind::Type`] for overrides and defaults that are, all of them at once,
    /// [`ErrorKind::Conflict`] when an engine with other options serves the root already. That the
    /// operating system offers no notification is no error: the files are polled then, and
    /// [`Status::degraded`](crate::Status::degraded) tells which limit to raise.
    pub async fn start(self) -> Result<HotReloadManager> {
        let Self { root, settings, stated, parts, faults } = self;
        Error::all(faults).map_or(Ok(()), Err)?;
        Patterns::new(&settings.config.watch_patterns)?;
        Patterns::new(&settings.config.exclude_patterns)?;
        parts.checks.iter().flat_map(|check| &check.configs).try_for_each(|name| check_name(name))?;
        settings.fields.iter().try_for_each(Declared::check)?;
        if let Some(environment) = settings.environment.as_deref().filter(|name| !is_environment(name)) {
            let message =
                format!("{environment:?} is no environment: it has to fit between two dots of a file name");
            return Err(Error::new(ErrorKind::Name, message));
        }
        let engine = registry::engine(&root, stated.then_some(settings), parts).await?;
        Ok(HotReloadManager::new(engine))
    }
}

/// Defaults as a value, if they are a table under a name.
fn as_table(config_name: &str, value: impl Serialize) -> Result<Value> {
    check_name(config_name)?;
    let refuse = |why: String| Error::new(ErrorKind::Type, format!("the defaults of {config_name:?} {why}"));
    let value = serde_json::to_value(value)
        .map_err(|cause| refuse(format!("cannot be serialized: {cause}")).because(cause))?;
    if value.is_object() { Ok(value) } else { Err(refuse("are no table of keys at the top".to_owned())) }
}
