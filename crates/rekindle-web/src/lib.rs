//! What a web server needs to change while it serves, without a framework:
//!
//! - [`LiveReload`]: a save is seen in the browser;
//! - [`Files`]: static files over HTTP;
//! - `serve` (feature `serve`): a server whose addresses, certificates, limits and routes change.

mod adaptor;
mod body;
mod client;
pub mod dashboard;
mod endpoint;
mod files;
mod guard;
mod hub;
#[doc(hidden)] // for benchmarks
pub mod inject;
mod live;
mod overlay;
mod problem;
mod protocol;
#[cfg(feature = "serve")]
pub mod serve;
mod session;
mod source;
mod update;

pub use adaptor::{Pinned, page};
pub use body::{Body, BoxError};
pub use endpoint::LiveAnswer;
pub use files::Files;
pub use live::{
    LiveReload, LiveReloadBuilder, LiveReloadLayer, LiveReloadService, PageBody, PendingPage, Tagging,
};
pub use problem::{FrameLine, Problem};
pub use session::{Close, Outgoing, Session};
pub use source::Source;
pub use update::{Change, Update};
