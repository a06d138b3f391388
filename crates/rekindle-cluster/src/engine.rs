//! [`Engine`]: what applies a release on an instance.

use async_trait::async_trait;

use crate::model::{Payload, Release};

/// What applies a release on an instance.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Whether it would take a payload: everything that could refuse it is asked, and nothing is changed.
    ///
    /// # Errors
    ///
    /// Why it would not.
    async fn check(&self, payload: &Payload) -> Result<(), String>;

    /// Takes a payload, all or nothing; none means to do without the store's part. Gives the generation.
    ///
    /// # Errors
    ///
    /// Why it does not. What was before is in use.
    ///
    /// # Cancel safety
    ///
    /// An instance that leaves no longer waits for it. What has begun by then is to come to its end by itself.
    async fn apply(&self, payload: Option<(Release, &Payload)>) -> Result<u64, String>;

    /// Waits until it is known how it goes with what was applied as this generation.
    ///
    /// # Errors
    ///
    /// What is wrong, and whether what was before is in use again.
    async fn health(&self, generation: u64) -> Result<(), Sick>;
}

/// It does not go well with a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sick {
    /// What is wrong.
    pub reason: String,
    /// Whether the engine has gone back to what was before.
    pub went_back: bool,
}
