//! Changes that come through the engine instead of from the disk: an update by a patch, a restored file.
//!
//! What is to be written is judged first, handlers are asked, then the files are written, then it is
//! applied: the engine's own write is one reload, and a change that is refused leaves no trace on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::batch::{Asked, Reason, Work};
use super::book::Touched;
use super::commands::at_once;
use super::edit::{Edit, FileEdit};
use super::receipt::Receipt;
use super::run::Engine;
use super::{Command, EngineHandle};
use crate::commit::permissions_of;
use crate::edit::{FileLayer, Patch, rewrite};
use crate::error::{Error, ErrorKind, Result};
use crate::history::{Content, Trigger};
use crate::load::Candidate;
use crate::route::{Routes, format_of};
use crate::watch::Stamp;

/// A change of a configuration's files that the engine is to make.
#[derive(Debug)]
pub(crate) struct Update {
    /// The configurations; all or none of them are changed.
    pub(crate) names: Vec<String>,
    /// The generation whose value it was made for.
    pub(crate) expected: Option<u64>,
    pub(crate) edit: Edit,
    pub(crate) asked: Asked,
}

impl Engine {
    /// Judges the change, and makes it.
    pub(super) fn update(&mut self, update: Update) {
        let Update { names, expected, edit, mut asked } = update;
        let stale = |expected| names.iter().find_map(|name| self.is_stale(name, expected));
        if let Some(stale) = expected.and_then(stale) {
            if let Some(reply) = asked.reply.take() {
                drop(reply.send(Err(stale)));
            }
            return;
        }
        self.want(&names);
        let now = Instant::now();
        let touch = |file: &FileEdit| {
            let known = || Stamp::of(&self.shared.root.join(&file.path)).unwrap_or_else(Stamp::unknown);
            Touched { due: at_once(file.path.clone(), now), now: file.content.as_ref().map(|_| known()) }
        };
        let edit = Arc::new(edit);
        let work = names.into_iter().map(|name| {
            let is_own = |file: &&FileEdit| self.book.routes.of(&file.path).config.as_deref() == Some(&name);
            let touched = edit.files.iter().filter(is_own).map(touch).collect();
            Work { forced: true, edit: Some(Arc::clone(&edit)), ..Work::new(name, touched) }
        });
        let work = work.collect();
        self.begin(work, Reason::Asked(asked));
    }

    /// Why a change that was made for a generation comes too late.
    fn is_stale(&self, name: &str, expected: u64) -> Option<Error> {
        let committed = &self.shared.committed;
        let since = committed.since(name)?;
        let message = if since > expected {
            format!("{name} has changed since generation {expected}: its value is of generation {since} now")
        } else if expected > committed.generation() {
            format!("there is no generation {expected} yet, the newest is {}", committed.generation())
        } else {
            return None;
        };
        Some(Error::new(ErrorKind::Conflict, message).help("look at the new value, and try again"))
    }

    /// What was written here is known: that the system tells of it, too, is no news.
    pub(super) fn expect_own_writes(&mut self, touched: &[Touched]) {
        self.catch_up();
        for Touched { due, now } in touched {
            let is_ours = match (now, Stamp::of(&self.shared.root.join(&due.path))) {
                (Some(written), Some(found)) => written.looks_like(&found),
                (None, None) => true,
                _ => false,
            };
            if is_ours {
                self.settle.forget(&due.path);
            }
        }
    }
}

impl EngineHandle {
    /// Changes a configuration's files as a patch says, if its value is still that of a generation.
    pub(crate) async fn update(&self, name: &str, expected: u64, patch: Patch) -> Result<Receipt> {
        let current = self.committed().get(name).ok_or_else(|| {
            let message = format!("there is no configuration {name:?} in use that could be updated");
            Error::new(ErrorKind::NotFound, message)
        })?;
        let root = self.root().to_path_buf();
        let made = tokio::task::spawn_blocking(move || edit_of(&current, &patch, &root));
        self.change(name, Some(expected), made.await??, Trigger::Update).await
    }

    /// Writes files of a configuration, if what they hold then is good.
    pub(crate) async fn change(
        &self,
        name: &str,
        expected: Option<u64>,
        edit: Edit,
        trigger: Trigger,
    ) -> Result<Receipt> {
        self.change_all(vec![name.to_owned()], expected, edit, trigger).await
    }

    /// Writes files of configurations, if what all of them hold then is good.
    pub(crate) async fn change_all(
        &self,
        names: Vec<String>,
        expected: Option<u64>,
        edit: Edit,
        trigger: Trigger,
    ) -> Result<Receipt> {
        let update = |reply| Update { names, expected, edit, asked: Asked::new(trigger, Some(reply)) };
        self.ask(|reply| Command::Update(Box::new(update(reply)))).await?
    }
}

/// What a patch makes of a configuration's files.
fn edit_of(current: &Candidate, patch: &Patch, root: &Path) -> Result<Edit> {
    let sources: Vec<_> = current.files().collect();
    let relative = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_path_buf();
    let paths: Vec<PathBuf> = sources.iter().map(|source| relative(&source.bytes.path)).collect();
    let layers = sources.iter().zip(&paths).filter_map(|(source, path)| {
        let format = format_of(path)?;
        Some(FileLayer { path, format, text: &source.text, node: &source.node })
    });
    let layers: Vec<FileLayer<'_>> = layers.collect();
    let texts = rewrite(&on_disk(current), &layers, &|pointer| current.stronger(pointer), patch)?;
    let files = texts.into_iter().map(|(at, text)| FileEdit {
        path: paths[at].clone(),
        content: Some(Arc::from(text.into_bytes())),
        permissions: None,
        expected: Some(sources[at].bytes.hash),
    });
    Ok(Edit { root: root.to_path_buf(), files: files.collect(), backs_up: false, is_trial: false })
}

/// The files of a revision put back, and those that it did not have taken away.
pub(super) fn restoring(name: &str, contents: Vec<Content>, root: &Path, routes: &Routes) -> Result<Edit> {
    let places = routes.layers().iter().flat_map(|layer| routes.candidates(name, *layer));
    let beside = places.filter(|path| {
        contents.iter().all(|content| content.path != *path) && root.join(path).symlink_metadata().is_ok()
    });
    let gone = beside.map(|path| FileEdit { path, content: None, permissions: None, expected: None });
    let gone: Vec<FileEdit> = gone.collect();
    let back = contents.into_iter().map(|Content { path, bytes, mode }| {
        let permissions = mode.map(|mode| permissions_of(Some(mode), root)).transpose()?;
        Ok(FileEdit { path, content: Some(bytes), permissions, expected: None })
    });
    let files = back.chain(gone.into_iter().map(Ok)).collect::<std::io::Result<Vec<_>>>()?;
    Ok(Edit { root: root.to_path_buf(), files, backs_up: true, is_trial: false })
}

/// A configuration's value with what waits for a restart as it is on disk.
fn on_disk(current: &Candidate) -> Value {
    let mut value = current.value.clone();
    for held in &current.held {
        if let (Some(place), Some(on_disk)) = (value.pointer_mut(&held.pointer), &held.on_disk) {
            *place = on_disk.clone();
        }
    }
    value
}
