//! `rekindle demo`: a project, a program and a script in; a table of what the program saw out, one of what the clients
//! of its server saw, and an exit code that says whether all of it was as it should be. [`cluster`] is another play.

mod cluster;
mod program;
mod project;
mod script;
mod server;
mod table;

use std::path::Path;

use rekindle::HotReloadManager;

use crate::args::{DemoArgs, WatchArgs};
use crate::output;
use crate::signals::Signals;
use crate::stop::Stop;
use program::Program;
use project::Project;
use table::Table;

/// Runs the script on a project in a temporary directory.
///
/// # Errors
///
/// [`Stop::Failed`] when something was not as it should be, [`Stop::Interrupted`] by a signal.
pub(crate) async fn run(args: &DemoArgs) -> Result<(), Stop> {
    if let Some(root) = &args.instance {
        return cluster::instance::run(root).await;
    }
    if args.cluster {
        return cluster::run().await;
    }
    let mut signals = Signals::listen()?;
    let directory = tempfile::Builder::new().prefix("rekindle-demo-").tempdir()?;
    let mut running = None;
    let played = tokio::select! {
        () = signals.received() => Err(Stop::Interrupted),
        played = play(directory.path(), &mut running) => played,
    };
    // What still runs might write into the directory while it is being removed.
    if let Some(manager) = running {
        manager.shutdown().await?;
    }
    if !args.keep || matches!(played, Err(Stop::Interrupted)) {
        directory.close()?;
        return played;
    }
    drop(signals);
    let kept = directory.keep();
    output::print(&table::kept(&kept))?;
    watch(&kept).await.and(played)
}

/// Makes every edit of the script, and prints what came of each. The engine is put where it can be ended.
async fn play(root: &Path, running: &mut Option<HotReloadManager>) -> Result<(), Stop> {
    let project = Project::create(root)?;
    let mut program = Program::start(&project).await?;
    *running = Some(program.manager.clone());
    let steps = script::steps();
    let mut table = Table::new(program.app());
    output::print(&table::intro(root))?;
    for step in &steps {
        let sighting = program.see(&project, step).await?;
        output::print(&table.row(step, sighting))?;
    }
    output::print(&table.summary())?;
    let served_well = server::play(&program.manager, root).await?;
    if table.all_good() && served_well { Ok(()) } else { Err(Stop::Failed) }
}

/// Goes on as `rekindle watch` would there.
async fn watch(root: &Path) -> Result<(), Stop> {
    let args = WatchArgs {
        dir: root.to_path_buf(),
        json: false,
        tui: false,
        poll: None,
        env: Some(script::ENVIRONMENT.into()),
        debounce: None,
        settle: None,
        watch: Vec::new(),
        exclude: Vec::new(),
        backup: true,
    };
    crate::watch::run(&args).await
}
