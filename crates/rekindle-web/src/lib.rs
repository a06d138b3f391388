//! Live reload in the browser, without a framework.

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
