//! A server that is changed while it serves: its addresses, certificates, limits and routes (feature `serve`).
//!
//! It serves any tower service: axum, warp, or your own; actix by `rekindle-actix`. Each change takes the lightest way
//! there is:
//!
//! | what changes | what happens |
//! |---|---|
//! | routes, limits, timeouts | an atomic swap: the next request is answered by the new ones, connections stay |
//! | certificate, key, ALPN | the next handshake takes the new ones; open connections keep theirs |
//! | the files of a certificate | the same, as soon as certificate and key fit together |
//! | an address | it is bound, asked for its health through its own socket, and published; the old one sends its clients away |
//! | TLS on or off at an address | for the time of the lame duck both are served; then only what is wished for |
//!
//! What is held is never bound again: two listeners exchange their ports in one change, and an address that is given up
//! and wanted again was never let go. Whatever fails (an address that is taken, a key of another certificate, a file
//! that cannot be read, a generation that says it is not well) refuses the change for everybody, with the line that
//! is at fault, and nothing has happened.
//!
//! A listener that is no longer wanted is a lame duck for a while ([`Timeouts::lame_duck`]): it still accepts, and its
//! answers say `Connection: close` (HTTP/1.1) or are followed by GOAWAY (HTTP/2). WebSockets are closed with 1001, event
//! streams end between two events, and a program that wants to say goodbye in its own words has [`Farewell`]. Then what
//! waits to be accepted is accepted, the socket is closed, and what is under way has until the deadline.
//!
//! ```
//! # use rekindle::{prelude::*, testing::create_test_workspace_with_structure};
//! use axum::{Router, routing::get};
//! use rekindle_web::serve::{ServeConfig, Server};
//!
//! #[derive(serde::Deserialize, Clone)]
//! struct Shop {
//!     greeting: String,
//!     server: ServeConfig,
//! }
//!
//! impl AsRef<ServeConfig> for Shop {
//!     fn as_ref(&self) -> &ServeConfig {
//!         &self.server
//!     }
//! }
//!
//! fn routes(shop: &Shop) -> rekindle::Result<Router> {
//!     let greeting = shop.greeting.clone();
//!     Ok(Router::new().route("/", get(async || greeting)).route("/health", get(async || "well")))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> rekindle::Result<()> {
//! # let (_dir, ws) = create_test_workspace_with_structure();
//! let config = "greeting = 'hello'\n[server]\nlisten.web = '127.0.0.1:0'\nhealth = '/health'\ntimeouts.lame_duck = '50ms'\n";
//! std::fs::write(ws.config_dir().join("shop.toml"), config)?;
//! let manager = ws.start_hot_reload().await?;
//! let server = Server::new(routes).at("/server").start(&manager, "shop", "").await?;
//! println!("listening on {}", server.load().addresses()["web"]);
//!
//! let generation = manager.snapshot().generation();
//! let receipt = manager.update("shop", generation, Patch::set("/server/health", "/nowhere")).await?;
//! assert!(receipt.refusals()[0].error.to_string().contains("it is not well: /nowhere answered 404"));
//!
//! let retirement = server.stop().await?; // answers what is under way
//! assert!(!retirement.cut);
//! # Ok(())
//! # }
//! ```
//!
//! A restart of the whole process refuses nobody either if it is given its sockets: see [`Address`] and `docs/systemd.md`;
//! [`Systemd`] tells the service manager of the program's state.

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
