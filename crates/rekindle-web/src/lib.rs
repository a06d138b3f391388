//! Live reload in the browser, without a framework.

mod body;
mod client;
pub mod dashboard;
mod endpoint;
mod guard;
mod hub;
#[doc(hidden)] // for benchmarks
pub mod inject;
mod layer;
mod live;
mod overlay;
mod problem;
mod protocol;
mod session;
mod socket;
mod source;
mod update;

pub use body::{Body, BoxError};
pub use layer::{LiveReloadLayer, LiveReloadService};
pub use live::{LiveAnswer, LiveReload, LiveReloadBuilder, PendingPage, Place};
pub use problem::{FrameLine, Problem};
pub use session::{Close, Session};
pub use source::Source;
pub use update::Update;
