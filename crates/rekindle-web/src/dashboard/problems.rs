//! What is wrong with configurations right now, with the lines it is in.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rekindle::{Error, HotReloadManager, Status};

use super::frame::frame;
use crate::{FrameLine, Problem};

/// Of a file that is larger no lines are shown, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Every problem of every configuration. Reads the files that they are in.
pub(super) async fn of_configs(manager: &HotReloadManager) -> Vec<Problem> {
    let status = manager.status();
    if status.failures().next().is_none() {
        return Vec::new();
    }
    tokio::task::spawn_blocking(move || of_status(&status)).await.unwrap_or_default()
}

fn of_status(status: &Status) -> Vec<Problem> {
    let each = status.failures().flat_map(|(name, error)| {
        error.problems().enumerate().map(move |(index, error)| problem(name, index, error, &status.root))
    });
    each.collect()
}

fn problem(config: &str, index: usize, error: &Error, root: &Path) -> Problem {
    let relative = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    let advice = error.advice().map(|advice| format!("\n{advice}")).unwrap_or_default();
    Problem {
        id: if index == 0 { format!("config:{config}") } else { format!("config:{config}:{index}") },
        title: format!("{config}: {}", error.kind().as_str().replace('-', " ")),
        message: format!("{}{advice}", error.message()),
        file: error.path().map(relative),
        line: error.line(),
        column: error.column(),
        frame: lines(error).unwrap_or_default(),
        chain: Vec::new(),
    }
}

/// The lines around an error, if the file is still the one that it was found in, as far as can be told.
fn lines(error: &Error) -> Option<Vec<FrameLine>> {
    let text = text_of(error.path()?)?;
    let lines = frame(&text, error.span()?, error.masked_spans())?;
    let marked = lines.iter().find(|line| line.marked.is_some())?;
    (Some(marked.number) == error.line()).then_some(lines)
}

/// The text of a plain file.
fn text_of(path: &Path) -> Option<String> {
    // Nothing else is opened: a FIFO would be waited for.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 > LARGEST { None } else { String::from_utf8(bytes).ok() }
}
