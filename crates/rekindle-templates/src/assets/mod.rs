//! [`Assets`]: static files with addresses that change with their content.
//!
//! In: a glob. Out: a manifest of what it matches, which lookups read without a lock; and news of what changed.
//!
//! ```text
//! engine ── paths ──► inbox ──► keeper: looks, hashes ──► manifest (swapped) ──► news
//!                                  └─ paths ──► siblings: decodes, rebuilds ──► encoded (put into its entry)
//! ```
//!
//! Two threads, since compressing may take seconds and a changed stylesheet is not to wait for it.

mod address;
mod asset;
mod builder;
mod change;
mod codec;
mod keeper;
mod look;
mod manifest;
mod media;
mod problem;
mod representation;
mod shared;
mod siblings;
mod stamp;
mod write;

use std::collections::HashMap;
use std::sync::Arc;

use rekindle::HotReloadManager;

pub use self::asset::Asset;
pub use self::builder::AssetsBuilder;
pub use self::change::{AssetChange, AssetChanges, AssetNews};
pub use self::manifest::Manifest;
pub use self::media::AssetKind;
pub use self::problem::AssetProblem;
pub use self::representation::{Encoding, OpenedAsset, Representation};
use self::shared::Shared;
use crate::Source;
use crate::inbox::Inbox;

/// Static files that are kept live: every one has an address with the fingerprint of its content, which browsers
/// may therefore keep for ever.
///
/// Changes are taken in beside the requests; reading takes no lock. A file that cannot be read keeps its last
/// good content, and is told of in [`problems`](Self::problems). Clones are the same assets; with the last of them
/// the watching ends.
///
/// Not among the assets are: hidden files (whose name, or a directory's on the way, begins with a dot), links that lead
/// out of the directory, what is no regular file, and names that mean something else on some system.
///
/// # Encoded siblings
///
/// `app.css.br` and `app.css.gz` beside `app.css` are no assets of their own, but what is sent to who accepts it.
/// Each is decoded once, after a change, and served only if it holds the very content of its source. One that does
/// not is rebuilt, its mode kept. That goes for types that shrink: `data.tar.gz` beside `data.tar` is a file like
/// any other. With [`precompress`](AssetsBuilder::precompress) missing ones are made.
///
/// ```
/// # use rekindle_templates::{AssetNews, Assets};
/// # use rekindle::testing::create_test_workspace_with_structure;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let (_dir, ws) = create_test_workspace_with_structure();
/// # std::fs::create_dir_all(ws.join("static"))?;
/// std::fs::write(ws.join("static/app.css"), "a { color: red }")?;
/// let assets = Assets::watch(&ws, "static/**").await?;
/// assert_eq!(assets.url("app.css"), "/static/app.92b238bfe0.css");
///
/// let mut changes = assets.subscribe();
/// std::fs::write(ws.join("static/app.css"), "a { color: blue }")?;
/// let Some(AssetNews::Changed(changed)) = changes.next().await else { panic!() };
/// assert_eq!(changed[0].old_url, "/static/app.92b238bfe0.css");
/// assert_eq!(changed[0].new_url, assets.url("app.css"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Assets {
    handle: Arc<Handle>,
}

/// Ends the threads when it is dropped.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    keeper: Arc<Inbox>,
    encoder: Arc<Inbox>,
    /// Keeps the engine running.
    _manager: HotReloadManager,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.close();
        self.keeper.close();
        self.encoder.close();
    }
}

impl Assets {
    /// Watches the files that match a glob relative to the root. It starts when it is awaited.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Pattern`](rekindle::ErrorKind::Pattern) when the glob is malformed or leaves the root, or the
    /// prefix is no path; and what [starting the engine](rekindle::WorkspaceExt::start_hot_reload) may fail with.
    /// That a directory is missing is no error: it may come.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe; an engine that was started meanwhile stops again if nobody else uses it.
    pub fn watch<'a, S: Source>(source: &'a S, pattern: &str) -> AssetsBuilder<'a, S> {
        AssetsBuilder::new(source, pattern)
    }

    /// The address of an asset by its name, with the fingerprint of its content: `/static/app.92b238bfe0.css`.
    ///
    /// Of a name that there is no asset of, it is the address without a fingerprint.
    pub fn url(&self, name: &str) -> String {
        self.handle.shared.manifest.load().url(name)
    }

    /// The asset of a name: its own (`app.css`), or one with a fingerprint (`app.92b238bfe0.css`), be it the current
    /// one or one of before.
    ///
    /// The name is what follows the prefix and a slash in an address, decoded.
    pub fn find(&self, name: &str) -> Option<Asset> {
        self.handle.shared.manifest.load().find(name)
    }

    /// All assets as they are now.
    pub fn manifest(&self) -> Arc<Manifest> {
        self.handle.shared.manifest.load_full()
    }

    /// What all addresses begin with, without a slash at the end: `/static`; empty for the root.
    pub fn prefix(&self) -> String {
        self.handle.shared.manifest.load().prefix().to_owned()
    }

    /// By name, the first 64 bits of the BLAKE3 hash of each content.
    pub fn digest(&self) -> HashMap<String, u64> {
        self.handle.shared.manifest.load().digest()
    }

    /// What is wrong by now, in the order of the files.
    pub fn problems(&self) -> Vec<AssetProblem> {
        self.handle.shared.problems()
    }

    /// The news from now on.
    pub fn subscribe(&self) -> AssetChanges {
        AssetChanges::new(self.handle.shared.subscribe())
    }
}
