//! What configurations are layered from beside their files: watched, and read again when it stirs.
//!
//! The secrets directory and the dotenv file lie outside of the watch patterns, and often outside of the
//! root. Each has a watch of its own, which looks for it at an interval while it is not there.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::batch::{Reason, Work};
use super::commands::source;
use super::flight::Landed;
use super::run::Engine;
use crate::config::Settings;
use crate::error::Result;
use crate::load::{Externals, places};
use crate::watch::PlaceWatch;

/// What was read last, and the watches on what it was read from.
#[derive(Debug)]
pub(super) struct ExternalSources {
    pub(super) known: Arc<Externals>,
    watch: PlaceWatch,
}

impl ExternalSources {
    /// Arms the places that the settings name, and then reads them.
    pub(super) fn new(settings: &Settings, root: &std::path::Path) -> Result<Self> {
        let places = places(settings, root);
        let watch = PlaceWatch::new(&places, source(settings), settings.poll, settings.window())?;
        Ok(Self { known: Arc::new(Externals::read(settings, environment(), root)), watch })
    }

    /// Resolves when something in one of the places has changed. Never, when there is none.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped: what has stirred is told by the next call.
    pub(super) async fn stirred(&mut self) {
        self.watch.changed().await;
    }
}

impl Engine {
    /// Reads what lies beside the files again. Gives the configurations whose part of it changed.
    pub(super) fn refresh_externals(&mut self) -> Vec<String> {
        let read = Arc::new(self.externals.known.reread(&self.settings, &self.shared.root));
        let before = std::mem::replace(&mut self.externals.known, Arc::clone(&read));
        let names = self.book.names().into_iter();
        names.filter(|name| !read.same_for(name, &before)).collect()
    }

    /// Judges anew what has changed beside the files, as one batch.
    pub(super) fn reread_externals(&mut self) {
        let concerned = self.refresh_externals().into_iter();
        // Nothing is touched: of their files, what is known counts.
        let work: Vec<Work> = concerned.map(|name| Work::new(name, Vec::new())).collect();
        if !work.is_empty() {
            self.begin(work, Reason::Change);
        }
    }

    /// A group is to be looked at again for the files of some. The others were in it for what lies beside
    /// their files, which nothing would bring up again: they have their turn at once.
    pub(super) fn put_off_untouched(&mut self, landed: &Landed) {
        let routes = &self.book.routes;
        let touched = landed.touched.iter().filter_map(|touched| routes.of(&touched.due.path).config);
        let touched: BTreeSet<String> = touched.collect();
        for name in landed.names.iter().filter(|name| !touched.contains(*name)) {
            self.book.put_off(name.clone(), Vec::new());
        }
    }
}

/// The environment of the process. A variable that is not UTF-8 cannot be meant for a configuration.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
}
