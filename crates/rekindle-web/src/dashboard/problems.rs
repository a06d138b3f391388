//! What is wrong with configurations right now, with the lines it is in.

use rekindle::{HotReloadManager, Status};

use crate::Problem;

/// Every problem of every configuration. Reads the files that they are in.
pub(super) async fn of_configs(manager: &HotReloadManager) -> Vec<Problem> {
    let status = manager.status();
    if status.failures().next().is_none() {
        return Vec::new();
    }
    tokio::task::spawn_blocking(move || of_status(&status)).await.unwrap_or_default()
}

/// Of a configuration the first problem has its name, the others that were found in the same go a number more.
fn of_status(status: &Status) -> Vec<Problem> {
    let each = status.failures().flat_map(|(name, error)| {
        error.problems().enumerate().map(move |(index, error)| {
            let id = if index == 0 { format!("config:{name}") } else { format!("config:{name}:{index}") };
            let title = format!("{name}: {}", error.kind().as_str().replace('-', " "));
            Problem::of_error(id, title, &status.root, error)
        })
    });
    each.collect()
}
