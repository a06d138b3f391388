//! SIGHUP: the traditional way to ask a program for a reload, from outside and without a word.

use super::Command;
use super::batch::Asked;
use super::run::Engine;
use crate::error::Result;
use crate::history::Trigger;

/// Where an engine hears of the signal, if it listens at all.
#[derive(Debug)]
pub(super) struct HangUp {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl HangUp {
    /// Listens from now on, if that is wanted.
    ///
    /// # Errors
    ///
    /// The system's, when it does not let the process handle the signal.
    pub(super) fn new(wanted: bool) -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let signal = wanted.then(|| signal(SignalKind::hangup())).transpose()?;
        Ok(Self { signal })
    }

    /// Resolves when the signal came; never, where nobody listens. Several at a time may be one.
    pub(super) async fn next(&mut self) {
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

#[cfg(not(unix))]
impl HangUp {
    /// There is no such signal.
    pub(super) fn new(_wanted: bool) -> Result<Self> {
        Ok(Self {})
    }

    /// Never resolves.
    pub(super) async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

impl Engine {
    /// Looks at everything. One look answers all signals that came before it began.
    pub(super) fn reload_by_signal(&mut self) {
        let by_signal = |(_, command): &(_, Command)| matches!(command, Command::Reload(asked) if asked.trigger == Trigger::Signal);
        if !self.deferred.iter().any(by_signal) {
            self.obey(Command::Reload(Asked::new(Trigger::Signal, None)), self.next_batch);
        }
    }
}
