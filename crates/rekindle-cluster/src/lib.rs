//! Many instances of a program with one configuration.

mod client;
mod coordinate;
mod engine;
mod error;
mod host;
mod member;
mod mirror;
mod model;
mod rollout;
#[cfg(test)]
mod simulation;
pub mod store;

pub use client::{Client, ClusterStatus};
pub use engine::{Engine, Sick};
pub use error::{Error, Result};
pub use host::Host;
pub use member::{Member, MemberStatus, Options};
pub use model::{
    Answer, Candidate, Digest, Document, Ended, Head, Instance, Key, Label, Outcome, Pause, Payload, Plan,
    Release, Stage, Step, Verdict,
};
pub use rollout::request;
