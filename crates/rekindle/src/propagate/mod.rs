//! Propagate: what was committed goes out, typed, in order, through bounded channels.
//!
//! In: the values that validation prepared, and events. Out: [`ConfigStream`]s, [`Live`] handles,
//! receivers of the event bus, and calls of handlers.

mod candidate;
mod handler;
mod handlers;
mod live;
mod mailbox;
mod registered;
mod registration;
mod selected;
mod stream;
mod topic;

pub use candidate::Candidate;
pub(crate) use candidate::Proposal;
pub use handler::ReloadHandler;
pub(crate) use handlers::{Awaited, Handlers, Participants, Prepared, Veto};
pub use live::{Cached, Live, LiveRef};
pub use registration::Registration;
pub(crate) use registration::{Dispatch, check_pointer};
pub use selected::Selected;
pub use stream::ConfigStream;
pub(crate) use topic::{Merge, Part, Ready, Topic, Typed};
