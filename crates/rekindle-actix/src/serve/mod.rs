//! An application of actix-web as a tower service, for [`rekindle_web::serve::Server`]: it is changed while it serves.
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! use actix_web::{App, web};
//! use rekindle::HotReload;
//! use rekindle_actix::serve::Workers;
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
//! async fn index(shop: web::Data<Shop>, visits: web::Data<AtomicU64>) -> String {
//!     format!("{}, visitor {}", shop.greeting, visits.fetch_add(1, Ordering::Relaxed))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let root = tempfile::tempdir()?;
//! # std::fs::create_dir(root.path().join("config"))?;
//! # let text = "greeting = 'Hello'\nserver.listen.web = '127.0.0.1:0'";
//! # std::fs::write(root.path().join("config/shop.toml"), text)?;
//! let manager = HotReload::builder(root.path()).start().await?;
//! // Made once, and shared by all generations and threads.
//! let visits = web::Data::new(AtomicU64::new(0));
//! let server = Server::building(move |shop: &Shop| {
//!     let (shop, visits) = (web::Data::new(shop.clone()), visits.clone());
//!     let app = move || App::new().app_data(shop.clone()).app_data(visits.clone()).route("/", web::get().to(index));
//!     Workers::default().start(app)
//! });
//! let server = server.at("/server").start(&manager, "shop", "").await?;
//! # assert!(server.load().address("web").is_some());
//! # Ok(())
//! # }
//! ```
//!
//! Listeners, TLS, HTTP/2, limits and the farewell are those of the server, and those of
//! [`HttpServer`](actix_web::HttpServer) are not used. A handler takes
//! [`Origin`](rekindle_web::serve::Origin) and [`Farewell`](rekindle_web::serve::Farewell) as
//! [`ReqData`](actix_web::web::ReqData).
//!
//! # What is as in actix-web, and what is not
//!
//! - Each generation has threads of its own, each with its `App` and its [`System`](actix_web::rt::System). They end
//!   when it is replaced and its last answer, stream or WebSocket has ended; what a handler has
//!   [spawned](actix_web::rt::spawn) ends with them.
//! - Each request goes to the thread that is least busy, so requests of one connection may go to several. That hop costs
//!   some ten microseconds: nothing beside a query of a database, and much beside a handler that returns a constant. A
//!   handler that blocks holds up what its thread has begun, and at most a few requests more.
//! - A request over HTTP/2 for a WebSocket, which browsers send where a connection is open already, is shown to handlers
//!   as one of HTTP/1.1. No other protocol can be switched to.
//! - There is no [peer address](actix_web::HttpRequest::peer_addr) behind a Unix socket, no
//!   [connection data](actix_web::HttpRequest::conn_data), and the case of header names is not kept.

mod answer;
mod application;
mod request;
mod response;
mod service;
mod tunnel;
mod worker;

use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use actix_http::{Request, Response};
use actix_service::{IntoServiceFactory, ServiceFactory};
use actix_web::body::MessageBody;
use actix_web::dev::AppConfig;
use futures_util::future::try_join_all;
use rekindle::Result;

use application::Application;
pub use service::{ActixService, Answering};
use worker::Worker;

/// On how many threads an application runs.
#[derive(Debug, Clone, Copy)]
pub struct Workers(NonZeroUsize);

impl Default for Workers {
    /// As many as the process can run at once.
    fn default() -> Self {
        Self(available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }
}

impl Workers {
    /// So many; at least one.
    pub fn new(count: usize) -> Self {
        Self(NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN))
    }

    /// Makes an application on each thread, and a service of them all. What is good for
    /// [`HttpServer::new`](actix_web::HttpServer::new) is good here.
    ///
    /// # Errors
    ///
    /// When a thread cannot be had, and when the function panics or the application cannot be made.
    ///
    /// # Cancel safety
    ///
    /// Threads that have been started end when it is dropped.
    pub async fn start<F, I, S, B>(self, app: F) -> Result<ActixService>
    where
        F: Fn() -> I + Send + Clone + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig> + 'static,
        S::Service: 'static,
        S::Error: Into<actix_web::Error>,
        S::InitError: Debug,
        S::Response: Into<Response<B>>,
        B: MessageBody + 'static,
    {
        let workers = (0..self.0.get()).map(|index| {
            let app = app.clone();
            Worker::start(index, move || Application::make(app))
        });
        Ok(ActixService::new(try_join_all(workers).await?))
    }
}
