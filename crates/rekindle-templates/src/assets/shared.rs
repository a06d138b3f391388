//! [`Shared`]: what the handles and the threads of [`Assets`](crate::Assets) have in common.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::broadcast;

use super::change::{AssetNews, CAPACITY};
use super::manifest::Manifest;
use super::problem::AssetProblem;
use crate::files::Scope;

/// What the handles and the threads have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) scope: Scope,
    pub(super) manifest: ArcSwap<Manifest>,
    /// By file, as it is shown.
    problems: Mutex<BTreeMap<String, String>>,
    news: broadcast::Sender<AssetNews>,
    closed: AtomicBool,
}

impl Shared {
    pub(super) fn new(scope: Scope, prefix: &str) -> Self {
        Self {
            scope,
            manifest: ArcSwap::from_pointee(Manifest::new(prefix)),
            problems: Mutex::default(),
            news: broadcast::Sender::new(CAPACITY),
            closed: AtomicBool::new(false),
        }
    }

    /// A path as people are shown it: relative to the root.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(self.scope.root()).unwrap_or(path).display().to_string()
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<AssetNews> {
        self.news.subscribe()
    }

    pub(super) fn tell(&self, news: AssetNews) {
        // Nobody may be listening.
        let _nobody = self.news.send(news);
    }

    /// The last handle is gone.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn problems(&self) -> Vec<AssetProblem> {
        let problems = self.lock();
        let problem = |(file, message): (&String, &String)| AssetProblem {
            file: file.clone(),
            message: message.clone(),
        };
        problems.iter().map(problem).collect()
    }

    /// Notes what is wrong with files by now, or that nothing is.
    pub(super) fn note(&self, findings: impl IntoIterator<Item = (String, Option<String>)>) {
        let mut is_news = false;
        {
            let mut problems = self.lock();
            for (file, finding) in findings {
                is_news |= note(&mut problems, file, finding);
            }
        }
        if is_news {
            self.tell(AssetNews::Problems);
        }
    }
}

/// Says whether that is new.
fn note(problems: &mut BTreeMap<String, String>, file: String, finding: Option<String>) -> bool {
    let Some(message) = finding else {
        return problems.remove(&file).is_some();
    };
    let is_new = problems.get(&file) != Some(&message);
    if is_new {
        tracing::warn!(file, message, "asset");
        problems.insert(file, message);
    }
    is_new
}
