//! Services that change while they work: what is built from a configuration is replaced by a new one that
//! is built, proven and given the old one's state before the old one is told anything.
//!
//! - A [`Service`] under a [`Supervisor`]: the new one is built and becomes ready in the first phase of a
//!   change, where it can still refuse it; then traffic switches, the old one drains within its deadline
//!   and is stopped.
//! - A [`Pool`]: a value that is swapped under its users, who finish on the one they have.
//! - A [`Worker`]: a job in the background that is started anew at each change.
//! - A `LogFilter` (feature `log-filter`): what is logged, as the configuration says.
//!
//! ```
//! # use rekindle::testing::create_test_workspace_with_structure;
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use std::time::{Duration, Instant};
//!
//! use rekindle::Patch;
//! use rekindle::service::{Running, Service, Supervisor};
//!
//! #[derive(serde::Deserialize, Clone)]
//! struct Server {
//!     greeting: String,
//! }
//!
//! struct Greeting;
//!
//! struct Greeter {
//!     text: String,
//!     greeted: Arc<AtomicU64>,
//! }
//!
//! impl Service for Greeting {
//!     type Config = Server;
//!     type State = Arc<AtomicU64>;
//!     type Running = Greeter;
//!
//!     async fn build(&self, config: &Server, state: Option<Arc<AtomicU64>>) -> rekindle::Result<Greeter> {
//!         if config.greeting.is_empty() {
//!             return Err(rekindle::Error::from("nobody greets with nothing").about("/greeting"));
//!         }
//!         Ok(Greeter { text: config.greeting.clone(), greeted: state.unwrap_or_default() })
//!     }
//! }
//!
//! impl Running for Greeter {
//!     type State = Arc<AtomicU64>;
//!
//!     fn share(&self) -> Option<Arc<AtomicU64>> {
//!         Some(Arc::clone(&self.greeted))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> rekindle::Result<()> {
//! # let (_dir, ws) = create_test_workspace_with_structure();
//! # use rekindle::WorkspaceExt;
//! std::fs::write(ws.config_dir().join("app.toml"), "[server]\ngreeting = 'hello'")?;
//! let manager = ws.start_hot_reload().await?;
//! let greeter = Supervisor::new(Greeting).named("greeter").start(&manager, "app", "/server").await?;
//! greeter.load().greeted.fetch_add(1, Ordering::Relaxed);
//! let mut retirements = greeter.retirements();
//!
//! let generation = manager.snapshot().generation();
//! let receipt = manager.update("app", generation, Patch::set("/server/greeting", "")).await?;
//! assert!(receipt.refusals()[0].error.message().contains("nobody greets with nothing"));
//! assert_eq!(greeter.load().text, "hello");
//!
//! manager.update("app", generation, Patch::set("/server/greeting", "welcome")).await?;
//! assert!(!retirements.recv().await?.cut);
//! assert_eq!((greeter.load().text.as_str(), greeter.load().greeted.load(Ordering::Relaxed)), ("welcome", 1));
//! # Ok(())
//! # }
//! ```

mod blueprint;
mod cancel;
mod contract;
mod core;
mod follower;
mod instance;
mod job;
mod lease;
mod limits;
#[cfg(feature = "log-filter")]
mod log_filter;
mod place;
mod pool;
mod retire;
mod retirement;
mod supervised;
mod supervisor;
mod values;
mod worker;

pub use cancel::Cancel;
pub use contract::{Running, Service};
pub use job::{Ended, JobEnd};
pub use lease::Lease;
#[cfg(feature = "log-filter")]
pub use log_filter::LogFilter;
pub use pool::Pool;
pub use retirement::Retirement;
pub use supervised::{RunningRef, Supervised};
pub use supervisor::Supervisor;
pub use values::Values;
pub use worker::{Worker, WorkerBuilder};
