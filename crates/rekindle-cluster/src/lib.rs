//! Many instances of a program with one configuration.
mod error;
mod model;
mod rollout;
#[cfg(test)]
mod simulation;

pub use error::{Error, Result};
pub use model::{
    Answer, Candidate, Digest, Document, Ended, Head, Instance, Key, Label, Outcome, Pause, Payload, Plan,
    Release, Stage, Step, Verdict,
};
pub use rollout::request;
