//! Helpers for the tests: a temporary [`Site`], an engine [`Running`] on it, a [`Recorder`] of events,
//! what saves files as others do ([`program`], [`Terminal`], [`ConfigMap`]), and processes of their own ([`child`]).
//!
//! Nothing here sleeps and hopes. Everything waits for something that is bound to happen, and panics
//! with all it has seen when that takes longer than [`LIMIT`]. So the tests are right on a slow and
//! loaded machine, and on any machine they take no longer than what they wait for.
//!
//! It depends on `rekindle` and is a dev-dependency of it, which Cargo allows. It is for integration
//! tests: a unit test of `rekindle` would meet two copies of each type.

pub mod child;
mod configmap;
pub mod program;
mod recorder;
mod running;
mod site;
mod terminal;

use std::time::Duration;

pub use configmap::ConfigMap;
pub use recorder::{Recorder, brief};
pub use running::Running;
pub use site::Site;
pub use terminal::Terminal;

/// How long anything is waited for before a test fails. Generous: no test asserts how fast something is.
pub const LIMIT: Duration = Duration::from_secs(25);

/// A debounce window beyond [`LIMIT`].
///
/// With it a test cannot mistake patience for success: a finished write that were only noticed when
/// the window ends would fail the test, and a writer that a loaded machine holds up for a second
/// does not make a half-written file an error.
pub const LONG_WINDOW: Duration = Duration::from_secs(60);

/// A debounce window for tests that have to see its end: what is deleted is told after it.
pub const SHORT_WINDOW: Duration = Duration::from_millis(1500);
