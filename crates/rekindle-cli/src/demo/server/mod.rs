//! The demo's server: its port changes while clients ask as fast as they can. Four edits in, a table of what the
//! clients were answered out.

mod clients;
mod ports;
mod site;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rekindle::service::{Retirement, Supervised};
use rekindle::{ChangeEvent, HotReloadManager};
use rekindle_web::serve::Server;
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

use super::program::{LIMIT, words};
use super::table;
use crate::output;
use crate::record::Scribe;
use crate::render::{BAD, GOOD};
use crate::stop::Stop;
use crate::text::{count, printable};
use clients::{Clients, Tally};
use ports::Ports;
use site::{Greeter, Site};

/// What to serve: a greeting, and a port.
#[derive(Debug, Clone, Copy)]
struct Served {
    greeting: &'static str,
    port: u16,
}

/// Makes every edit under load, and prints what came of each. Whether all of it was as it should be.
///
/// # Errors
///
/// When there is no free port, or the server cannot be started or stopped.
pub(super) async fn play(manager: &HotReloadManager, root: &Path) -> Result<bool, Stop> {
    let ports = Ports::find()?;
    let before = Served { greeting: "Hello", port: ports.first };
    let mut running = Running::start(manager, root, before).await?;
    output::print(&table::server_intro(ports.first))?;
    let clients = Clients::start(&running.server);
    let mut all_good = true;
    for (number, edit) in edits(&ports).iter().enumerate() {
        let seen = running.see(edit).await?;
        all_good &= seen.is_good;
        output::print(&table::line(number + 1, edit.title, &seen.text, seen.after, seen.is_good))?;
    }
    let tally = clients.stop().await;
    output::print(&summary(&tally))?;
    running.stop().await?;
    Ok(all_good && tally.is_good())
}

/// An edit, and what is to come of it.
struct Edit {
    title: &'static str,
    to: Served,
    /// Whether the address cannot be had.
    is_refused: bool,
}

fn edits(ports: &Ports) -> Vec<Edit> {
    let served = |greeting, port| Served { greeting, port };
    vec![
        Edit { title: "greeting = \"Welcome\"", to: served("Welcome", ports.first), is_refused: false },
        Edit { title: "another port", to: served("Welcome", ports.second), is_refused: false },
        Edit { title: "a port that is taken", to: served(site::NEVER, ports.taken()), is_refused: true },
        Edit { title: "back to the first", to: served("Hello", ports.first), is_refused: false },
    ]
}

/// What came of an edit.
struct Seen {
    text: String,
    after: Option<Duration>,
    is_good: bool,
}

/// The server, and what is told of it.
struct Running {
    manager: HotReloadManager,
    file: PathBuf,
    server: Arc<Supervised<Server<Site>>>,
    served: Served,
    events: Receiver<ChangeEvent>,
    retirements: Receiver<Retirement>,
}

impl Running {
    async fn start(manager: &HotReloadManager, root: &Path, served: Served) -> Result<Self, Stop> {
        let file = root.join("config/server.toml");
        site::save(&file, served.greeting, served.port)?;
        // It is there, whenever the event comes.
        manager.reload_now().await?;
        let server = Server::new(|site: &Site| Ok(Greeter::new(site))).at("/http");
        let server = server.start(manager, "server", "").await?;
        let (events, retirements) = (manager.subscribe(), server.retirements());
        Ok(Self { manager: manager.clone(), file, server: Arc::new(server), served, events, retirements })
    }

    /// Makes an edit, and sees what comes of it.
    async fn see(&mut self, edit: &Edit) -> Result<Seen, Stop> {
        site::save(&self.file, edit.to.greeting, edit.to.port)?;
        let saved = Instant::now();
        // The limit is over: that it did not come is what is told.
        let seen = match edit.is_refused {
            true => timeout(LIMIT, self.refused(saved)).await,
            false => timeout(LIMIT, self.taken(edit.to, saved)).await,
        };
        let never = || Seen { text: "nothing".into(), after: None, is_good: false };
        Ok(seen.unwrap_or_else(|_| never()))
    }

    /// Waits until it is served so, and what was before it has ended.
    async fn taken(&mut self, to: Served, saved: Instant) -> Seen {
        clients::until_answered(to.port, to.greeting).await;
        let after = saved.elapsed();
        self.told("confirmed server").await;
        // An error: the sender is gone, and the server with it, which the clients will tell.
        let _retired = self.retirements.recv().await;
        let from = std::mem::replace(&mut self.served, to);
        let text = match from.port == to.port {
            true => format!("answers {:?}", to.greeting),
            false => format!("port {} -> {}, {0} is closed", from.port, to.port),
        };
        let is_good = from.port == to.port || ports::is_closed(from.port).await;
        Seen { text, after: Some(after), is_good }
    }

    /// Waits until it is refused.
    async fn refused(&mut self, saved: Instant) -> Seen {
        let event = self.told("refused server").await;
        let after = saved.elapsed();
        let place = event.strip_prefix("refused server config/server.toml:").unwrap_or(&event);
        let text = format!("refused at {}, nothing changes", printable(place));
        clients::until_answered(self.served.port, self.served.greeting).await;
        Seen { text, after: Some(after), is_good: true }
    }

    /// Waits for an event, in [`words`], by how it begins.
    async fn told(&mut self, beginning: &str) -> String {
        loop {
            let told = match self.events.recv().await {
                Ok(event) => words(&Scribe::new(&self.manager).record(event)),
                Err(error) => error.to_string(),
            };
            if told.starts_with(beginning) {
                return told;
            }
        }
    }

    async fn stop(self) -> Result<(), Stop> {
        let in_use = || io::Error::other("somebody still holds the server");
        Arc::try_unwrap(self.server).map_err(|_| in_use())?.stop().await?;
        Ok(())
    }
}

/// What the clients say of it all.
fn summary(tally: &Tally) -> String {
    let answers = count(tally.answers, "request");
    match &tally.failures[..] {
        [] => format!("\n{GOOD}{answers} meanwhile, 0 failed.{GOOD:#}\n"),
        [first, ..] => {
            let failed = tally.failures.len();
            format!(
                "\n{BAD}{answers} meanwhile, {failed} failed{BAD:#}, the first of them: {}.\n",
                printable(first)
            )
        }
    }
}
