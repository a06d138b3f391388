//! What the demo serves: a greeting.

use std::convert::Infallible;
use std::fs;
use std::future::{Ready, ready};
use std::io;
use std::path::Path;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use rekindle_web::serve::ServeConfig;
use serde::Deserialize;
use tower_service::Service;

/// The greetings of configurations that are good.
pub(super) const GREETINGS: [&str; 2] = ["Hello", "Welcome"];

/// The greeting of one that is refused.
pub(super) const NEVER: &str = "Never";

/// `config/server.toml`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Site {
    greeting: String,
    http: ServeConfig,
}

impl AsRef<ServeConfig> for Site {
    fn as_ref(&self) -> &ServeConfig {
        &self.http
    }
}

/// Saves the configuration, by a rename.
pub(super) fn save(file: &Path, greeting: &str, port: u16) -> io::Result<()> {
    let text = format!(
        "# What is served, and where.\ngreeting = {greeting:?}\n\n[http.listen]\nweb = \"127.0.0.1:{port}\"\n"
    );
    let beside = file.with_extension("toml.tmp");
    fs::write(&beside, text)?;
    fs::rename(beside, file)
}

/// Answers every request with the greeting.
#[derive(Debug, Clone)]
pub(super) struct Greeter(Bytes);

impl Greeter {
    pub(super) fn new(site: &Site) -> Self {
        Self(site.greeting.clone().into())
    }
}

impl Service<Request<Incoming>> for Greeter {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Incoming>) -> Self::Future {
        ready(Ok(Response::new(Full::new(self.0.clone()))))
    }
}
