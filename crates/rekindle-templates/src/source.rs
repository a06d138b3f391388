//! [`Source`]: what tells of changed files.

use std::future::Future;

use rekindle::{HotReloadManager, Result, Workspace, WorkspaceExt};

mod sealed {
    pub trait Sealed {}
    impl Sealed for rekindle::HotReloadManager {}
    impl Sealed for rekindle::Workspace {}
}

/// What tells of changed files: a [`HotReloadManager`], or a [`Workspace`], whose engine is started or
/// joined. Sealed: it is implemented for these two alone.
pub trait Source: sealed::Sealed + Sync {
    /// The engine to listen to.
    ///
    /// # Errors
    ///
    /// As [`WorkspaceExt::start_hot_reload`].
    #[doc(hidden)]
    fn manager(&self) -> impl Future<Output = Result<HotReloadManager>> + Send;
}

impl Source for HotReloadManager {
    async fn manager(&self) -> Result<HotReloadManager> {
        Ok(self.clone())
    }
}

impl Source for Workspace {
    async fn manager(&self) -> Result<HotReloadManager> {
        self.start_hot_reload().await
    }
}
