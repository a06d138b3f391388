//! `rekindle demo`: a project, a program and a script in; a table of what the program saw out, and an
//! exit code that says whether all of it was as it should be.

mod program;
mod project;
mod script;
mod table;

use std::path::Path;

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
    let mut signals = Signals::listen()?;
    let directory = tempfile::Builder::new().prefix("rekindle-demo-").tempdir()?;
    let played = tokio::select! {
        () = signals.received() => return Err(Stop::Interrupted),
        played = play(directory.path()) => played,
    };
    if !args.keep {
        directory.close()?;
        return played;
    }
    drop(signals);
    let kept = directory.keep();
    output::print(&table::kept(&kept))?;
    watch(&kept).await.and(played)
}

/// Makes every edit of the script, and prints what came of each.
async fn play(root: &Path) -> Result<(), Stop> {
    let project = Project::create(root)?;
    let mut program = Program::start(&project).await?;
    let steps = script::steps();
    let mut table = Table::new(program.app());
    output::print(&table::intro(root))?;
    for step in &steps {
        let sighting = program.see(&project, step).await?;
        output::print(&table.row(step, sighting))?;
    }
    output::print(&table.summary())?;
    program.manager.shutdown().await?;
    if table.all_good() { Ok(()) } else { Err(Stop::Failed) }
}

/// Goes on as `rekindle watch` would there.
async fn watch(root: &Path) -> Result<(), Stop> {
    let args = WatchArgs {
        dir: root.to_path_buf(),
        json: false,
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
