//! [`HotReloadManager`]: the handle that a program keeps.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::broadcast;

use crate::commit::{Snapshot, atomic, backup};
use crate::control;
use crate::edit::Patch;
use crate::engine::{EngineHandle, Receipt, RemoteDocument};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{ChangeEvent, ResourceKind};
use crate::history::HistoryEntry;
use crate::load::read_bytes;
use crate::observe::Status;
use crate::propagate::{ConfigStream, Registration, ReloadHandler};
use crate::route::{Pattern, Routes};

/// A running hot reload engine.
///
/// Dropping it stops the engine, unless a stream, a [`Live`](crate::Live) handle or another manager
/// of the same root still lives.
///
/// ```
/// # use rekindle::{prelude::*, testing::create_test_workspace_with_structure};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let (_dir, ws) = create_test_workspace_with_structure();
/// let manager = ws.start_hot_reload().await?;
/// let mut events = manager.subscribe();
/// std::fs::write(ws.config_dir().join("app.toml"), "port = 80")?;
/// # #[allow(clippy::never_loop)]
/// loop {
///     if let ChangeEvent::ConfigChanged { config_name, new_value, .. } = events.recv().await? {
///         assert_eq!((config_name.as_str(), &new_value["port"]), ("app", &80.into()));
///         break;
///     }
/// }
/// manager.shutdown().await
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct HotReloadManager {
    engine: Arc<EngineHandle>,
}

impl HotReloadManager {
    pub(crate) fn new(engine: Arc<EngineHandle>) -> Self {
        Self { engine }
    }

    /// The handle of the engine.
    pub(crate) fn engine(&self) -> &EngineHandle {
        &self.engine
    }

    /// A receiver of every event from now on.
    ///
    /// It holds 1,024 events; a slower reader is told
    /// [`Lagged`](broadcast::error::RecvError::Lagged) and then goes on with the oldest that is left.
    pub fn subscribe(&self) -> broadcast::Receiver<ChangeEvent> {
        self.engine.subscribe()
    }

    /// Registers a handler of every event that it [can handle](ReloadHandler::can_handle).
    pub fn register_handler<H>(&self, handler: H)
    where
        H: ReloadHandler + 'static,
    {
        // Nothing was stated of it that could be wrong.
        let _fits = self.engine.add_handler(Registration::new(handler));
    }

    /// Registers a handler of the files that match a glob relative to the root: it is called once per
    /// change, with `ConfigChanged` for a configuration and `FileChanged` for any other file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Pattern`] when the glob is malformed or leaves the root.
    pub fn register_handler_for<H>(&self, pattern: &str, handler: H) -> Result<()>
    where
        H: ReloadHandler + 'static,
    {
        self.engine.add_handler(Registration::of_files(Pattern::new(pattern)?, handler))
    }

    /// Registers a handler with a name, an order, a weight, or for a part of a configuration only.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Pattern`] and [`ErrorKind::Name`] for what is malformed, [`ErrorKind::Conflict`] when
    /// it would come after itself.
    pub fn register(&self, registration: Registration) -> Result<()> {
        self.engine.add_handler(registration)
    }

    /// The receipt of every reload from now on, whatever triggers it.
    ///
    /// It holds 64 receipts; a slower reader is told [`Lagged`](broadcast::error::RecvError::Lagged).
    pub fn receipts(&self) -> broadcast::Receiver<Receipt> {
        self.engine.shared().observe.subscribe_to_receipts()
    }

    /// The receipts of the last 64 reloads, the newest last. Times of all reloads are in
    /// [`Status::durations`].
    pub fn recent(&self) -> Vec<Receipt> {
        self.engine.shared().observe.recent()
    }

    /// A stream of one configuration's values.
    ///
    /// # Errors
    ///
    /// As [`WorkspaceExt::watch_config_changes`](crate::WorkspaceExt::watch_config_changes).
    pub async fn watch<T>(&self, config_name: &str) -> Result<ConfigStream<T>>
    where
        T: DeserializeOwned + Send + Clone + 'static,
    {
        self.engine.stream(&[config_name], None, None).await
    }

    /// A stream of the part of a configuration that stands at a JSON pointer. It wakes only when that part
    /// changes.
    ///
    /// # Errors
    ///
    /// As [`WorkspaceExt::watch_config_changes_at`](crate::WorkspaceExt::watch_config_changes_at).
    pub async fn watch_at<T>(&self, config_name: &str, pointer: &str) -> Result<ConfigStream<T>>
    where
        T: DeserializeOwned + Send + Clone + 'static,
    {
        self.engine.stream(&[config_name], Some(pointer), None).await
    }

    /// A stream of several configurations merged into one value, the later over the earlier.
    ///
    /// # Errors
    ///
    /// As [`WorkspaceExt::watch_config_layered`](crate::WorkspaceExt::watch_config_layered).
    #[cfg(feature = "workspace")]
    pub async fn watch_layered<T>(&self, config_names: &[&str]) -> Result<ConfigStream<T>>
    where
        T: DeserializeOwned + Send + Clone + crate::ConfigMerge + 'static,
    {
        self.engine.stream(config_names, None, Some(T::merge)).await
    }

    /// All configurations as they are in one generation.
    pub fn snapshot(&self) -> Snapshot {
        self.engine.committed().snapshot()
    }

    /// How the engine and every configuration is.
    pub fn status(&self) -> Status {
        self.engine.shared().observe.status()
    }

    /// The directory that is watched, absolute.
    pub fn root(&self) -> &Path {
        self.engine.root()
    }

    /// What a file is to the program, by its place and its name.
    pub fn kind_of(&self, path: &Path) -> ResourceKind {
        let relative = path.strip_prefix(self.root()).unwrap_or(path);
        Routes::of_any_program().of(relative).kind
    }

    /// Looks at everything now and tells what came of it.
    ///
    /// It has no patience with what is invalid or missing. Only a file that is open for writing is
    /// waited for, at most for the debounce window.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Stopped`] after a shutdown.
    ///
    /// # Cancel safety
    ///
    /// The look is made whether or not its answer is waited for.
    pub async fn reload_now(&self) -> Result<Receipt> {
        self.engine.reload().await
    }

    /// Changes a configuration's files as `patch` says, and applies the change.
    ///
    /// Each value is changed in the file that sets it; comments, order and the file's mode stay. The
    /// change is validated and prepared for before anything is written, and the write is one reload.
    ///
    /// `expected_generation` is that of the value the patch was made for, as a
    /// [`Snapshot`] or an event tells it: if the configuration has changed since, nothing is done.
    ///
    /// ```
    /// # use rekindle::{prelude::*, testing::create_test_workspace_with_structure};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> rekindle::Result<()> {
    /// # let (_dir, ws) = create_test_workspace_with_structure();
    /// # let file = ws.config_dir().join("app.toml");
    /// std::fs::write(&file, "port = 80 # the usual\n")?;
    /// let manager = ws.start_hot_reload().await?;
    /// let generation = manager.snapshot().generation();
    /// let receipt = manager.update("app", generation, Patch::set("/port", 8080)).await?;
    /// assert!(receipt.is_applied());
    /// assert_eq!(std::fs::read_to_string(&file)?, "port = 8080 # the usual\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no such configuration in use, [`ErrorKind::Conflict`] when it
    /// has changed since, when the patch does not fit its value, or when something stronger than a file
    /// sets the value; [`ErrorKind::Check`] when the file's format cannot say it;
    /// [`ErrorKind::Stopped`] after a shutdown. That the new value is refused is in the receipt.
    ///
    /// # Cancel safety
    ///
    /// Once it has begun, the update is made whether or not its answer is waited for.
    pub async fn update(&self, config_name: &str, expected_generation: u64, patch: Patch) -> Result<Receipt> {
        self.engine.update(config_name, expected_generation, patch).await
    }

    /// Makes these documents what the [layer of the shared store](crate::HotReloadBuilder::remote_layer) says:
    /// all of it, so that what it said of other configurations is gone.
    ///
    /// Everything that could refuse any of them is asked first; then their files are written and all of them
    /// are applied as one generation, or nothing is. What was undone is tried again: the store decides. A
    /// configuration of which no layer would be left is refused.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when the engine was built without that layer, or a configuration is there
    /// twice; [`ErrorKind::Name`] for a name or a format that is none; [`ErrorKind::Io`] when what is there
    /// cannot be listed; [`ErrorKind::Stopped`] after a shutdown. That they are refused is in the receipt.
    ///
    /// # Cancel safety
    ///
    /// Once it has begun, the change is made whether or not its answer is waited for.
    pub async fn apply_remote(&self, documents: Vec<RemoteDocument>) -> Result<Receipt> {
        self.engine.remote(documents, false).await
    }

    /// Asks what would come of [`apply_remote`](Self::apply_remote): whatever could refuse the documents is asked,
    /// handlers that prepare among them, which are told to take it back. Nothing is written or applied, and
    /// nobody is told.
    ///
    /// The receipt says what would have been applied.
    ///
    /// # Errors
    ///
    /// As [`apply_remote`](Self::apply_remote).
    ///
    /// # Cancel safety
    ///
    /// What is prepared is taken back whether or not the answer is waited for.
    pub async fn check_remote(&self, documents: Vec<RemoteDocument>) -> Result<Receipt> {
        self.engine.remote(documents, true).await
    }

    /// The revisions of a configuration that the history keeps, oldest first: every content that was good,
    /// in this run and in those before it, with what became of it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::History`] when it cannot be read, [`ErrorKind::Name`] for a name that is none. A
    /// revision that is damaged is left out and told of. Where [none is kept](crate::HotReloadBuilder::history), what
    /// is there of other runs can be read all the same.
    pub async fn history(&self, config_name: &str) -> Result<Vec<HistoryEntry>> {
        self.engine.revisions(Some(config_name.to_owned())).await
    }

    /// Brings a revision of a configuration back: its files, byte for byte, with their modes, and reloads.
    ///
    /// A layer that the revision did not have is removed. What is overwritten or removed is kept as a
    /// [backup](Self::backups). As with an update, nothing is written unless the revision is good today;
    /// one that was undone is tried again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::History`] when the revision is damaged, [`ErrorKind::NotFound`]
    /// when there is no such revision, [`ErrorKind::Stopped`] after a shutdown. That the revision is
    /// refused is in the receipt.
    ///
    /// # Cancel safety
    ///
    /// Once it has begun, the revision is brought back whether or not its answer is waited for.
    pub async fn rollback(&self, config_name: &str, revision: u64) -> Result<Receipt> {
        self.engine.restore_revision(config_name, revision).await
    }

    /// The backups of a configuration file (`config/app.toml`, or absolute), oldest first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Backup`] for a file outside the root.
    pub fn backups(&self, file: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        backup::list(self.root(), &self.root().join(file))
    }

    /// Puts a backup's bytes and mode back in place, atomically, and reloads.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Backup`] when `backup` is none or cannot be read or written back,
    /// [`ErrorKind::Stopped`] after a shutdown. Whether the restored content was applied is in the receipt.
    pub async fn restore_backup(&self, backup: impl AsRef<Path>) -> Result<Receipt> {
        let (root, backup) = (self.root().to_path_buf(), self.root().join(backup));
        let write_back = move || {
            let target = backup::original(&root, &backup)?;
            let bytes = read_bytes(&backup, &root, u64::MAX).map_err(|failure| failure.error)?;
            let bytes = bytes.ok_or_else(|| Error::new(ErrorKind::Backup, "there is no such backup"))?;
            atomic::replace(&target, &bytes.content, Some(&bytes.permissions))
                .map_err(|cause| Error::io("cannot restore the file", &target, &root, cause))
        };
        tokio::task::spawn_blocking(write_back).await??;
        self.reload_now().await
    }

    /// Answers a request of the control protocol as the [control socket](crate::HotReloadBuilder::control_socket)
    /// does, for programs that offer it elsewhere. Who may ask is theirs to decide. `events` are told through
    /// the socket only; [`subscribe`](Self::subscribe) has them here.
    ///
    /// ```
    /// # use rekindle::{prelude::*, testing::create_test_workspace_with_structure};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> rekindle::Result<()> {
    /// # let (_dir, ws) = create_test_workspace_with_structure();
    /// # std::fs::write(ws.config_dir().join("app.toml"), "port = 80")?;
    /// let manager = ws.start_hot_reload().await?;
    /// let request = serde_json::json!({"rekindle": 1, "cmd": "explain", "pointer": "/port"});
    /// let answer = manager.control(request).await;
    /// assert_eq!(answer["values"][0]["origin"]["text"], "config/app.toml:1:8");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// That of what is asked for.
    pub async fn control(&self, request: Value) -> Value {
        control::respond(self, request).await
    }

    /// Ends the engine for everybody: what is in flight is finished, streams end, and all of it within a second.
    ///
    /// A handler or check that still hangs then is left behind.
    ///
    /// # Errors
    ///
    /// None at present.
    pub async fn shutdown(self) -> Result<()> {
        self.engine.shutdown().await;
        Ok(())
    }
}
