//! What is to be published, looked at before anybody is bothered with it.
//!
//! An engine of this process's own loads it, without what a program adds to it: what it refuses no instance can take.

use std::path::Path;
use std::time::Duration;

use rekindle::{HotReload, HotReloadManager};
use rekindle_cluster::Payload;

use super::documents;
use crate::args::every_format;
use crate::output;
use crate::snippet;
use crate::stop::Stop;

/// The engine is gone before its second look.
const POLL: Duration = Duration::from_secs(3600);

/// A payload as an engine of this process's own has it.
pub(crate) struct Loaded {
    pub(crate) manager: HotReloadManager,
    pub(crate) directory: tempfile::TempDir,
}

/// Loads a payload as a program without a schema or checks of its own would.
///
/// # Errors
///
/// What writing it to a temporary directory fails with.
pub(crate) async fn load(payload: &Payload) -> Result<Loaded, Stop> {
    let directory = tempfile::tempdir()?;
    documents::write(payload, &directory.path().join("config"))?;
    let manager =
        HotReload::builder(directory.path()).watch(every_format()).poll(POLL).history(false).start().await?;
    Ok(Loaded { manager, directory })
}

/// That a payload can be read at all.
///
/// # Errors
///
/// [`Stop::Told`] with the places that cannot.
pub(super) async fn check(payload: &Payload) -> Result<(), Stop> {
    let Loaded { manager, directory } = load(payload).await?;
    let status = manager.status();
    manager.shutdown().await?;
    let show = |root: &Path| {
        let failures = status.failures();
        failures.map(|(_, error)| snippet::report(error, root, output::width())).collect::<String>()
    };
    // As the engine names it.
    let report = show(&status.root);
    drop(directory);
    if report.is_empty() { Ok(()) } else { Err(Stop::Told { is_usage: false, report: Some(report) }) }
}
