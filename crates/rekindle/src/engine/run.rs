//! The loop: waits for the file system, the clock, finished jobs and commands, and drives the stages.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::backlog::Backlog;
use super::batch::{Batch, BatchId, Reason};
use super::book::Book;
use super::chronicle::Chronicle;
use super::commands::source;
use super::compare::{Comparison, SLICE, Why};
use super::externals::ExternalSources;
use super::fallback::{self, Fallback};
use super::flight::Flight;
use super::git::GitLock;
use super::job::Outcome;
use super::probation::OnProbation;
use super::signal::HangUp;
use super::timer::Timer;
use super::trial::Undo;
use super::{Command, Shared};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::settle::Settle;
use crate::watch::{Inventory, Stirred, Watch};

/// How often to see whether git is still at work, where the quiet is shorter than this.
const LEAST_QUIET: Duration = Duration::from_millis(1);

/// How long a shutdown waits for what is in flight. It is to return within a second.
const FAREWELL: Duration = Duration::from_millis(800);

/// How long it then waits for the history to be written.
const LAST_WORDS: Duration = Duration::from_millis(150);

/// The state of one engine. Its methods drive the stages: here the loop, in `look` what is due, in
/// `batch` what is judged and committed, in `commands` what is asked for.
pub(super) struct Engine {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: Settings,
    pub(super) externals: ExternalSources,
    pub(super) watch: Watch,
    pub(super) inventory: Inventory,
    pub(super) settle: Settle,
    pub(super) book: Book,
    pub(super) batches: BTreeMap<BatchId, Batch>,
    pub(super) next_batch: BatchId,
    pub(super) flights: JoinSet<Flight>,
    /// Jobs that overran their time and still run, with the configurations they keep busy.
    pub(super) stuck: Vec<(Vec<String>, JoinHandle<Outcome>)>,
    /// Commands that wait for what is in flight, each with the batch that was the next when it came.
    pub(super) deferred: Vec<(BatchId, Command)>,
    /// Plain files that are due.
    pub(super) backlog: Backlog,
    /// Plain files whose content is to be known, for when there is nothing else to do.
    pub(super) unread: VecDeque<PathBuf>,
    pub(super) git: GitLock,
    /// The comparison under way, and when the next begins.
    pub(super) comparison: Option<Comparison>,
    pub(super) next_scan: Instant,
    /// When to look again at what cannot be watched or read.
    pub(super) next_retry: Option<Instant>,
    /// Where it is written down which generations were good.
    pub(super) chronicle: Option<Chronicle>,
    pub(super) fallback: Option<Arc<Fallback>>,
    /// When a generation has been in use for long enough that a crash is none of its doing.
    pub(super) untrusted: BTreeMap<String, Instant>,
    /// What is in use and not confirmed yet.
    pub(super) probation: Option<OnProbation>,
    /// What has failed its probation and is to be undone.
    pub(super) due_undo: Option<(Undo, Error)>,
    pub(super) hang_up: HangUp,
    timer: Timer,
}

/// The body of the engine's thread.
pub(super) fn thread(
    runtime: Runtime,
    shared: &Arc<Shared>,
    settings: Settings,
    inbox: mpsc::Receiver<Command>,
    ready: oneshot::Sender<Result<()>>,
) {
    // However this thread ends, nobody may wait for it for ever.
    let _closing = CloseOnDrop(shared);
    runtime.block_on(async {
        match Engine::new(Arc::clone(shared), settings) {
            Ok(engine) => engine.run(inbox, ready).await,
            Err(error) => drop(ready.send(Err(error))),
        }
    });
    // A handler or check that hangs must not hold the thread.
    runtime.shutdown_background();
}

struct CloseOnDrop<'a>(&'a Shared);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What woke the loop.
enum Woken {
    Files(Stirred),
    Externals,
    Landed(Flight),
    ProbationEnded(Option<Error>),
    HungUp,
    Asked(Option<Command>),
    Clock,
}

impl Engine {
    fn new(shared: Arc<Shared>, settings: Settings) -> Result<Self> {
        let mut interest = settings.interest()?;
        interest.add_patterns(shared.handlers.patterns());
        let externals = ExternalSources::new(&settings, &shared.root)?;
        for name in externals.known.names() {
            interest.add_config(name);
        }
        let watch = Watch::new(&shared.root, interest, source(&settings));
        let settle = Settle::new(settings.settle, settings.window());
        let book = Book::new(settings.routes());
        let git = GitLock::of(&shared.root);
        let (chronicle, fallback) = fallback::open(&settings, &shared.root, &shared.observe)?;
        shared.set_chronicle(chronicle.clone());
        let hang_up = HangUp::new(settings.reload_on_sighup)?;
        let mut engine = Self {
            chronicle,
            fallback,
            untrusted: BTreeMap::new(),
            shared,
            settings,
            externals,
            watch,
            inventory: Inventory::default(),
            settle,
            book,
            batches: BTreeMap::new(),
            next_batch: 0,
            flights: JoinSet::new(),
            stuck: Vec::new(),
            deferred: Vec::new(),
            backlog: Backlog::default(),
            unread: VecDeque::new(),
            git,
            comparison: None,
            next_scan: Instant::now(),
            next_retry: None,
            probation: None,
            due_undo: None,
            hang_up,
            timer: Timer::new()?,
        };
        engine.next_scan += engine.scan_interval();
        Ok(engine)
    }

    async fn run(mut self, mut inbox: mpsc::Receiver<Command>, ready: oneshot::Sender<Result<()>>) {
        self.take_stock(Reason::First(self.signal_started(ready)));
        let farewell = loop {
            match self.wait(&mut inbox).await {
                Woken::Files(Stirred::Files) => self.catch_up(),
                Woken::Files(Stirred::Mounts) if self.watch.was_remounted() => self.compare(Why::Remounted),
                Woken::Files(Stirred::Mounts) => {}
                Woken::Externals => self.reread_externals(),
                Woken::Landed(flight) => self.arrive(flight),
                Woken::ProbationEnded(failure) => self.end_probation(failure),
                Woken::HungUp => self.reload_by_signal(),
                Woken::Asked(Some(Command::Shutdown { reply })) => break Some(reply),
                Woken::Asked(Some(command)) => self.obey(command, self.next_batch),
                Woken::Asked(None) => break None,
                Woken::Clock => {}
            }
            self.on_clock();
        };
        inbox.close();
        self.finish().await;
        self.shared.close();
        if let Some(reply) = farewell {
            // Whoever asked may have stopped waiting.
            let _gone = reply.send(());
        }
    }

    async fn wait(&mut self, inbox: &mut mpsc::Receiver<Command>) -> Woken {
        let deadline = self.deadline();
        tokio::select! {
            biased;
            Some(landed) = self.flights.join_next() => match landed {
                Ok(landed) => Woken::Landed(landed),
                // A flight catches everything itself; a cancelled one has nobody to report to.
                Err(_) => Woken::Clock,
            },
            failure = OnProbation::end(&mut self.probation) => Woken::ProbationEnded(failure),
            () = freed(&mut self.stuck) => Woken::Clock,
            // Before the files: a writer that never stops must not keep anybody waiting for an answer.
            command = inbox.recv() => Woken::Asked(command),
            () = self.externals.stirred() => Woken::Externals,
            () = self.hang_up.next() => Woken::HungUp,
            stirred = self.watch.changed() => Woken::Files(stirred),
            () = self.timer.at(deadline) => Woken::Clock,
        }
    }

    fn arrive(&mut self, flight: Flight) {
        match flight {
            Flight::Landed(landed) => self.land(*landed),
            Flight::Tried(tried) => self.tried(tried),
            Flight::Reverted(reverted) => self.reverted(reverted),
        }
    }

    fn deadline(&mut self) -> Instant {
        let now = Instant::now();
        let under_way = (self.comparison.is_some() || !self.unread.is_empty()).then_some(now);
        let deadlines = [
            self.settle.wake(),
            self.batch_deadline(),
            self.backlog.deadline(now),
            self.next_retry,
            self.untrusted.values().min().copied(),
            under_way,
        ];
        deadlines.into_iter().flatten().fold(self.next_scan, Instant::min)
    }

    /// Everything that a moment can bring about, whatever woke the loop.
    fn on_clock(&mut self) {
        let now = Instant::now();
        self.go_on_comparing(now);
        // A writer may have begun anew since the last look at what the system told.
        self.catch_up();
        if self.settle.wake().is_some_and(|wake| wake <= now) {
            self.look_at_what_is_due(now);
        }
        self.work_off(now);
        self.fingerprint(usize::MAX, Some(now + SLICE));
        self.commit_overdue(now);
        self.free_stuck();
        self.undo_what_failed();
        self.trust(now);
        // Each decides for itself whether it still has to wait.
        let deferred = std::mem::take(&mut self.deferred);
        let held_back = !deferred.is_empty();
        deferred.into_iter().for_each(|(since, command)| self.obey(command, since));
        if held_back && !self.holds_back() {
            self.begin_waiting();
        }
    }

    fn look_at_what_is_due(&mut self, now: Instant) {
        if self.settle.batch_is_due(now) && self.git.is_held() {
            self.settle.prolong(now + LEAST_QUIET.saturating_sub(self.settings.settle));
        }
        let due = self.settle.due(now);
        if !due.is_empty() {
            self.look(due);
        }
    }

    fn free_stuck(&mut self) {
        let (over, still): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.stuck).into_iter().partition(|(_, job)| job.is_finished());
        self.stuck = still;
        over.into_iter().for_each(|(names, _)| self.free(&names));
    }

    /// Lets everything in flight land and be handed on, for as long as a farewell may take.
    async fn finish(&mut self) {
        let farewell = async {
            self.catch_up();
            tokio::time::sleep(self.settings.settle).await;
            let due = self.settle.due(Instant::now());
            self.look(due);
            self.work_off_all();
            while let Some(landed) = self.flights.join_next().await {
                landed.into_iter().for_each(|flight| self.arrive(flight));
            }
            self.shared.handlers.finish().await;
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            tracing::warn!("shut down while a handler or a check was still at work");
        }
        if let Some(chronicle) = &self.chronicle {
            // A handler that hangs makes no crash of a clean end.
            let written = chronicle.end(!self.shared.is_crashing());
            if tokio::time::timeout(LAST_WORDS, written).await.is_err() {
                tracing::warn!("shut down while the history was still being written");
            }
        }
    }
}

/// Resolves when one of the jobs that overran their time has ended after all.
async fn freed(stuck: &mut [(Vec<String>, JoinHandle<Outcome>)]) {
    std::future::poll_fn(|context| {
        let ended = stuck
            .iter_mut()
            .any(|(_, job)| job.is_finished() || std::pin::Pin::new(job).poll(context).is_ready());
        if ended { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
