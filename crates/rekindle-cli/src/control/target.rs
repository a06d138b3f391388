//! [`Target`]: who is asked, a running program or the files themselves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rekindle::{HotReload, HotReloadManager, control_socket_path};
use serde_json::{Value, json};

use super::args::{PlaceArgs, Where};
use crate::args::every_format;
use crate::cluster::{self, Loaded};
use crate::output;
use crate::stop::Stop;
use crate::text::printable;

/// The engine is gone before its second look.
const POLL: Duration = Duration::from_secs(3600);

/// Who answers.
pub(super) struct Target {
    who: Who,
    /// The directory that is asked about, absolute.
    pub(super) root: PathBuf,
    json: bool,
}

enum Who {
    #[cfg(unix)]
    Program(rekindle::ControlClient),
    Files(HotReloadManager),
    Fleet(Loaded),
}

impl Target {
    /// The program, and nobody else.
    ///
    /// # Errors
    ///
    /// [`Stop::NotRunning`] when none listens.
    pub(super) async fn program(at: &Where) -> Result<Self, Stop> {
        let root = root_of(&at.dir)?;
        let socket = socket_of(at, &root);
        match connect(&socket).await? {
            Some(who) => Ok(Self { who, root, json: at.json }),
            None => Err(Stop::NotRunning(not_running(&socket))),
        }
    }

    /// What a fleet is to use, if its store is named; otherwise as [`any`](Self::any).
    ///
    /// # Errors
    ///
    /// What the store fails with, or keeps the files from being loaded.
    pub(super) async fn of(args: &PlaceArgs) -> Result<Self, Stop> {
        let Some(address) = &args.store else { return Self::any(&args.at).await };
        let loaded = cluster::load(&cluster::in_use(address).await?).await?;
        let root = loaded.manager.root().to_path_buf();
        Ok(Self { who: Who::Fleet(loaded), root, json: args.at.json })
    }

    /// The program, or the files where none listens: it is told which on standard error.
    ///
    /// # Errors
    ///
    /// What keeps the files from being loaded.
    pub(super) async fn any(at: &Where) -> Result<Self, Stop> {
        let root = root_of(&at.dir)?;
        let socket = socket_of(at, &root);
        if let Some(who) = connect(&socket).await? {
            return Ok(Self { who, root, json: at.json });
        }
        output::note(&format!(
            "no program listens at {}: this is by the files alone, without what a program adds to them",
            printable(&socket.to_string_lossy())
        ));
        Ok(Self { who: Who::Files(files(at).await?), root, json: at.json })
    }

    /// Sends a request and gives the answer to it.
    ///
    /// # Errors
    ///
    /// [`Stop::Told`] when the answer is that it cannot be done.
    pub(super) async fn ask(&mut self, mut request: Value) -> Result<Value, Stop> {
        request["rekindle"] = json!(1);
        let answer = match &mut self.who {
            #[cfg(unix)]
            Who::Program(client) => client.ask(&request).await?,
            Who::Files(manager) => manager.control(request).await,
            Who::Fleet(loaded) => loaded.manager.control(request).await,
        };
        if answer["ok"] == true {
            return Ok(answer);
        }
        if self.json {
            output::print(&format!("{answer}\n"))?;
        }
        Err(Stop::told(&answer["error"], &self.root, self.json))
    }
}

fn root_of(dir: &Path) -> Result<PathBuf, Stop> {
    let root = std::path::absolute(dir)?;
    if root.is_dir() { Ok(root) } else { Err(Stop::Usage(format!("{}: no such directory", root.display()))) }
}

fn socket_of(at: &Where, root: &Path) -> PathBuf {
    at.socket.clone().unwrap_or_else(|| control_socket_path(root))
}

#[cfg(unix)]
async fn connect(socket: &Path) -> Result<Option<Who>, Stop> {
    match rekindle::ControlClient::connect(socket).await {
        Ok(client) => Ok(Some(Who::Program(client))),
        Err(error) if error.kind() == rekindle::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
async fn connect(_socket: &Path) -> Result<Option<Who>, Stop> {
    Ok(None)
}

fn not_running(socket: &Path) -> String {
    format!(
        "no program listens at {}; one does with `HotReload::builder(root).control_socket(true)`",
        socket.display()
    )
}

/// An engine of this process's own. It keeps no history: nothing comes into use here.
async fn files(at: &Where) -> Result<HotReloadManager, Stop> {
    let builder = HotReload::builder(&at.dir).watch(every_format()).poll(POLL).history(false);
    let builder = match &at.env {
        Some(environment) => builder.environment(environment),
        None => builder,
    };
    Ok(builder.start().await?)
}
