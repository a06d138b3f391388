//! Observe: what happened goes to the event bus, the handlers, the log and the status.
//!
//! The only place that logs and counts.

mod status;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use crate::engine::Receipt;
use crate::error::Error;
use crate::event::ChangeEvent;
use crate::propagate::{Awaited, Dispatch, Handlers};
pub use status::{ConfigState, ConfigStatus, Drift, Pending, Status};

/// How many events a slow receiver of the bus may be behind before it is told that it lags.
const BUS_CAPACITY: usize = 1024;

/// How many receipts a slow receiver may be behind.
const RECEIPTS_CAPACITY: usize = 64;

/// The bus and the status of one engine.
#[derive(Debug)]
pub(crate) struct Observe {
    root: PathBuf,
    /// Taken at the end, so that receivers see it.
    bus: Mutex<Option<broadcast::Sender<ChangeEvent>>>,
    /// As the bus.
    receipts: Mutex<Option<broadcast::Sender<Receipt>>>,
    status: Mutex<Status>,
}

impl Observe {
    pub(crate) fn new(root: &Path) -> Arc<Self> {
        let status = Mutex::new(Status::new(root));
        Arc::new(Self {
            root: root.to_path_buf(),
            bus: Mutex::new(Some(broadcast::Sender::new(BUS_CAPACITY))),
            receipts: Mutex::new(Some(broadcast::Sender::new(RECEIPTS_CAPACITY))),
            status,
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
        log(&event);
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
        let awaited = handlers.dispatch(&Dispatch { event: &event, paths, of_config });
        self.tell(event);
        awaited
    }

    /// A reload is done, whatever came of it.
    pub(crate) fn completed(&self, receipt: &Receipt) {
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

    /// Changes the status.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The status now.
    pub(crate) fn status(&self) -> Status {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends all receivers.
    pub(crate) fn close(&self) {
        drop(self.bus().take());
        drop(self.receipts().take());
    }
}

fn log(event: &ChangeEvent) {
    match event {
        ChangeEvent::ConfigChanged { config_name, generation, changed, duration, secrets, .. } => {
            let changed = secrets.conceal(changed);
            tracing::info!(config_name, generation, ?changed, ?duration, "configuration changed");
        }
        ChangeEvent::FileChanged { path, change_type } => {
            tracing::debug!(?path, ?change_type, "file changed");
        }
        ChangeEvent::ValidationFailed { config_name, error, .. } => {
            tracing::error!(config_name, error, "configuration refused, the last good value stays");
        }
        ChangeEvent::ReloadCompleted { config_name, duration } => {
            tracing::debug!(config_name, ?duration, "reload completed");
        }
        ChangeEvent::RolledBack { from, to, generation, configs, reason } => {
            tracing::error!(from, to, generation, ?configs, reason, "rolled back");
        }
        ChangeEvent::FellBack { config_name, revision, reason } => {
            tracing::error!(
                config_name,
                revision,
                reason,
                "not fit to start with, an earlier revision is in use"
            );
        }
        ChangeEvent::HistoryFailed { error } => tracing::warn!(error, "history failed"),
        ChangeEvent::Confirmed { generation, configs } => {
            tracing::info!(generation, ?configs, "passed its probation");
        }
        ChangeEvent::HandlerFailed { handler, error } => tracing::error!(handler, error, "handler failed"),
        ChangeEvent::Degraded { reason } => tracing::warn!(reason, "degraded"),
        ChangeEvent::Recovered { config_name } => tracing::info!(config_name, "recovered"),
        ChangeEvent::Rescanned { reason, found } => tracing::warn!(reason, found, "rescanned"),
        ChangeEvent::ConfigShadowed { config_name, used, ignored } => {
            tracing::warn!(config_name, ?used, ?ignored, "two files for one layer");
        }
        ChangeEvent::BackupFailed { path, error } => tracing::error!(?path, error, "backup failed"),
        ChangeEvent::Lagged { missed } => tracing::warn!(missed, "receiver lagged"),
    }
}
