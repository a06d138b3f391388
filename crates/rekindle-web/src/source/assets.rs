//! Static files as a [`Source`].

use std::collections::HashMap;

use rekindle::async_trait;
use rekindle_templates::{AssetChange, AssetChanges, AssetKind, AssetNews, Assets};

use super::Source;
use crate::{Problem, Update};

/// The static files of a program.
pub(crate) struct AssetsSource {
    assets: Assets,
    changes: AssetChanges,
}

impl AssetsSource {
    pub(crate) fn new(assets: Assets) -> Self {
        let changes = assets.subscribe();
        Self { assets, changes }
    }
}

#[async_trait]
impl Source for AssetsSource {
    fn name(&self) -> &'static str {
        "assets"
    }

    fn contents(&self) -> HashMap<String, u64> {
        self.assets.digest()
    }

    fn problems(&self) -> Vec<Problem> {
        let shown = |problem: &rekindle_templates::AssetProblem| {
            let id = format!("asset:{}", problem.file);
            let mut shown = Problem::new(id, "Static file", problem.message.clone());
            shown.file = Some(problem.file.clone());
            shown
        };
        self.assets.problems().iter().map(shown).collect()
    }

    async fn changed(&mut self) -> Option<Vec<Update>> {
        match self.changes.next().await? {
            AssetNews::Changed(changes) => Some(changes.iter().flat_map(updates).collect()),
            AssetNews::Problems => Some(Vec::new()),
            // `Everything`, and what is yet to come.
            _ => Some(vec![Update::Reload]),
        }
    }
}

/// What a page has to do that uses a file, by its address with the fingerprint or by the plain one.
fn updates(change: &AssetChange) -> Vec<Update> {
    let make: fn(String, String) -> Update = match change.kind {
        AssetKind::Style => |old, new| Update::Style { old, new },
        AssetKind::Image => |old, new| Update::Image { old, new },
        AssetKind::SourceMap => return Vec::new(),
        _ => return vec![Update::Reload],
    };
    let fingerprinted = make(change.old_url.clone(), change.new_url.clone());
    let plain = make(change.plain_url.clone(), change.plain_url.clone());
    if change.old_url == change.plain_url { vec![fingerprinted] } else { vec![fingerprinted, plain] }
}
