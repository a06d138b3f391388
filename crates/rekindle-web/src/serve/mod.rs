//! A server that is changed while it serves.

mod acceptor;
mod config;
mod connection;
mod dispatch;
mod farewell;
mod listener;
mod notice;
mod password;
mod policy;
mod probe;
mod secured;
mod server;
mod serving;
mod shared;
mod slots;
mod socket;
mod systemd;
mod tls;
mod traffic;

pub use config::{Limits, Listen, Mode, Pem, ServeConfig, Timeouts, Tls};
pub use connection::Origin;
pub use farewell::Farewell;
pub use notice::Notice;
pub use server::{Handover, Server};
pub use serving::Serving;
pub use socket::{Address, Bound, Peer};
pub use systemd::Systemd;
pub use tls::Certificate;
