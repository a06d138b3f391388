//! `rekindle sync`: a directory and a store, kept the same.
//!
//! ```text
//!  directory ─► ours ──┐
//!  .rekindle-sync.json ┼─► plan ─► files of the directory, then the store ─► .rekindle-sync.json
//!  store ─────► theirs ┘
//! ```
//!
//! Each round begins anew from what is there, so that one which is cut off at any point is simply done again.

mod plan;
mod state;
mod told;

use std::path::Path;
use std::time::Duration;

use rekindle::{ChangeEvent, FileWatcher};
use rekindle_cluster::{Client, ClusterWatch, Document, Error, Head, Payload, Release};
use tokio::sync::broadcast::error::RecvError;

use super::args::SyncArgs;
use super::{check, client, documents, publish, rollout};
use crate::output;
use crate::signals::Signals;
use crate::stop::Stop;
pub(super) use plan::Side;
use plan::{Base, Files, Plan};
use state::State;
use told::Teller;

/// How long a save may take.
const DEBOUNCE: Duration = Duration::from_millis(500);

/// How soon what failed is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// Makes both the same, once or again and again.
///
/// # Errors
///
/// [`Stop::Failed`] when both have changed the same file, or a fleet does not take what is here.
pub(crate) async fn sync(args: &SyncArgs) -> Result<(), Stop> {
    let client = client(&args.at).await?;
    std::fs::create_dir_all(&args.dir)?;
    let mut sync = Sync { client, args, teller: Teller::new(args.at.json), refused: None };
    if args.watch { sync.follow().await } else { sync.round().await }
}

struct Sync<'a> {
    client: Client,
    args: &'a SyncArgs,
    teller: Teller,
    /// What the fleet did not take: it is not asked for the same again.
    refused: Option<Files>,
}

/// How both are at the beginning of a round.
struct Both {
    head: Head,
    base: Base,
    ours: Files,
    theirs: Files,
}

impl Sync<'_> {
    /// Until a signal ends it.
    async fn follow(&mut self) -> Result<(), Stop> {
        let mut signals = Signals::listen()?;
        let watcher = FileWatcher::new(vec![self.args.dir.clone()], DEBOUNCE).await?;
        let mut files = watcher.subscribe();
        let mut store = self.client.watch();
        let mut stable = None;
        let mut work = async || loop {
            let again = self.another_round().await?;
            tokio::select! {
                () = saved(&mut files) => {}
                () = another(&mut store, &mut stable) => {}
                () = pause(again) => {}
            }
        };
        tokio::select! {
            () = signals.received() => Ok(()),
            () = output::closed() => Err(Stop::Closed),
            ended = work() => ended,
        }
    }

    /// A round that may fail: says why, and gives how long until it is to be tried again if nothing changes.
    async fn another_round(&mut self) -> Result<Option<Duration>, Stop> {
        match self.round().await {
            Ok(()) => Ok(None),
            Err(Stop::Closed) => Err(Stop::Closed),
            Err(stop) => {
                self.teller.failed(&stop);
                Ok(matches!(stop, Stop::Cluster(_) | Stop::Io(_)).then_some(AGAIN))
            }
        }
    }

    async fn round(&mut self) -> Result<(), Stop> {
        let both = self.look().await?;
        let plan = Plan::of(&both.base, &both.ours, &both.theirs, self.args.winner());
        if !plan.conflicts.is_empty() {
            self.teller.conflicts(&plan, &both.ours, &both.theirs)?;
            return Err(Stop::Failed);
        }
        self.take(&plan, &both)?;
        let taken = plan::with(&both.ours, &plan.here);
        // What only the directory has changed is not the same yet.
        let agreed = taken.iter().filter(|(name, _)| !plan.there.contains_key(*name));
        let mut base = plan::base(&agreed.map(|(name, text)| (name.clone(), text.clone())).collect());
        base.extend(both.base.into_iter().filter(|(name, _)| plan.there.contains_key(name)));
        State::write(&self.args.dir, both.head.line, base)?;
        if plan.there.is_empty() {
            return self.teller.same(taken.len(), both.head.stable);
        }
        let release = self.give(&plan, &taken, &both.head).await?;
        let line = self.client.status().await?.head.line;
        State::write(&self.args.dir, line, plan::base(&taken))?;
        self.teller.same(taken.len(), Some(release))
    }

    async fn look(&self) -> Result<Both, Stop> {
        let head = self.client.status().await?.head;
        let theirs = match head.stable {
            Some(release) => files(publish::contents(&self.client, release).await?.documents),
            None => Files::new(),
        };
        let base = State::read(&self.args.dir, head.line)?;
        let ours = files(documents::read_any(&self.args.dir)?);
        if ours.is_empty() && !base.is_empty() && self.args.winner() != Some(Side::Theirs) {
            return Err(Stop::Usage(format!(
                "{}: all configurations are gone; --theirs has them back from the store",
                self.args.dir.display()
            )));
        }
        Ok(Both { head, base, ours, theirs })
    }

    /// Writes what the store has changed.
    fn take(&mut self, plan: &Plan, both: &Both) -> Result<(), Stop> {
        for (name, text) in &plan.here {
            let path = self.args.dir.join(name);
            still(&path, both.ours.get(name))?;
            let kept = match plan.given_up.contains(name).then(|| both.ours.get(name)).flatten() {
                Some(ours) => Some(keep(&self.args.dir, name, ours)?),
                None => None,
            };
            match text {
                Some(text) => documents::write_file(&self.args.dir, name, text).map(drop)?,
                None => std::fs::remove_file(&path)?,
            }
            self.teller.taken(name, text.is_some(), kept.as_deref())?;
        }
        Ok(())
    }

    /// Publishes what the directory has changed, and waits for what becomes of it.
    async fn give(&mut self, plan: &Plan, files: &Files, head: &Head) -> Result<Release, Stop> {
        if self.refused.as_ref() == Some(files) {
            self.teller.waits("for another save: the fleet did not take what is here")?;
            return Err(Stop::Failed);
        }
        let payload = Payload::new(documents_of(files)).because(&*self.args.message);
        let payload = publish::signed_off(payload);
        check::check(&payload).await?;
        let over = head.stable.map(|stable| stable.payload);
        let release = match self.args.force {
            true => self.client.publish_over_at_once(over, &payload).await?,
            false => self.client.publish_over(over, &payload, rekindle_cluster::Plan::at_once()).await?,
        };
        self.teller.published(release, &plan.there.keys().collect::<Vec<_>>())?;
        if !self.args.force {
            let followed = rollout::follow(&self.client, Some(release), self.args.at.json).await;
            self.refused = followed.is_err().then(|| files.clone());
            followed?;
        }
        Ok(release)
    }
}

fn files(documents: Vec<Document>) -> Files {
    documents.into_iter().map(|document| (documents::file_name(&document), document.text)).collect()
}

fn documents_of(files: &Files) -> impl Iterator<Item = Document> {
    files.iter().filter_map(|(name, text)| {
        let (config, format) = name.rsplit_once('.')?;
        Some(Document::new(config, format, text))
    })
}

/// That a file is what it was when it was looked at: somebody may be at work on it.
fn still(path: &Path, text: Option<&String>) -> Result<(), Stop> {
    let is_same = match (std::fs::read(path), text) {
        (Ok(now), Some(text)) => now == text.as_bytes(),
        (Err(cause), None) => cause.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    };
    if is_same {
        return Ok(());
    }
    Err(Stop::Cluster(Error::Conflict(format!("{} has changed this very moment: try again", path.display()))))
}

/// Keeps a text beside its file, hidden. Gives its name.
fn keep(directory: &Path, name: &str, text: &str) -> Result<String, Stop> {
    let (parent, file) =
        name.rsplit_once('/').map_or((String::new(), name), |(parent, file)| (format!("{parent}/"), file));
    let kept = format!("{parent}.{file}.ours");
    documents::write_file(directory, &kept, text)?;
    Ok(kept)
}

/// A file was saved.
async fn saved(files: &mut tokio::sync::broadcast::Receiver<ChangeEvent>) {
    match files.recv().await {
        Ok(_) | Err(RecvError::Lagged(_)) => {}
        Err(RecvError::Closed) => std::future::pending().await,
    }
}

/// Something else is in use, or could be published again.
async fn another(store: &mut ClusterWatch, stable: &mut Option<(Option<Release>, bool)>) {
    loop {
        match store.next().await {
            Ok(status) => {
                let now = (status.head.stable, status.head.candidate.is_some());
                if stable.replace(now) != Some(now) {
                    return;
                }
            }
            // The next round says why.
            Err(_) => return pause(Some(AGAIN)).await,
        }
    }
}

async fn pause(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}
