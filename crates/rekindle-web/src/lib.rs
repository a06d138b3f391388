//! Live reload in the browser, without a framework.

mod body;
mod problem;
mod update;

pub use body::{Body, BoxError};
pub use problem::{FrameLine, Problem};
pub use update::Update;
