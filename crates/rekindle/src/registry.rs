//! Root → engine: one engine per root, however many streams, managers and handlers.
//!
//! The only process-wide state there is.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use crate::config::Settings;
use crate::engine::{EngineHandle, Parts};
use crate::error::{Error, ErrorKind, Location, Result};
use crate::propagate::Registration;

static SLOTS: LazyLock<Mutex<HashMap<PathBuf, Arc<Slot>>>> = LazyLock::new(Mutex::default);

/// What there is for one root.
#[derive(Debug, Default)]
struct Slot {
    state: Mutex<SlotState>,
    /// Held while an engine starts, so that there is never a second.
    starting: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct SlotState {
    engine: Weak<EngineHandle>,
    /// Handlers that were registered before there was an engine.
    early: Vec<Registration>,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> Option<Arc<EngineHandle>> {
        self.lock().engine.upgrade().filter(|engine| engine.is_running())
    }
}

/// The slot of a root. Links to the same directory are the same root.
fn slot(root: &Path) -> Arc<Slot> {
    let key = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    slots.retain(|_, slot| {
        let state = slot.lock();
        Arc::strong_count(slot) > 1 || state.engine.strong_count() > 0 || !state.early.is_empty()
    });
    Arc::clone(slots.entry(key).or_default())
}

/// The engine of a root: the one that runs, or a new one.
///
/// `stated` are options that somebody chose; without them the engine that runs is fine as it is.
pub(crate) async fn engine(
    root: &Path,
    stated: Option<Settings>,
    mut parts: Parts,
) -> Result<Arc<EngineHandle>> {
    let root = std::path::absolute(root)?;
    let anywhere = stated.as_ref().is_some_and(|settings| settings.allow_any_root);
    check_root(&root, anywhere)?;
    let slot = slot(&root);
    let _starting = slot.starting.lock().await;
    if let Some(engine) = slot.running() {
        engine.join(stated).await?;
        engine.shared().checks.lock().unwrap_or_else(PoisonError::into_inner).extend(parts.checks);
        let shared = engine.shared();
        shared.health_checks.lock().unwrap_or_else(PoisonError::into_inner).extend(parts.health_checks);
        parts.handlers.into_iter().try_for_each(|handler| engine.add_handler(handler))?;
        engine.open_control().await;
        return Ok(engine);
    }
    let is_stated = stated.is_some();
    parts.handlers.append(&mut slot.lock().early);
    let engine = EngineHandle::start(root, stated.unwrap_or_default(), is_stated, parts).await?;
    let meanwhile = {
        let mut state = slot.lock();
        state.engine = Arc::downgrade(&engine);
        std::mem::take(&mut state.early)
    };
    meanwhile.into_iter().try_for_each(|handler| engine.add_handler(handler))?;
    engine.open_control().await;
    Ok(engine)
}

/// Registers a handler with the engine of a root, or with the next one to start there.
#[cfg(feature = "workspace")]
pub(crate) fn add_handler(root: &Path, handler: Registration) -> Result<()> {
    let slot = slot(root);
    let mut state = slot.lock();
    match state.engine.upgrade().filter(|engine| engine.is_running()) {
        Some(engine) => {
            drop(state);
            engine.add_handler(handler)
        }
        None => {
            state.early.push(handler);
            Ok(())
        }
    }
}

/// Refuses what is no directory, and what is too wide to be meant.
fn check_root(root: &Path, anywhere: bool) -> Result<()> {
    let refuse = |message: &str| Error::new(ErrorKind::Root, message).at(Location::file(root, Path::new("")));
    let metadata = std::fs::metadata(root)
        .map_err(|cause| refuse(&format!("this root cannot be watched: {cause}")).because(cause))?;
    if !metadata.is_dir() {
        return Err(refuse("the root is no directory"));
    }
    let real = root.canonicalize()?;
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    let is_home = home.and_then(|home| Path::new(&home).canonicalize().ok()).is_some_and(|home| home == real);
    let too_wide = real.parent().is_none() || is_home;
    if too_wide && !anywhere {
        let help = "name the project's own directory, or allow it with `HotReload::builder(root).allow_any_root(true)`";
        let message = "this is the root of the file system or a home directory, which is hardly meant";
        return Err(refuse(message).help(help));
    }
    Ok(())
}
