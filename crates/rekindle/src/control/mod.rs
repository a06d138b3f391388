//! Control: questions and orders from outside of the program, through a local socket.
//!
//! In: lines of JSON from whoever runs the program, and nobody else. Out: a line of JSON each. The
//! protocol is described in `docs/control.md`.
//!
//! [`request`] says what can be asked for (pure), [`answer`] does it by way of the engine's handle,
//! [`wire`] and [`events`] are the forms in which things are told (pure), [`values`] what is on disk and
//! in the history. [`server`] opens the socket, on a thread of its own; [`socket`] is the file it
//! is, [`connection`] one client, [`client`] the other end.

mod answer;
#[cfg(unix)]
mod client;
#[cfg(unix)]
mod connection;
#[cfg(unix)]
mod events;
mod request;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod socket;
mod values;
mod wire;

use std::path::{Path, PathBuf};

use serde_json::Value;

#[cfg(unix)]
pub use client::ControlClient;
pub(crate) use request::Request;
#[cfg(unix)]
pub(crate) use server::Server;

use crate::manager::HotReloadManager;

/// The version of the protocol.
const VERSION: u64 = 1;

/// Where the socket is if nothing else is stated, relative to the root.
pub(crate) const DEFAULT_PLACE: &str = "data/rekindle/control.sock";

/// Where a program with this root opens its control socket, unless it
/// [says otherwise](crate::HotReloadBuilder::control_socket_at): `data/rekindle/control.sock` below the root.
///
/// ```
/// let path = rekindle::control_socket_path("/srv/app");
/// assert_eq!(path, std::path::Path::new("/srv/app/data/rekindle/control.sock"));
/// ```
pub fn control_socket_path(root: impl AsRef<Path>) -> PathBuf {
    root.as_ref().join(DEFAULT_PLACE)
}

/// The answer to a request, whatever it is.
pub(crate) async fn respond(manager: &HotReloadManager, request: Value) -> Value {
    match Request::read(request) {
        Ok((request, id)) => wire::answer(answer::answer(manager, request).await, id, manager.root()),
        Err((fault, id)) => wire::refusal(&fault, id),
    }
}
