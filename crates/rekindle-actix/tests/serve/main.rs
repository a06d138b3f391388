//! An application of actix-web, in a server that is changed while it serves.
#![cfg(unix)]

mod bodies;
mod changes;
mod kit;
mod requests;
mod sockets;
mod workers;
