//! The chronicle: a thread that writes down which generations were good, in the order in which they came.
//!
//! Writing takes its time, since it has to survive a crash; neither the loop nor a reader waits for it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Result};
use crate::history::runs::Run;
use crate::history::{Content, History, NewRecord, Outcome, Trigger};
use crate::load::Candidate;
use crate::observe::Observe;

/// How many notes may wait to be written.
const CAPACITY: usize = 1024;

/// How long what came into use waits for a word on what became of it.
const LINGER: Duration = Duration::from_millis(10);

/// The handle of the thread.
#[derive(Debug, Clone)]
pub(crate) struct Chronicle {
    notes: mpsc::Sender<Note>,
    history: Arc<History>,
    observe: Arc<Observe>,
}

/// A generation of one configuration.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) config: String,
    pub(super) generation: u64,
    pub(super) trigger: Trigger,
    pub(super) files: Vec<Content>,
    pub(super) changed: Vec<String>,
}

#[derive(Debug)]
enum Note {
    /// It came into use.
    InUse(Box<Entry>),
    /// They have been in use for long enough to be trusted.
    Confirmed(Vec<String>),
    /// They were undone.
    Undone { configs: Vec<String>, reason: String },
    /// Everything before this has been written.
    Reached(oneshot::Sender<()>),
    /// The run ends here; cleanly, or not.
    End { clean: bool, done: oneshot::Sender<()> },
}

impl Note {
    /// Whether it confirms this one, which then need not be confirmed any more.
    fn confirms(&mut self, config: &str) -> bool {
        let Self::Confirmed(configs) = self else { return false };
        let before = configs.len();
        configs.retain(|confirmed| confirmed != config);
        configs.len() < before
    }
}

impl Chronicle {
    /// Starts the thread. `run` is the mark of this run, where crashes count.
    pub(super) fn start(history: Arc<History>, run: Option<Run>, observe: Arc<Observe>) -> Result<Self> {
        let (notes, inbox) = mpsc::channel(CAPACITY);
        let id = run.as_ref().map_or_else(new_run, |run| run.id().to_owned());
        let writer = Writer {
            history: Arc::clone(&history),
            run,
            id,
            observe: Arc::clone(&observe),
            in_use: HashMap::new(),
        };
        let timer = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name("rekindle-history".into());
        thread.spawn(move || writer.work(inbox, &timer))?;
        Ok(Self { notes, history, observe })
    }

    fn note(&self, note: Note) {
        if self.notes.try_send(note).is_err() {
            let lost = Error::from("changes come faster than they can be written; one is left out");
            self.observe.history(Err(&lost));
        }
    }

    pub(super) fn in_use(&self, entry: Entry) {
        if !entry.files.is_empty() {
            self.note(Note::InUse(Box::new(entry)));
        }
    }

    pub(super) fn confirmed(&self, configs: Vec<String>) {
        self.note(Note::Confirmed(configs));
    }

    pub(super) fn undone(&self, configs: Vec<String>, reason: String) {
        self.note(Note::Undone { configs, reason });
    }

    /// Waits until everything so far has been written.
    pub(crate) async fn reached(&self) {
        let (reply, done) = oneshot::channel();
        // The thread ends with the engine, and has then written everything.
        if self.notes.send(Note::Reached(reply)).await.is_ok() {
            let _ended = done.await;
        }
    }

    /// Lets the thread write what is left and end.
    pub(super) async fn end(&self, clean: bool) {
        let (reply, done) = oneshot::channel();
        if self.notes.send(Note::End { clean, done: reply }).await.is_ok() {
            let _ended = done.await;
        }
    }

    /// What it writes to, for whoever reads everything that is written so far.
    pub(super) async fn past(&self) -> Arc<History> {
        self.reached().await;
        Arc::clone(&self.history)
    }
}

/// A name for a run that leaves no mark.
fn new_run() -> String {
    format!("{}-{}", jiff::Timestamp::now().as_millisecond(), std::process::id())
}

impl Entry {
    pub(super) fn new(
        candidate: &Candidate,
        root: &std::path::Path,
        generation: u64,
        trigger: Trigger,
        changed: Vec<String>,
    ) -> Self {
        let content = |source: &Arc<crate::load::Source>| Content {
            path: source.bytes.path.strip_prefix(root).map_or_else(|_| PathBuf::new(), PathBuf::from),
            bytes: Arc::clone(&source.bytes.content),
            mode: mode(&source.bytes.permissions),
        };
        let files = candidate.files().map(content).filter(|file| !file.path.as_os_str().is_empty());
        Self { config: candidate.name.clone(), generation, trigger, files: files.collect(), changed }
    }
}

fn mode(permissions: &std::fs::Permissions) -> Option<u32> {
    #[cfg(unix)]
    return Some(std::os::unix::fs::PermissionsExt::mode(permissions));
    #[cfg(not(unix))]
    {
        let _ = permissions;
        None
    }
}

/// How much this thread gives way to others: a tenth of their share when all of them want the processor.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// What the program does for its users comes before writing down what it did. Best effort: one that may not is as it was.
fn step_back() {
    // On Linux this is of the calling thread alone; elsewhere it would be of the whole process.
    #[cfg(target_os = "linux")]
    if rustix::process::getpriority_process(None).is_ok_and(|now| now < NICENESS) {
        let _ = rustix::process::setpriority_process(None, NICENESS);
    }
}

/// What the thread has.
struct Writer {
    history: Arc<History>,
    run: Option<Run>,
    id: String,
    observe: Arc<Observe>,
    /// The revision that each configuration has now, and whether it is still to be confirmed.
    in_use: HashMap<String, (u64, bool)>,
}

impl Writer {
    fn work(mut self, mut inbox: mpsc::Receiver<Note>, timer: &Runtime) {
        step_back();
        let mut next = None;
        while let Some(note) = next.take().or_else(|| inbox.blocking_recv()) {
            let written = match note {
                Note::InUse(entry) => {
                    next = timer.block_on(self.what_follows(&mut inbox));
                    let is_confirmed = next.as_mut().is_some_and(|next| next.confirms(&entry.config));
                    self.begin_use(*entry, is_confirmed)
                }
                Note::Confirmed(configs) => configs.iter().try_for_each(|config| self.confirm(config)),
                Note::Undone { configs, reason } => {
                    configs.iter().try_for_each(|config| self.undo(config, &reason))
                }
                Note::Reached(reply) => {
                    // Whoever asked may have stopped waiting.
                    let _gone = reply.send(());
                    continue;
                }
                Note::End { clean, done } => {
                    self.end(clean);
                    let _gone = done.send(());
                    return;
                }
            };
            self.observe.history(written.as_ref().copied());
        }
        // The engine went without a word.
        self.end(false);
    }

    /// The next note, if it comes soon: as a rule it says what became of the one before, and to write that down
    /// together is half the work. Where crashes count nothing is waited for.
    async fn what_follows(&self, inbox: &mut mpsc::Receiver<Note>) -> Option<Note> {
        let patience = if self.run.is_none() { LINGER } else { Duration::ZERO };
        tokio::time::timeout(patience, inbox.recv()).await.ok().flatten()
    }

    fn begin_use(&mut self, entry: Entry, is_confirmed: bool) -> Result<()> {
        let Entry { config, generation, trigger, files, changed } = entry;
        let time = jiff::Timestamp::now();
        let outcome = if is_confirmed { Outcome::Confirmed } else { Outcome::Unconfirmed { crashes: 0 } };
        let run = self.id.clone();
        let new =
            NewRecord { config: config.clone(), generation, run, time, trigger, files, changed, outcome };
        let recorded = self.history.record(new)?;
        let revision = recorded.record.revision;
        let is_new = recorded.record.outcome != Outcome::Confirmed;
        self.in_use.insert(config.clone(), (revision, is_new));
        if let Some(run) = &mut self.run {
            if is_new { run.begin_use(&config, revision) } else { run.end_use(&config) }?;
        }
        if is_confirmed {
            // An older record of the same contents may not say so yet.
            self.confirm(&config)?;
        }
        recorded.untidy.map_or(Ok(()), Err)
    }

    fn confirm(&mut self, config: &str) -> Result<()> {
        let Some((revision, is_new)) = self.in_use.get_mut(config) else { return Ok(()) };
        if std::mem::take(is_new) {
            self.history.set_outcome(config, *revision, &Outcome::Confirmed)?;
        }
        self.run.as_mut().map_or(Ok(()), |run| run.end_use(config))
    }

    fn undo(&mut self, config: &str, reason: &str) -> Result<()> {
        let Some((revision, _)) = self.in_use.remove(config) else { return Ok(()) };
        self.history.set_outcome(config, revision, &Outcome::RolledBack { reason: reason.to_owned() })?;
        self.run.as_mut().map_or(Ok(()), |run| run.end_use(config))
    }

    /// The mark of a run that did not end cleanly stays.
    fn end(&mut self, clean: bool) {
        if let Some(run) = self.run.take().filter(|_| clean)
            && let Err(error) = run.end()
        {
            self.observe.history(Err(&error));
        }
    }
}
