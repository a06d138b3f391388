//! How a release reaches the instances. Pure: no store, no clock, no engine.
//!
//! [`request`] is what people ask for, [`coordinator`] what follows from what the instances say, and
//! [`participant`] what an instance does about it. Each makes a document of others; the time is an argument.

pub(crate) mod coordinator;
pub(crate) mod participant;
pub mod request;
