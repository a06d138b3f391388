//! Live reload in the browser, without a framework.

mod body;
pub mod dashboard;
mod guard;
mod hub;
mod problem;
mod protocol;
mod session;
mod update;

pub use body::{Body, BoxError};
pub use problem::{FrameLine, Problem};
pub use session::{Close, Session};
pub use update::Update;
