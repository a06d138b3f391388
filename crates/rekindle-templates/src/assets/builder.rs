//! [`AssetsBuilder`]: what to watch and how, and the start.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use rekindle::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

use super::address;
use super::keeper::Keeper;
use super::shared::Shared;
use super::siblings::Siblings;
use super::{Assets, Handle};
use crate::Source;
use crate::files::Scope;
use crate::inbox::{Feed, Inbox};

/// What [`Assets::watch`] returns: options, and by `.await` the assets.
#[derive(Debug)]
#[must_use = "nothing is watched until it is awaited"]
pub struct AssetsBuilder<'a, S> {
    source: &'a S,
    pattern: String,
    prefix: Option<String>,
    precompress: bool,
}

impl<'a, S: Source> AssetsBuilder<'a, S> {
    pub(super) fn new(source: &'a S, pattern: &str) -> Self {
        Self { source, pattern: pattern.to_owned(), prefix: None, precompress: false }
    }

    /// What addresses begin with. Default: a slash and the directory before the first wildcard of the glob,
    /// `/static` for `static/**`. `/` for the root of the server.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Whether `.br` and `.gz` files are made beside files of more than 1 KiB that have none, where that makes
    /// them smaller. Default: `false`; those that are there are kept up to date all the same.
    pub fn precompress(mut self, precompress: bool) -> Self {
        self.precompress = precompress;
        self
    }

    async fn start(self) -> Result<Assets> {
        let manager = self.source.manager().await?;
        let scope = Scope::new(manager.root(), &self.pattern)?;
        let prefix = self.prefix.clone().unwrap_or_else(|| scope.shown(""));
        let prefix = address::normalized_prefix(&prefix).ok_or_else(|| bad_prefix(&prefix))?;
        let shared = Arc::new(Shared::new(scope, &prefix));
        let (inbox, encoder) = (Arc::<Inbox>::default(), Arc::<Inbox>::default());
        // Told first and listed second: what is written in between is found by the listing.
        manager.register(Feed::of(&self.pattern, &inbox).named(format!("assets {}", self.pattern)))?;
        // From here on it all ends when the handle is dropped.
        let handle = Handle {
            shared: Arc::clone(&shared),
            keeper: Arc::clone(&inbox),
            encoder: Arc::clone(&encoder),
            _manager: manager,
        };
        let siblings = Siblings {
            shared: Arc::clone(&shared),
            inbox: Arc::clone(&encoder),
            precompress: self.precompress,
        };
        spawn("rekindle-encode", move || siblings.run())?;
        let (ready, listed) = oneshot::channel();
        let keeper = Keeper::new(shared, inbox, encoder);
        // Whoever started it may have stopped waiting.
        spawn("rekindle-assets", move || keeper.run(|| _ = ready.send(())))?;
        listed
            .await
            .map_err(|_| Error::new(ErrorKind::Other, "the thread that lists the assets has ended"))?;
        Ok(Assets { handle: Arc::new(handle) })
    }
}

impl<'a, S: Source> IntoFuture for AssetsBuilder<'a, S> {
    type Output = Result<Assets>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    std::thread::Builder::new().name(name.into()).spawn(work)?;
    Ok(())
}

fn bad_prefix(prefix: &str) -> Error {
    let message = format!(
        "bad prefix {prefix:?}: it has to be a path of plain characters, as in `/static`; state one with `prefix`"
    );
    Error::new(ErrorKind::Pattern, message)
}
