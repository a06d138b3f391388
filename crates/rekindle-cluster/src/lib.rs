//! Many instances of a program with one configuration, from a shared store, a step at a time.
//!
//! ```text
//!  store ─► mirror ─► participant ─► engine: check, apply, health ─► what the instance says of itself ─┐
//!    ▲      (head)                                                                                     │
//!    │                                                                                          store: inst/ID
//!    └── head, written if nobody was faster ◄── coordinator (one of the instances) ◄── mirror ◄───────────┘
//! ```
//!
//! A [`Member`] is an instance that takes part: it follows what the store says by way of its [`Host`], an engine of
//! rekindle. A [`Client`] asks for a rollout and says how it goes. What is in the [store](store::Store) is
//! documented in `docs/cluster.md`.
//!
//! ```
//! use std::sync::Arc;
//!
//! use rekindle::{HotReload, RemoteLayer};
//! use rekindle_cluster::{Client, Document, Host, Member, Options, Payload, Plan};
//!
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! # #[cfg(feature = "sqlite")]
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let root = tempfile::tempdir()?;
//! # let root = root.path();
//! # std::fs::create_dir(root.join("config"))?;
//! # std::fs::write(root.join("config/app.toml"), "port = 80\nhost = 'localhost'")?;
//! // The store need not be there: what was in use last is.
//! let release = rekindle_cluster::restore(root).await?;
//! let manager = HotReload::builder(root).remote_layer(RemoteLayer::AboveFiles).start().await?;
//! let store = rekindle_cluster::store::open(&format!("sqlite:{}", root.join("cluster.db").display())).await?;
//! let host = Arc::new(Host::new(manager.clone()));
//! let member = Member::join(store.clone(), host, release, Options::new("shop-1"));
//!
//! let client = Client::new(store);
//! let payload = Payload::new([Document::new("app", "toml", "port = 8080")]).because("a port of its own");
//! let release = client.publish(&payload, Plan::at_once()).await?;
//! member.status().wait_for(|status| status.instance.applied == Some(release)).await?;
//! assert_eq!(manager.snapshot().get("app").unwrap()["port"], 8080);
//! member.leave().await;
//! # Ok(())
//! # }
//! ```

mod client;
mod coordinate;
mod engine;
mod error;
mod host;
mod local;
mod member;
mod mirror;
mod model;
mod report;
mod rollout;
mod signature;
#[cfg(test)]
mod simulation;
pub mod store;

pub use client::{Client, ClusterStatus, ClusterWatch, Published};
pub use engine::{Engine, Sick};
pub use error::{Error, Result};
pub use host::Host;
pub use local::restore;
pub use member::{Member, MemberStatus, Options};
pub use model::{
    Answer, Candidate, Digest, Document, Ended, Head, Instance, Key, Label, Outcome, Pause, Payload, Plan,
    Release, Stage, Step, Verdict,
};
pub use rollout::request;
pub use signature::Signer;
