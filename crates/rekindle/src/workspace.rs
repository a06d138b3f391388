//! [`WorkspaceExt`]: the specification's methods on [`workspace_tools::Workspace`].

use std::path::Path;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use workspace_tools::{ConfigMerge, Workspace};

use crate::commit::backup;
use crate::config::{HotReloadConfig, Settings};
use crate::engine::Parts;
use crate::error::{Error, ErrorKind, Result};
use crate::event::ChangeEvent;
use crate::load::read_bytes;
use crate::manager::HotReloadManager;
use crate::propagate::{ConfigStream, Registration};
use crate::route::Pattern;
use crate::{HotReload, registry};

mod sealed {
    pub trait Sealed {}
    impl Sealed for workspace_tools::Workspace {}
}

/// Hot reload for a [`Workspace`]. Sealed: it is implemented for that type alone.
///
/// There is one engine per root: all methods of all copies of a workspace meet in it.
///
/// ```
/// # use rekindle::testing::create_test_workspace_with_structure;
/// use rekindle::{ChangeEvent, WorkspaceExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let (_dir, ws) = create_test_workspace_with_structure();
/// ws.register_reload_handler("templates/**", |event| {
///     if let ChangeEvent::FileChanged { path, .. } = event {
///         println!("compile {}", path.display());
///     }
///     Ok(())
/// })?;
/// let manager = ws.start_hot_reload().await?;
/// assert!(!manager.status().is_degraded());
/// # Ok(())
/// # }
/// ```
///
/// It cannot be implemented for another type:
///
/// ```compile_fail,E0277
/// struct Mine;
/// impl rekindle::WorkspaceExt for Mine {}
/// ```
#[async_trait]
pub trait WorkspaceExt: sealed::Sealed {
    /// Starts hot reload with the defaults, or joins the engine that runs already.
    ///
    /// # Errors
    ///
    /// As [`HotReloadBuilder::start`](crate::HotReloadBuilder::start).
    async fn start_hot_reload(&self) -> Result<HotReloadManager>;

    /// Starts hot reload as `config` says.
    ///
    /// An engine that runs with the defaults takes `config` on; one that was given another
    /// configuration is a conflict.
    ///
    /// # Errors
    ///
    /// As [`HotReloadBuilder::start`](crate::HotReloadBuilder::start).
    async fn start_hot_reload_with_config(&self, config: HotReloadConfig) -> Result<HotReloadManager>;

    /// A stream of one configuration's values, whether or not the watch patterns cover its files.
    ///
    /// From now on a change that does not decode into `T` is refused for everybody.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Name`] for a name that is none, [`ErrorKind::NotFound`] when no file holds it,
    /// and what is wrong with it when it is not good.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe; an engine that was started meanwhile stops again if nobody else uses it.
    async fn watch_config_changes<T>(&self, config_name: &str) -> Result<ConfigStream<T>>
    where
        T: DeserializeOwned + Send + Clone + 'static;

    /// A stream of the part of a configuration that stands at a JSON pointer, such as `/server`. It wakes
    /// only when that part changes.
    ///
    /// What is not there is taken for null: with an `Option` it may come and go, for any other type that
    /// refuses the change.
    ///
    /// # Errors
    ///
    /// As [`watch_config_changes`](Self::watch_config_changes), and [`ErrorKind::Pattern`] for what is no
    /// pointer.
    ///
    /// # Cancel safety
    ///
    /// As [`watch_config_changes`](Self::watch_config_changes).
    async fn watch_config_changes_at<T>(&self, config_name: &str, pointer: &str) -> Result<ConfigStream<T>>
    where
        T: DeserializeOwned + Send + Clone + 'static;

    /// A stream of several configurations merged into one value by [`ConfigMerge`], the later over the
    /// earlier. Those that do not exist are left out; at least one must.
    ///
    /// # Errors
    ///
    /// As [`watch_config_changes`](Self::watch_config_changes), for the first that is not good.
    async fn watch_config_layered<T>(&self, config_names: &[&str]) -> Result<ConfigStream<T>>
    where
        T: DeserializeOwned + Send + Clone + ConfigMerge + 'static;

    /// Registers a handler of the files that match a glob, before or after the start.
    ///
    /// It is called once per change: with [`ChangeEvent::ConfigChanged`] for a configuration, with
    /// [`ChangeEvent::FileChanged`] for any other file. Its files are watched even where the watch
    /// patterns do not cover them, unless they are excluded. It may block. It ends with the engine.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Pattern`] when the glob is malformed or leaves the root.
    fn register_reload_handler<F>(&self, pattern: &str, handler: F) -> Result<()>
    where
        F: Fn(ChangeEvent) -> Result<()> + Send + Sync + 'static;

    /// Copies a file of the workspace to `data/backups/configs/{time}_{name}`, with its mode.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Backup`] for a file outside the workspace or when the copy cannot be written,
    /// [`ErrorKind::NotFound`] when there is no such file.
    async fn create_config_backup(&self, path: &Path) -> Result<()>;
}

#[async_trait]
impl WorkspaceExt for Workspace {
    async fn start_hot_reload(&self) -> Result<HotReloadManager> {
        HotReload::builder(self.root()).start().await
    }

    async fn start_hot_reload_with_config(&self, config: HotReloadConfig) -> Result<HotReloadManager> {
        HotReload::builder(self.root()).config(config).start().await
    }

    async fn watch_config_changes<T>(&self, config_name: &str) -> Result<ConfigStream<T>>
    where
        T: DeserializeOwned + Send + Clone + 'static,
    {
        let engine = registry::engine(self.root(), None, Parts::default()).await?;
        engine.stream(&[config_name], None, None).await
    }

    async fn watch_config_changes_at<T>(&self, config_name: &str, pointer: &str) -> Result<ConfigStream<T>>
    where
        T: DeserializeOwned + Send + Clone + 'static,
    {
        let engine = registry::engine(self.root(), None, Parts::default()).await?;
        engine.stream(&[config_name], Some(pointer), None).await
    }

    async fn watch_config_layered<T>(&self, config_names: &[&str]) -> Result<ConfigStream<T>>
    where
        T: DeserializeOwned + Send + Clone + ConfigMerge + 'static,
    {
        let engine = registry::engine(self.root(), None, Parts::default()).await?;
        engine.stream(config_names, None, Some(T::merge)).await
    }

    fn register_reload_handler<F>(&self, pattern: &str, handler: F) -> Result<()>
    where
        F: Fn(ChangeEvent) -> Result<()> + Send + Sync + 'static,
    {
        let pattern = Pattern::new(pattern)?;
        registry::add_handler(self.root(), Registration::of_files(pattern, handler))
    }

    async fn create_config_backup(&self, path: &Path) -> Result<()> {
        let (root, path) = (self.root().to_path_buf(), self.root().join(path));
        let copy = move || {
            let limit = Settings::default().max_file_size;
            let bytes = read_bytes(&path, &root, limit).map_err(|failure| failure.error)?;
            let bytes = bytes.ok_or_else(|| {
                Error::new(ErrorKind::NotFound, format!("there is no file {} to back up", path.display()))
            })?;
            let keep = Settings::default().backups_kept;
            backup::write(&root, &path, &bytes.content, &bytes.permissions, keep).map(drop)
        };
        tokio::task::spawn_blocking(copy).await?
    }
}
