//! [`AssetProblem`]: why a file is not served, or not as it should be.

use std::fmt;

use serde::Serialize;

/// Something that is wrong with a file right now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AssetProblem {
    /// The file, relative to the root of the workspace, by which the problem is recognised.
    pub file: String,
    /// What is wrong, what follows from it, and what to do where that is known.
    pub message: String,
}

impl fmt::Display for AssetProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.message)
    }
}
