//! [`Service`] and [`Running`]: what a program states of what it wants replaced while it works.

use std::future::{Future, ready};
use std::time::Instant;

use serde::de::DeserializeOwned;

use crate::error::Result;

/// What is built from a part of a configuration, and built anew when that part changes.
///
/// The methods of this trait and of [`Running`] may be written as `async fn`. A panic in one of them is an
/// error as any other, and none may block its thread: they run on the program's runtime.
pub trait Service: Send + Sync + 'static {
    /// The part of the configuration.
    type Config: DeserializeOwned + Clone + Send + Sync + 'static;
    /// What one hands to the next: see [`Running::share`] and [`Running::adopt`].
    type State: Send + 'static;
    /// What is built.
    type Running: Running<State = Self::State>;

    /// Builds one. `state` is what the one that runs [shares](Running::share); `None` for the first.
    ///
    /// The one that runs knows nothing of it and serves on. What was built is not used yet, and may never
    /// be: another participant may refuse the change.
    ///
    /// # Errors
    ///
    /// Whatever it returns refuses the change. An error [about](crate::Error::about) a pointer in the
    /// part points at the line of that value.
    fn build(
        &self,
        config: &Self::Config,
        state: Option<Self::State>,
    ) -> impl Future<Output = Result<Self::Running>> + Send;
}

/// What a [`Service`] has built.
///
/// ```text
/// the old one                       the new one
/// share ─────────────────────────►  build
/// serves                            ready
/// ─────────────────────── traffic switches ───────────────────────
///                                   begin
/// drain (until the deadline)        serves
/// stop
///         what drain gave ───────►  adopt
/// ```
pub trait Running: Send + Sync + 'static {
    /// What one hands to the next.
    type State: Send + 'static;

    /// What both may hold while both run: the `Arc` of a cache, a counter, the listening socket itself.
    /// It goes into the successor's [`build`](Service::build). Asked while this one serves and maybe for
    /// a successor that never comes, so it must change nothing. Default: nothing.
    fn share(&self) -> Option<Self::State> {
        None
    }

    /// Waits until it can serve: connections are open, caches are warm, a request to oneself is answered.
    /// Default: at once.
    ///
    /// # Errors
    ///
    /// Whatever it returns refuses the change, as that of [`build`](Service::build).
    fn ready(&self) -> impl Future<Output = Result<()>> + Send {
        ready(Ok(()))
    }

    /// Traffic has switched to it: what it prepared beside its predecessor is put in use from here on. Called
    /// exactly once, before the predecessor drains, and never for one that is not to serve. It cannot fail, and
    /// is quick: what can go wrong belongs into [`ready`](Self::ready). Default: nothing.
    fn begin(&self) {}

    /// Finishes what it has begun; new work goes to the successor by now. It gives what only one may hold,
    /// such as a lock. Default: at once, and nothing.
    ///
    /// Whoever has more to do than the deadline allows gives up by then, to return the state in
    /// time: what has not returned a moment after is dropped where it stands, and reported.
    fn drain(&self, deadline: Instant) -> impl Future<Output = Option<Self::State>> + Send {
        let _ = deadline;
        ready(None)
    }

    /// Takes what a predecessor's [`drain`](Self::drain) gave. It serves already, and goes on doing so.
    /// Where several changes followed one another the newest one gets it; it has the time that a drain has.
    /// Default: drops it.
    fn adopt(&self, state: Self::State) -> impl Future<Output = ()> + Send {
        drop(state);
        ready(())
    }

    /// Ends what is left of it, at once. Called exactly once for each that was built, whatever
    /// came before: after its drain, at the deadline of that, and for one that was never used. Default: nothing.
    fn stop(&self) {}
}
