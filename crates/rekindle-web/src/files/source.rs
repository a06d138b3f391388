//! [`AssetSource`]: assets as something that pages follow.

use std::collections::HashMap;
use std::sync::Arc;

use rekindle::async_trait;
use rekindle_templates::{AssetChange, AssetChanges, AssetKind, AssetNews, AssetProblem, Assets};

use crate::{Problem, Source, Update};

/// Assets as something that pages follow: stylesheets and images are swapped, anything else reloads the page, and
/// what no page shows does nothing.
#[derive(Debug)]
pub struct AssetSource {
    name: String,
    assets: Assets,
    changes: AssetChanges,
}

impl AssetSource {
    /// From now on. The prefix of the assets tells them from others.
    pub fn new(assets: Assets) -> Self {
        Self { name: format!("assets {}", assets.prefix()), changes: assets.subscribe(), assets }
    }
}

#[async_trait]
impl Source for AssetSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn contents(&self) -> HashMap<String, u64> {
        let mut contents = self.assets.digest();
        contents.retain(|name, _| AssetKind::of(name) != AssetKind::SourceMap);
        contents
    }

    fn problems(&self) -> Vec<Problem> {
        self.assets.problems().into_iter().map(problem).collect()
    }

    async fn changed(&mut self) -> Option<Vec<Update>> {
        Some(match self.changes.next().await? {
            AssetNews::Changed(changed) => updates(&changed),
            AssetNews::Problems => Vec::new(),
            _ => vec![Update::Reload],
        })
    }
}

fn problem(problem: AssetProblem) -> Problem {
    let id = format!("asset:{}", problem.file);
    let mut shown = Problem::new(id, "Static file not served", problem.message);
    shown.file = Some(problem.file);
    shown
}

fn updates(changed: &Arc<[AssetChange]>) -> Vec<Update> {
    changed.iter().flat_map(updates_of).collect()
}

/// A page may use the address with the fingerprint, the one without, or both.
fn updates_of(change: &AssetChange) -> Vec<Update> {
    let plain = (change.plain_url.clone(), change.plain_url.clone());
    let fingerprinted = (change.old_url.clone(), change.new_url.clone());
    let mut addresses = vec![plain.clone()];
    addresses.extend((fingerprinted != plain).then_some(fingerprinted));
    let each = |update: fn(String, String) -> Update| {
        addresses.into_iter().map(|(old, new)| update(old, new)).collect()
    };
    match change.kind {
        AssetKind::Style => each(|old, new| Update::Style { old, new }),
        AssetKind::Image => each(|old, new| Update::Image { old, new }),
        AssetKind::SourceMap => Vec::new(),
        _ => vec![Update::Reload],
    }
}
