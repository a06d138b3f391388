//! A server that is changed while it serves.

mod config;
mod socket;

pub use config::{Limits, Listen, Mode, Pem, ServeConfig, Timeouts, Tls};
pub use socket::Address;
