//! [`ReloadHandler`]: what a program does about a change, and its say in it beforehand.

use std::sync::Arc;

use async_trait::async_trait;

use super::candidate::Candidate;
use crate::error::Result;
use crate::event::ChangeEvent;

/// Something that is told of changes, and may have a say in them.
///
/// A change of a configuration comes in two phases. Before it is applied every handler it concerns is
/// asked to [`prepare`](Self::prepare), in order, and may refuse; then what prepared is told to
/// [`abort`](Self::abort), and nobody sees the change. Once it is applied,
/// [`handle_change`](Self::handle_change) is called. The order, and what follows when that fails, are
/// stated with [`Registration`](crate::Registration).
///
/// Closures `Fn(ChangeEvent) -> Result<()>` are handlers of every event.
///
/// ```
/// use rekindle::prelude::*;
///
/// struct Pool;
///
/// #[async_trait::async_trait]
/// impl ReloadHandler for Pool {
///     async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
///         if let ChangeEvent::ConfigChanged { new_value, .. } = event {
///             println!("resize to {}", new_value["size"]);
///         }
///         Ok(())
///     }
///
///     fn can_handle(&self, event: &ChangeEvent) -> bool {
///         matches!(event, ChangeEvent::ConfigChanged { config_name, .. } if config_name == "pool")
///     }
/// }
///
/// let _boxed: Box<dyn ReloadHandler> = Box::new(Pool);
/// let _closure: Box<dyn ReloadHandler> = Box::new(|_event: ChangeEvent| Ok(()));
/// ```
#[async_trait]
pub trait ReloadHandler: Send + Sync {
    /// Takes in one event. Called on the runtime that was current when the handler was registered, or
    /// else when the engine started; on a thread of the engine's where there was none.
    ///
    /// # Errors
    ///
    /// Whatever it returns is reported as [`ChangeEvent::HandlerFailed`]; so are a panic and a call that
    /// takes longer than the time limit (10 s unless set otherwise).
    async fn handle_change(&self, event: ChangeEvent) -> Result<()>;

    /// Whether it wants this event. Of a change that is about to be applied it is asked before
    /// [`prepare`](Self::prepare), with the event as it would be.
    fn can_handle(&self, event: &ChangeEvent) -> bool;

    /// Gets ready for a change that has passed all checks and is not applied yet: opens the new pool,
    /// binds the new port. It may take its time, within the deadline for all of them (10 s unless set
    /// otherwise). Once it has returned `Ok`, exactly one of [`handle_change`](Self::handle_change) and
    /// [`abort`](Self::abort) follows for this candidate, unless the engine is shut down in between.
    ///
    /// What a configuration is at the start, and what an undo goes back to, is not asked about. It is
    /// never called while `handle_change` of an earlier change still runs. Default: accepts.
    ///
    /// # Errors
    ///
    /// Whatever it returns refuses the change for everybody; so do a panic and an overrun deadline. The
    /// reason is in the status, the receipt and [`ChangeEvent::ValidationFailed`].
    async fn prepare(&self, candidate: &Candidate) -> Result<()> {
        candidate.goes_unseen();
        Ok(())
    }

    /// Undoes what [`prepare`](Self::prepare) did: somebody else has refused the candidate. Default: nothing.
    async fn abort(&self, candidate: &Candidate) {
        let _ = candidate;
    }

    /// Whether the other methods may block their thread. It then runs on a thread
    /// for blocking work. Default: `false`; closures: `true`.
    fn may_block(&self) -> bool {
        false
    }
}

#[async_trait]
impl<F> ReloadHandler for F
where
    F: Fn(ChangeEvent) -> Result<()> + Send + Sync,
{
    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        self(event)
    }

    fn can_handle(&self, _event: &ChangeEvent) -> bool {
        true
    }

    fn may_block(&self) -> bool {
        true
    }
}

/// A boxed handler is the handler in it.
#[async_trait]
impl ReloadHandler for Box<dyn ReloadHandler> {
    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        (**self).handle_change(event).await
    }

    async fn prepare(&self, candidate: &Candidate) -> Result<()> {
        (**self).prepare(candidate).await
    }

    async fn abort(&self, candidate: &Candidate) {
        (**self).abort(candidate).await;
    }

    fn can_handle(&self, event: &ChangeEvent) -> bool {
        (**self).can_handle(event)
    }

    fn may_block(&self) -> bool {
        (**self).may_block()
    }
}

/// A shared handler is the handler that is shared.
#[async_trait]
impl<H: ReloadHandler + ?Sized> ReloadHandler for Arc<H> {
    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        (**self).handle_change(event).await
    }

    async fn prepare(&self, candidate: &Candidate) -> Result<()> {
        (**self).prepare(candidate).await
    }

    async fn abort(&self, candidate: &Candidate) {
        (**self).abort(candidate).await;
    }

    fn can_handle(&self, event: &ChangeEvent) -> bool {
        (**self).can_handle(event)
    }

    fn may_block(&self) -> bool {
        (**self).may_block()
    }
}
