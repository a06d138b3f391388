//! What the control socket needs of an engine's handle: to be opened and closed, the settings, and the
//! history, which can be read and brought back whether or not this engine writes it.

use std::sync::{Arc, PoisonError};

use super::EngineHandle;
use super::update::restoring;
use crate::config::Settings;
use crate::engine::Receipt;
use crate::error::Result;
use crate::history::{Content, History, HistoryEntry, Limits, Trigger};
use crate::route::Routes;

impl EngineHandle {
    /// The settings that it runs with.
    pub(crate) fn settings(&self) -> Settings {
        self.stated.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
    }

    /// Opens the control socket, if it is to be open and is not.
    #[cfg(unix)]
    pub(crate) async fn open_control(self: &Arc<Self>) {
        let is_open = || self.control.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let Some(path) = self.settings().control.filter(|_| !is_open()) else { return };
        match crate::control::Server::start(self, self.root().join(path)).await {
            Ok(server) => {
                *self.control.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
            }
            Err(error) => self.shared.observe.control(Err(&error)),
        }
    }

    /// Says that there is none, if there is to be one.
    #[cfg(not(unix))]
    pub(crate) async fn open_control(self: &Arc<Self>) {
        if self.settings().control.is_some() {
            let error = crate::error::Error::from("there are control sockets on Unix systems only");
            self.shared.observe.control(Err(&error));
        }
    }

    /// Closes the control socket, if it is open.
    pub(super) async fn close_control(&self) {
        #[cfg(unix)]
        {
            let server = self.control.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(server) = server {
                server.close().await;
            }
        }
    }

    /// The history, with everything in it that came into use so far.
    async fn past(&self) -> Arc<History> {
        match self.shared.chronicle() {
            Ok(chronicle) => chronicle.past().await,
            Err(_) => Arc::new(History::open(self.root(), Limits::default())),
        }
    }

    /// The revisions of a configuration, or of all that there are any of, oldest first.
    pub(crate) async fn revisions(&self, name: Option<String>) -> Result<Vec<HistoryEntry>> {
        let history = self.past().await;
        let observe = Arc::clone(&self.shared.observe);
        let list = move || {
            let names = name.map_or_else(|| history.names(), |name| Ok(vec![name]))?;
            let mut entries = Vec::new();
            for name in names {
                let listing = history.list(&name)?;
                listing.damaged.iter().for_each(|damaged| observe.history(Err(&damaged.error)));
                entries.extend(listing.records.into_iter().map(HistoryEntry::from));
            }
            Ok(entries)
        };
        tokio::task::spawn_blocking(list).await?
    }

    /// The files of a revision.
    pub(crate) async fn revision(&self, name: &str, revision: u64) -> Result<Vec<Content>> {
        let (history, name) = (self.past().await, name.to_owned());
        let contents = move || history.contents(&history.get(&name, revision)?);
        tokio::task::spawn_blocking(contents).await?
    }

    /// Brings a revision back.
    pub(crate) async fn restore_revision(&self, name: &str, revision: u64) -> Result<Receipt> {
        let contents = self.revision(name, revision).await?;
        let routes =
            Routes::new(self.shared.observe.status().environment).with_remote(self.settings().remote);
        let edit = restoring(name, contents, self.root(), &routes)?;
        self.change(name, None, edit, Trigger::Rollback).await
    }
}
