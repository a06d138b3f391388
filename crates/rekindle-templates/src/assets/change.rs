//! What is told of changes: [`AssetChange`], in batches, by [`AssetChanges`].

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::broadcast::{self, error::RecvError};

use super::media::AssetKind;

/// A file that has other content, came, or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AssetChange {
    /// Its name: `css/app.css`.
    pub name: String,
    /// What a page does with it.
    pub kind: AssetKind,
    /// The address without a fingerprint. Pages may use this one, too.
    pub plain_url: String,
    /// The address before, with the fingerprint of what it held then; without, when it was not there.
    pub old_url: String,
    /// The address by now; without a fingerprint, when it is gone.
    pub new_url: String,
    /// The first 64 bits of the BLAKE3 hash of the content before, unless it was not there.
    pub old_digest: Option<u64>,
    /// The same of the content by now, unless it is gone.
    pub new_digest: Option<u64>,
}

/// What happened to the assets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssetNews {
    /// These changed together, in the order of their names. [`Assets::manifest`](crate::Assets::manifest) has it already.
    Changed(Arc<[AssetChange]>),
    /// [`Assets::problems`](crate::Assets::problems) are others than they were.
    Problems,
    /// More than was read in time: look at everything.
    Everything,
}

/// How many batches wait for a reader that is slow.
pub(super) const CAPACITY: usize = 64;

/// The news of [`Assets`](crate::Assets), from when it was subscribed to.
#[derive(Debug)]
pub struct AssetChanges {
    receiver: broadcast::Receiver<AssetNews>,
}

impl AssetChanges {
    pub(super) fn new(receiver: broadcast::Receiver<AssetNews>) -> Self {
        Self { receiver }
    }

    /// Waits for the next news; `None` when the last handle of the assets is gone.
    ///
    /// It holds 64 batches. A reader that is further behind is told to look at
    /// [`Everything`](AssetNews::Everything), and then goes on with the news from then on.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no news is lost.
    pub async fn next(&mut self) -> Option<AssetNews> {
        match self.receiver.recv().await {
            Ok(news) => Some(news),
            Err(RecvError::Lagged(_)) => {
                // All that is there by now is part of everything.
                self.receiver = self.receiver.resubscribe();
                Some(AssetNews::Everything)
            }
            Err(RecvError::Closed) => None,
        }
    }
}
