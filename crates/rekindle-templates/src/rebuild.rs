//! [`RebuildNeeded`]: templates that are compiled into the program, and were saved since.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use rekindle::{HotReloadManager, Result};
use tokio::sync::watch;

use crate::files::{self, Scope};
use crate::inbox::{self, Feed, Inbox, Then, Work};
use crate::problem::{ProblemKind, TemplateProblem};
use crate::source::Source;

/// Watches templates that are compiled into the program, such as those of askama: what they say on the screen
/// is what they said when the program was built, whatever is saved since.
///
/// A file that holds something else than when the watch began is a [problem](ProblemKind::Outdated), "Needs a
/// rebuild", until it holds the same again. Cheap to clone: all clones are the same. It watches as long as one of
/// them lives.
///
/// ```
/// # use rekindle::testing::create_test_workspace_with_structure;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (_dir, ws) = create_test_workspace_with_structure();
/// # std::fs::create_dir(ws.root().join("templates"))?;
/// # let path = ws.root().join("templates/page.html");
/// # std::fs::write(&path, "Hello")?;
/// use rekindle_templates::RebuildNeeded;
///
/// let rebuild = RebuildNeeded::watch(&ws, "templates/**").await?;
/// let mut problems = rebuild.subscribe();
/// std::fs::write(&path, "Bye")?;
/// problems.changed().await?;
/// assert_eq!(rebuild.problems()[0].title(), "Needs a rebuild");
/// assert_eq!(rebuild.problems()[0].file.as_deref(), Some("templates/page.html"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RebuildNeeded {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    problems: watch::Sender<Arc<[TemplateProblem]>>,
    inbox: Arc<Inbox>,
    /// Keeps what tells of changes running.
    _manager: HotReloadManager,
}

impl RebuildNeeded {
    /// Remembers what the files that match a glob relative to the root hold, and watches them from then on. To be
    /// called where the program starts.
    ///
    /// # Errors
    ///
    /// As [`Templates::watch`](crate::Templates::watch).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was begun ends.
    pub async fn watch<S: Source>(source: &S, pattern: &str) -> Result<Self> {
        let manager = source.manager().await?;
        let mut files =
            Files { scope: Scope::new(manager.root(), pattern)?, built: None, now: BTreeMap::new() };
        let inbox = Arc::new(Inbox::default());
        manager.register(Feed::of(pattern, &inbox))?;
        let problems = watch::Sender::new(Arc::from([]));
        let shared = Arc::new(Shared { problems, inbox: Arc::clone(&inbox), _manager: manager });
        let handle = Arc::downgrade(&shared);
        let ready = inbox::work_off(inbox, move |work| {
            let Some(shared) = handle.upgrade() else { return Then::End };
            let then = files.look(work);
            shared.tell(files.problems());
            then
        })?;
        let _remembered = ready.await;
        Ok(Self { shared })
    }

    /// The files that hold something else than what was built, in the order of their names.
    pub fn problems(&self) -> Arc<[TemplateProblem]> {
        Arc::clone(&self.shared.problems.borrow())
    }

    /// The same from now on.
    pub fn subscribe(&self) -> watch::Receiver<Arc<[TemplateProblem]>> {
        self.shared.problems.subscribe()
    }
}

impl Shared {
    fn tell(&self, now: Vec<TemplateProblem>) {
        self.problems.send_if_modified(|told| {
            let differs = **told != *now;
            if differs {
                *told = now.into();
            }
            differs
        });
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

/// What a file holds: a hash, or why that is not known.
type Content = std::result::Result<u64, String>;

/// What is known of the files.
struct Files {
    scope: Scope,
    /// What they held at first.
    built: Option<BTreeMap<String, Content>>,
    now: BTreeMap<String, Content>,
}

impl Files {
    fn look(&mut self, work: &Work) -> Then {
        let root: PathBuf = self.scope.root().canonicalize().unwrap_or_else(|_| self.scope.root().into());
        let mut names: BTreeSet<String> =
            work.paths.iter().filter_map(|path| self.scope.name(path)).collect();
        names.extend(self.now.iter().filter(|(_, content)| content.is_err()).map(|(name, _)| name.clone()));
        if work.everything {
            names.extend(self.now.keys().cloned());
            names.extend(files::list(&self.scope, &root));
        }
        for name in names {
            match files::fingerprint(&self.scope.path(&name), &root) {
                Ok(None) => self.now.remove(&name),
                Ok(Some(hash)) => self.now.insert(name, Ok(hash)),
                Err(fault) => self.now.insert(name, Err(fault.message)),
            };
        }
        self.built.get_or_insert_with(|| self.now.clone());
        if self.now.values().any(std::result::Result::is_err) { Then::TryAgain } else { Then::Wait }
    }

    fn problems(&self) -> Vec<TemplateProblem> {
        let Some(built) = &self.built else { return Vec::new() };
        let names: BTreeSet<&String> = built.keys().chain(self.now.keys()).collect();
        let problem = |name: &String| {
            let words = difference(built.get(name), self.now.get(name))?;
            let message = format!("{words}: build the program anew and start it");
            let shown = self.scope.shown(name);
            Some(TemplateProblem::new(ProblemKind::Outdated, name, message).in_file(shown))
        };
        names.into_iter().filter_map(problem).collect()
    }
}

/// What became of a file since. One that cannot be read is taken to be what it was.
fn difference(built: Option<&Content>, now: Option<&Content>) -> Option<&'static str> {
    match (built, now) {
        (Some(Ok(built)), Some(Ok(now))) if built != now => {
            Some("this template is compiled into the program, and has changed since")
        }
        (Some(_), None) => Some("this template is compiled into the program, and has been removed since"),
        (None, Some(Ok(_))) => Some("this template is new, and not compiled into the program yet"),
        _ => None,
    }
}
