//! Propagate: what was committed goes out, typed, in order, through bounded channels.
//!
//! In: the values that validation prepared, and events. Out: [`ConfigStream`]s, [`Live`] handles,
//! receivers of the event bus, and calls of handlers.

mod handler;
mod live;
mod mailbox;
mod stream;
mod topic;

pub use handler::ReloadHandler;
pub(crate) use handler::{Dispatch, Handlers, NewHandler};
pub use live::{Cached, Live, LiveRef};
pub use stream::ConfigStream;
pub(crate) use topic::{Merge, Ready, Topic, Typed};
