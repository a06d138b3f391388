//! [`Error`]: what can go wrong between an instance, a store and a rollout.

/// What the functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store does not answer. It may again.
    #[error("the store cannot be reached: {0}")]
    Unavailable(String),
    /// Somebody else was faster.
    #[error("{0}")]
    Conflict(String),
    /// The store has forgotten what happened since; everything is to be read again.
    #[error("the store has forgotten what happened since revision {0}")]
    Compacted(u64),
    /// It is not the store that it was: wiped, restored, or another one.
    #[error("this is not the store that it was: {0}")]
    Identity(String),
    /// A document in the store is none.
    #[error("{key}: {why}")]
    Malformed {
        /// Which.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is no such thing in the store, or it is not clear which.
    #[error("{0}")]
    NotFound(String),
    /// What was published is not signed by any of those who may.
    #[error("{0}")]
    Signature(String),
    /// The plan of a rollout leads nowhere.
    #[error("the plan of the rollout: {0}")]
    Plan(String),
    /// What an address of a store has to look like.
    #[error("{0}")]
    Address(String),
    /// What is kept on this machine cannot be read or written.
    #[error("{0}")]
    Local(String),
}

impl Error {
    pub(crate) fn malformed(key: &str, why: impl Into<String>) -> Self {
        Self::Malformed { key: key.to_owned(), why: why.into() }
    }

    pub(crate) fn local(cause: impl std::fmt::Display) -> Self {
        Self::Local(cause.to_string())
    }

    pub(crate) fn unavailable(cause: impl std::fmt::Display) -> Self {
        Self::Unavailable(cause.to_string())
    }
}
