//! Where an error of the start stands. That of a change is pointed by the engine.

use crate::error::Error;
use crate::manager::HotReloadManager;

/// Has an error point at the line of what it is about.
pub(super) fn point(error: Error, manager: &HotReloadManager, config_name: &str) -> Error {
    let pointer = error.pointer().unwrap_or("").to_owned();
    match manager.engine().committed().get(config_name) {
        Some(config) => config.point(error, &pointer, manager.root()),
        None => error,
    }
}
