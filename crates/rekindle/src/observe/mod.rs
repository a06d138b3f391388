//! Observe: what happened goes to the event bus, the handlers, the log and the status.
//!
//! The only place that logs and counts.

mod durations;
mod log;
#[cfg(feature = "metrics")]
mod metrics;
mod services;
pub(crate) mod spans;
mod status;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;
use tracing::Span;

use crate::engine::Receipt;
use crate::error::Error;
use crate::event::ChangeEvent;
use crate::propagate::{Awaited, Dispatch, Handlers};
use durations::Histograms;
pub use durations::{Durations, StageDurations};
pub(crate) use services::{job_ended, not_replaced, retired};
pub use status::{ConfigState, ConfigStatus, Drift, Pending, Status};

/// How many events a slow receiver of the bus may be behind before it is told that it lags.
const BUS_CAPACITY: usize = 1024;

/// How many receipts a slow receiver may be behind.
const RECEIPTS_CAPACITY: usize = 64;

/// How many receipts are kept.
const RECENT: usize = 64;

/// No configuration has this name.
const NO_CONFIG: &str = "";

/// The bus, the status and the figures of one engine.
#[derive(Debug)]
pub(crate) struct Observe {
    root: PathBuf,
    /// Taken at the end, so that receivers see it.
    bus: Mutex<Option<broadcast::Sender<ChangeEvent>>>,
    /// As the bus.
    receipts: Mutex<Option<broadcast::Sender<Receipt>>>,
    status: Mutex<Status>,
    past: Mutex<Past>,
    #[cfg(feature = "metrics")]
    metrics: metrics::Metrics,
}

/// What is kept of reloads that are done.
#[derive(Debug, Default)]
struct Past {
    durations: Histograms,
    /// The newest last.
    recent: VecDeque<Receipt>,
}

impl Past {
    fn note(&mut self, receipt: &Receipt) {
        self.durations.record(&receipt.stages);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(receipt.clone());
    }
}

impl Observe {
    pub(crate) fn new(root: &Path) -> Arc<Self> {
        let status = Mutex::new(Status::new(root));
        Arc::new(Self {
            root: root.to_path_buf(),
            bus: Mutex::new(Some(broadcast::Sender::new(BUS_CAPACITY))),
            receipts: Mutex::new(Some(broadcast::Sender::new(RECEIPTS_CAPACITY))),
            status,
            past: Mutex::default(),
            #[cfg(feature = "metrics")]
            metrics: metrics::Metrics::new(),
        })
    }

    fn bus(&self) -> MutexGuard<'_, Option<broadcast::Sender<ChangeEvent>>> {
        self.bus.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A receiver of every event from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<ChangeEvent> {
        self.bus().as_ref().map_or_else(|| broadcast::channel(1).1, broadcast::Sender::subscribe)
    }

    /// How many events wait for the slowest receiver.
    pub(crate) fn waiting(&self) -> usize {
        self.bus().as_ref().map_or(0, broadcast::Sender::len)
    }

    /// Tells everybody but the handlers.
    pub(crate) fn tell(&self, event: ChangeEvent) {
        log::event(&event);
        self.edit(|status| status.count(&event));
        if let Some(bus) = &*self.bus() {
            // Fails when nobody listens, which is their choice.
            let _nobody_listens = bus.send(event);
        }
    }

    /// Tells everybody of something about `paths`, relative to the root.
    pub(crate) fn announce(
        &self,
        handlers: &Handlers,
        event: ChangeEvent,
        paths: &[PathBuf],
        of_config: bool,
    ) -> Vec<Awaited> {
        let awaited = handlers.dispatch(&Dispatch { event: &event, paths, of_config, is_change: true });
        self.tell(event);
        awaited
    }

    /// A reload is done, whatever came of it.
    pub(crate) fn completed(&self, receipt: &Receipt, span: &Span) {
        spans::record(span, receipt);
        span.in_scope(|| log::times(receipt));
        #[cfg(feature = "metrics")]
        self.metrics.completed(receipt);
        self.past().note(receipt);
        self.edit(|status| status.last_reload = Some(receipt.clone()));
        if let Some(receipts) = &*self.receipts() {
            // Fails when nobody listens, which is their choice.
            let _nobody_listens = receipts.send(receipt.clone());
        }
    }

    fn receipts(&self) -> MutexGuard<'_, Option<broadcast::Sender<Receipt>>> {
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The receipt of every reload from now on.
    pub(crate) fn subscribe_to_receipts(&self) -> broadcast::Receiver<Receipt> {
        self.receipts().as_ref().map_or_else(|| broadcast::channel(1).1, broadcast::Sender::subscribe)
    }

    /// A configuration on disk is not fit to be applied.
    pub(crate) fn failed(&self, handlers: &Handlers, name: &str, error: &Error) {
        let event = ChangeEvent::ValidationFailed {
            config_name: name.to_owned(),
            error: error.to_string(),
            path: error.path().map(Path::to_path_buf),
            line: error.line(),
            column: error.column(),
        };
        let paths: Vec<PathBuf> = error
            .path()
            .and_then(|path| path.strip_prefix(&self.root).ok())
            .map(Path::to_path_buf)
            .into_iter()
            .collect();
        let _no_change = self.announce(handlers, event, &paths, true);
    }

    /// Notes whether the history could be written. The same failure is told once.
    pub(crate) fn history(&self, written: Result<(), &Error>) {
        let failure = written.err().map(ToString::to_string);
        let mut is_news = false;
        self.edit(|status| {
            is_news = status.history_failure != failure;
            status.history_failure.clone_from(&failure);
        });
        if let Some(error) = failure.filter(|_| is_news) {
            self.tell(ChangeEvent::HistoryFailed { error });
        }
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last receipts, the newest last.
    pub(crate) fn recent(&self) -> Vec<Receipt> {
        self.past().recent.iter().cloned().collect()
    }

    /// Notes where the control socket is, or why there is none. The same failure is told once.
    pub(crate) fn control(&self, opened: Result<Option<&Path>, &Error>) {
        let failure = opened.err().map(ToString::to_string);
        let mut is_news = false;
        self.edit(|status| {
            is_news = status.control_failure != failure;
            status.control_failure.clone_from(&failure);
            status.control_socket = opened.ok().flatten().map(Path::to_path_buf);
        });
        if let Some(error) = failure.filter(|_| is_news) {
            tracing::warn!(error, "the control socket is not open");
        }
    }

    /// Changes the status, but for how configurations are.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut Status)) {
        self.edit_config(NO_CONFIG, change);
    }

    /// Changes the status, and how one configuration is.
    pub(crate) fn edit_config(&self, name: &str, change: impl FnOnce(&mut Status)) {
        #[cfg(feature = "metrics")]
        self.metrics.follow(&self.status, name, change);
        #[cfg(not(feature = "metrics"))]
        {
            let _only_counted = name;
            change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// The status now.
    pub(crate) fn status(&self) -> Status {
        let status = self.status.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Status { durations: self.past().durations.summary(), ..status }
    }

    /// Ends all receivers.
    pub(crate) fn close(&self) {
        #[cfg(feature = "metrics")]
        self.metrics.close();
        drop(self.bus().take());
        drop(self.receipts().take());
    }
}
