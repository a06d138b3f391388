//! What a directory and a store had at last, in a file of the directory.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::plan::Base;
use crate::stop::Stop;

const NAME: &str = ".rekindle-sync.json";

/// The version of the file that this program writes.
const FORMAT: u32 = 1;

/// What both had at last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    format: u32,
    /// Of which store: another one, or one that was made anew, has nothing to do with it.
    line: u64,
    files: Base,
}

impl State {
    /// What is noted in a directory of this store; nothing where nothing is, or of another store.
    ///
    /// # Errors
    ///
    /// [`Stop::Usage`] when it cannot be read.
    pub(super) fn read(directory: &Path, line: u64) -> Result<Base, Stop> {
        let path = file(directory);
        let wrong = |why: String| {
            Stop::Usage(format!(
                "{}: {why}; without it, files that differ are shown as conflicts",
                path.display()
            ))
        };
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Base::new()),
            Err(cause) => return Err(wrong(cause.to_string())),
        };
        let state: Self = serde_json::from_slice(&bytes).map_err(|cause| wrong(cause.to_string()))?;
        if state.format > FORMAT {
            return Err(wrong(format!("a later version wrote it, in format {}", state.format)));
        }
        Ok(if state.line == line { state.files } else { Base::new() })
    }

    /// Notes it, in one piece.
    ///
    /// # Errors
    ///
    /// What writing fails with.
    pub(super) fn write(directory: &Path, line: u64, files: Base) -> Result<(), Stop> {
        let state = Self { format: FORMAT, line, files };
        let mut bytes = serde_json::to_vec_pretty(&state).map_err(io::Error::other)?;
        bytes.push(b'\n');
        if std::fs::read(file(directory)).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        let mut written = tempfile::Builder::new().prefix(".rekindle-").tempfile_in(directory)?;
        written.write_all(&bytes)?;
        written.persist(file(directory)).map_err(|failed| failed.error)?;
        Ok(())
    }
}

fn file(directory: &Path) -> PathBuf {
    directory.join(NAME)
}
