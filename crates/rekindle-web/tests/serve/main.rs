//! A server that is changed while it serves.
#![cfg(unix)]

mod addresses;
mod kit;
mod limits;
mod load;
mod tls;
