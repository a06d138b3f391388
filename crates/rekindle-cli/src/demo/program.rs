//! The demo's program: it subscribes as any would, and tells what it saw of an edit, and when.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rekindle::{
    Candidate, ChangeEvent, ConfigStream, Error, ErrorKind, HotReload, HotReloadManager, Live, Probation,
    Registration, ReloadHandler,
};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout_at;

use super::project::Project;
use super::script::{Act, Awaited, ENVIRONMENT, Step};
use crate::args::BACKUPS_KEPT;
use crate::record::{Record, Scribe};
use crate::stop::Stop;

/// Far more than an edit can take: beyond it, it is not seen at all.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// How long a change is on probation. Short: every step waits for its end.
const PROBATION: Duration = Duration::from_millis(40);

/// The settings of the program, typed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct App {
    pub(super) greeting: String,
    pub(super) port: u16,
    pub(super) workers: u32,
    pub(super) log: Log,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Log {
    pub(super) level: String,
}

/// The program's pool of workers: it has a say in its size.
struct Pool;

/// The most workers that the pool has room for, whatever the schema allows.
const ROOM: u64 = 32;

#[rekindle::async_trait]
impl ReloadHandler for Pool {
    async fn prepare(&self, candidate: &Candidate) -> rekindle::Result<()> {
        if candidate.new_value()["workers"].as_u64() <= Some(ROOM) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Other, format!("there is room for {ROOM}")).about("/workers"))
    }

    async fn handle_change(&self, _event: ChangeEvent) -> rekindle::Result<()> {
        Ok(())
    }

    fn can_handle(&self, _event: &ChangeEvent) -> bool {
        true
    }
}

/// What the program makes of a greeting: without one it still runs, and does no good.
fn greet(event: &ChangeEvent, healthy: &AtomicBool) -> rekindle::Result<()> {
    if let ChangeEvent::ConfigChanged { config_name, new_value, .. } = event
        && config_name == "app"
    {
        healthy.store(new_value["greeting"].as_str() != Some(""), Ordering::SeqCst);
    }
    Ok(())
}

/// The program, running.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) manager: HotReloadManager,
    stream: ConfigStream<App>,
    live: Live<App>,
    events: Receiver<ChangeEvent>,
}

/// What the program saw of one edit.
#[derive(Debug)]
pub(super) struct Sighting {
    /// From the end of the edit to what was awaited; `None` if it never came.
    pub(super) after: Option<Duration>,
    /// The value it holds now.
    pub(super) app: App,
    /// Every event, in [`words`], in order.
    pub(super) events: Vec<String>,
}

impl Program {
    /// Starts it on a project.
    pub(super) async fn start(project: &Project) -> Result<Self, Stop> {
        let healthy = Arc::new(AtomicBool::new(true));
        let greets = Arc::clone(&healthy);
        let builder = HotReload::builder(project.root())
            .environment(ENVIRONMENT)
            .backup(true, BACKUPS_KEPT)
            .register(Registration::new(Pool).named("pool").at("app", "/workers"))
            .register(Registration::new(move |event| greet(&event, &healthy)).named("greeter").critical())
            .probation(Probation::of(PROBATION).every(PROBATION / 4))
            .health_check("greeting", move || match greets.load(Ordering::SeqCst) {
                true => Ok(()),
                false => Err("visitors are not greeted".into()),
            });
        let manager = builder.start().await?;
        let stream = manager.watch::<App>("app").await?;
        Ok(Self { live: stream.live(), stream, events: manager.subscribe(), manager })
    }

    /// The value it holds.
    pub(super) fn app(&self) -> App {
        App::clone(&self.live.load())
    }

    /// Makes an edit and sees what comes of it.
    pub(super) async fn see(&mut self, project: &Project, step: &Step) -> Result<Sighting, Stop> {
        let done = self.perform(project, &step.act).await?;
        let mut watcher = Watcher { step, at: None, events: Vec::new() };
        let deadline = (done + LIMIT).into();
        // The limit is over: what is missing shows in the sighting.
        let _late = timeout_at(deadline, self.wait(&mut watcher)).await;
        // A barrier: what the engine still had to tell of this edit, it has told once this is answered.
        self.manager.reload_now().await?;
        while let Ok(event) = self.events.try_recv() {
            watcher.note(self.words(event));
        }
        let after = watcher.at.map(|at| at.saturating_duration_since(done));
        Ok(Sighting { after, app: self.app(), events: watcher.events })
    }

    /// Makes an edit; the answer is the moment at which it was complete.
    async fn perform(&self, project: &Project, act: &Act) -> Result<Instant, Stop> {
        match *act {
            Act::SaveByRename(file, text) => project.save_by_rename(file, text)?,
            Act::SaveInPlace(file, text) => project.save_in_place(file, text)?,
            Act::SaveTruncated(file, text) => project.save_truncated(file, text).await?,
            Act::Rename(file, to) => project.rename(file, to)?,
            Act::Remove(file) => project.remove(file)?,
            Act::Restore(file) => {
                // Complete when the file is back, which is somewhere in there: counted in full.
                let asked = Instant::now();
                let backups = self.manager.backups(file)?;
                let newest =
                    backups.last().ok_or_else(|| Error::new(ErrorKind::Backup, "there is no backup"))?;
                self.manager.restore_backup(newest).await?;
                return Ok(asked);
            }
            Act::Rollback => {
                let asked = Instant::now();
                let entries = self.manager.history("app").await?;
                let mut good = entries.iter().rev().filter(|entry| entry.outcome.is_good());
                let before = good.nth(1).map_or(0, |entry| entry.revision);
                self.manager.rollback("app", before).await?;
                return Ok(asked);
            }
        }
        Ok(Instant::now())
    }

    /// Waits until everything the step announces has been seen.
    async fn wait(&mut self, watcher: &mut Watcher<'_>) {
        while !watcher.is_content() {
            tokio::select! {
                value = self.stream.next() => match value {
                    Some(_) => watcher.awaited(Awaited::Value),
                    None => return,
                },
                event = self.events.recv() => match event {
                    Ok(event) => watcher.note(self.words(event)),
                    Err(lost) => watcher.note(lost.to_string()),
                },
            }
        }
    }

    fn words(&self, event: ChangeEvent) -> String {
        words(&Scribe::new(&self.manager).record(event))
    }
}

/// An event in few words, for comparing it with what was to come.
pub(super) fn words(record: &Record) -> String {
    match record {
        Record::ConfigChanged { config_name, .. } => format!("changed {config_name}"),
        Record::ReloadCompleted { config_name, .. } => format!("completed {config_name}"),
        Record::FileChanged { path, change_type, .. } => format!("{change_type} {path}"),
        Record::RolledBack { config_names, .. } => format!("rolled back {}", config_names.join(", ")),
        Record::Confirmed { config_names, .. } => format!("confirmed {}", config_names.join(", ")),
        Record::Recovered { config_name } => {
            format!("recovered {}", config_name.as_deref().unwrap_or("everything"))
        }
        Record::ValidationFailed {
            config_name,
            path: Some(path),
            line: Some(line),
            column: Some(column),
            ..
        } => {
            format!("refused {config_name} {path}:{line}:{column}")
        }
        other => format!("{other:?}"),
    }
}

/// Collects what is seen of one edit.
struct Watcher<'a> {
    step: &'a Step,
    at: Option<Instant>,
    events: Vec<String>,
}

impl Watcher<'_> {
    fn note(&mut self, event: String) {
        if self.step.events.first().is_some_and(|first| *first == event) {
            self.awaited(Awaited::Event);
        }
        self.events.push(event);
    }

    fn awaited(&mut self, what: Awaited) {
        if self.step.awaited == what {
            self.at.get_or_insert_with(Instant::now);
        }
    }

    fn is_content(&self) -> bool {
        self.at.is_some() && self.step.events.iter().all(|event| self.events.iter().any(|seen| seen == event))
    }
}
