#![doc = include_str!("../../../README.md")]
//! # The flow
//!
//! ```text
//! watch ─► settle ─► route ─► load ─► validate ─► commit ─► propagate ─► streams, handlers
//! ```
//!
//! A change walks this line once, forwards; the private modules have these names.
//!
//! # What changes while it works
//!
//! A stream tells of a new value; what to do about a server, a pool of connections or a job that was made
//! from the old one is the larger half of a reload. That half is in [`service`]: one is built, proven
//! and given the other's state before that is told anything, and refuses the change where it fails.
//!
//! ```
//! # use rekindle::{prelude::*, testing::create_test_workspace_with_structure};
//! use rekindle::service::Pool;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> rekindle::Result<()> {
//! # let (_dir, ws) = create_test_workspace_with_structure();
//! # std::fs::write(ws.config_dir().join("app.toml"), "[database]\nurl = 'db://old'")?;
//! # async fn connect(url: String) -> rekindle::Result<String> { Ok(url) }
//! let manager = ws.start_hot_reload().await?;
//! let urls = manager.watch_at::<String>("app", "/database/url").await?;
//! let database = Pool::following(urls, connect).await?;
//! let mut retirements = database.retirements();
//!
//! let request = database.get();
//! std::fs::write(ws.config_dir().join("app.toml"), "[database]\nurl = 'db://new'")?;
//! request.replaced().await;
//! assert_eq!((request.as_str(), database.get().as_str()), ("db://old", "db://new"));
//!
//! drop(request);
//! assert_eq!(retirements.recv().await?.holders, 0);
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `workspace` | yes | [`WorkspaceExt`] on [`workspace_tools::Workspace`], and what is re-exported from there |
//! | `toml`, `yaml`, `json` | yes | the format; `json` brings JSON with comments (`.jsonc`) along |
//! | `schema` | yes | `config/NAME.schema.json` is held against `NAME` |
//! | `health-http` | no | health checks of a URL: [`HotReloadBuilder::health_url`] |
//! | `metrics` | no | counters, gauges and histograms of reloads, for any recorder of the crate `metrics` |
//! | `schemars` | no | [`schema_for`] and [`HotReloadBuilder::schema_of`]: the JSON Schema of a type |
//! | `log-filter` | no | [`service::LogFilter`]: what is logged, changed by the configuration |
//! | `testing` | no | [`testing`]: temporary workspaces that tests can use side by side |
#![cfg_attr(test, allow(clippy::disallowed_methods))]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod builder;
mod commit;
mod config;
mod control;
mod edit;
mod engine;
mod error;
mod event;
mod history;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
mod load;
mod manager;
mod observe;
mod propagate;
mod registry;
mod route;
#[cfg(feature = "schemars")]
mod schema;
pub mod service;
mod settle;
#[cfg(feature = "testing")]
pub mod testing;
mod validate;
mod watch;
#[cfg(feature = "workspace")]
mod workspace;

// Both the crate and its macro, so that `#[async_trait::async_trait]` and `#[async_trait]` work alike.
pub use ::async_trait;
pub use ::async_trait::async_trait;
#[cfg(feature = "workspace")]
pub use workspace_tools::{self, ConfigMerge, Workspace, workspace};

#[cfg(feature = "workspace")]
pub use crate::workspace::WorkspaceExt;
pub use builder::{HotReload, HotReloadBuilder};
pub use commit::Snapshot;
pub use config::HotReloadConfig;
#[cfg(unix)]
pub use control::ControlClient;
pub use control::control_socket_path;
pub use edit::Patch;
pub use engine::{Probation, Receipt, Refusal, ReloadOutcome, RemoteDocument, StageTimes, StartPolicy};
pub use error::{Error, ErrorKind, Result};
pub use event::{ChangeEvent, ChangeType, ResourceKind};
pub use history::{HistoryEntry, Outcome, Trigger};
pub use load::{LayerKind, Origin};
pub use manager::HotReloadManager;
pub use observe::{ConfigState, ConfigStatus, Drift, Durations, Pending, StageDurations, Status};
pub use propagate::{Cached, Candidate, ConfigStream, Live, LiveRef, Registration, ReloadHandler, Selected};
pub use route::RemoteLayer;
#[cfg(feature = "schemars")]
pub use schema::schema_for;
pub use validate::Secrets;
pub use watch::FileWatcher;

/// Everything, for a glob import.
pub mod prelude {
    pub use crate::*;
}
