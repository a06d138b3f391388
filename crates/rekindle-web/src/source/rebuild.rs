//! Templates that are compiled into the program as a [`Source`]: of problems alone, since no page shows what was saved.

use std::collections::HashMap;
use std::sync::Arc;

use rekindle::async_trait;
use rekindle_templates::{RebuildNeeded, TemplateProblem};
use tokio::sync::watch;

use super::Source;
use crate::{Problem, Update};

/// The compiled templates of a program.
pub(crate) struct RebuildSource {
    rebuild: RebuildNeeded,
    news: watch::Receiver<Arc<[TemplateProblem]>>,
}

impl RebuildSource {
    pub(crate) fn new(rebuild: RebuildNeeded) -> Self {
        let news = rebuild.subscribe();
        Self { rebuild, news }
    }
}

#[async_trait]
impl Source for RebuildSource {
    fn name(&self) -> &'static str {
        "compiled templates"
    }

    fn contents(&self) -> HashMap<String, u64> {
        HashMap::new()
    }

    fn problems(&self) -> Vec<Problem> {
        self.rebuild.problems().iter().map(Problem::from).collect()
    }

    async fn changed(&mut self) -> Option<Vec<Update>> {
        self.news.changed().await.ok().map(|()| Vec::new())
    }
}
