//! Static files as a [`Source`].

use std::collections::HashMap;

use rekindle::async_trait;
use rekindle_templates::{AssetChange, AssetChanges, AssetKind, AssetNews, AssetProblem, Assets};

use super::Source;
use crate::{Problem, Update};

/// The static files of a program.
#[derive(Debug)]
pub(crate) struct AssetsSource {
    assets: Assets,
    news: AssetChanges,
}

impl AssetsSource {
    pub(crate) fn new(assets: Assets) -> Self {
        let news = assets.subscribe();
        Self { assets, news }
    }
}

#[async_trait]
impl Source for AssetsSource {
    fn name(&self) -> &'static str {
        "assets"
    }

    fn contents(&self) -> HashMap<String, u64> {
        let mut contents = self.assets.digest();
        // No page looks different for a source map.
        contents.retain(|name, _| !name.ends_with(".map"));
        contents
    }

    fn problems(&self) -> Vec<Problem> {
        self.assets.problems().iter().map(Problem::from).collect()
    }

    async fn changed(&mut self) -> Option<Vec<Update>> {
        Some(match self.news.next().await? {
            AssetNews::Changed(changes) => changes.iter().flat_map(updates).collect(),
            AssetNews::Problems => Vec::new(),
            // What was missed is not known by its addresses.
            _ => vec![Update::Reload],
        })
    }
}

/// What a page has to do about a file. It may know it by its address with the fingerprint, or by the plain one.
fn updates(change: &AssetChange) -> Vec<Update> {
    let is_gone = change.new_digest.is_none();
    let exchange: fn(String, String) -> Update = match change.kind {
        AssetKind::Style if !is_gone => |old, new| Update::Style { old, new },
        AssetKind::Image if !is_gone => |old, new| Update::Image { old, new },
        AssetKind::SourceMap => return Vec::new(),
        _ => return vec![Update::Reload],
    };
    let mut updates = vec![exchange(change.old_url.clone(), change.new_url.clone())];
    if change.old_url != change.plain_url {
        updates.push(exchange(change.plain_url.clone(), change.plain_url.clone()));
    }
    updates
}

impl From<&AssetProblem> for Problem {
    fn from(problem: &AssetProblem) -> Self {
        let id = format!("asset:{}", problem.file);
        Self { file: Some(problem.file.clone()), ..Self::new(id, "Static file", &problem.message) }
    }
}
