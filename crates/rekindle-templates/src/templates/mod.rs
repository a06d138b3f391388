//! [`Templates`]: the handle, and what it is built with.
//!
//! ```text
//! engine ─► inbox ─► look ─► parse ─► resolve ─► build ─► swap ─► subscribers
//! ```

mod change;
mod compiler;
mod current;
mod graph;
mod recorded;
mod report;
mod resolve;
mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rekindle::{HotReloadManager, Result};
use serde::Serialize;
use tokio::sync::{broadcast, oneshot};

pub use self::change::{TemplateChange, TemplateEvent};
use self::compiler::{Compiler, difference};
use self::current::Current;
pub use self::recorded::recorded;
use crate::engine::{Engine, Fault};
use crate::files::Scope;
use crate::inbox::{self, Feed, Inbox, Then};
use crate::problem::{ProblemKind, TemplateError, TemplateProblem};
use crate::source::Source;

/// How many events a subscriber may be behind.
const EVENTS: usize = 64;

/// The templates of a glob, compiled and kept live. Cheap to clone: all clones are the same.
///
/// The engine goes on as long as one of them lives.
pub struct Templates<E: Engine> {
    shared: Arc<Shared<E>>,
}

struct Shared<E: Engine> {
    current: ArcSwap<Current<E::Raw>>,
    events: broadcast::Sender<TemplateEvent>,
    scope: Scope,
    inbox: Arc<Inbox>,
    /// Keeps what tells of changes running.
    _manager: HotReloadManager,
}

impl<E: Engine> Templates<E> {
    /// Compiles the templates that match a glob relative to the root, and keeps them live.
    ///
    /// Templates are named by their path relative to what stands before the glob's first wildcard:
    /// with `templates/**` the file `templates/shop/cart.html` is `shop/cart.html`.
    ///
    /// Broken templates are no failure to start: see [`problems`](Self::problems). Nor is a directory that does
    /// not exist; it is found when it comes into being.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Pattern`](rekindle::ErrorKind::Pattern) when the glob is malformed or leaves the root,
    /// and for a workspace what starting its engine fails with.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was begun ends.
    pub async fn watch<S: Source>(source: &S, pattern: &str) -> Result<Self> {
        Self::builder().watch(source, pattern).await
    }

    /// For more than the defaults.
    pub fn builder() -> TemplatesBuilder<E> {
        TemplatesBuilder { raw: E::empty() }
    }

    /// Renders a template.
    ///
    /// It is made from one set of templates, that of the moment it began in; whatever is saved meanwhile
    /// neither waits for it nor makes it wait.
    ///
    /// # Errors
    ///
    /// [`ProblemKind::Render`] with file and line when rendering fails, [`ProblemKind::NotFound`] for a
    /// name that is none, and what keeps the template from being compiled when it has never been.
    pub fn render<C: Serialize + ?Sized>(&self, name: &str, context: &C) -> Result<String, TemplateError> {
        recorded::note(name);
        let current = self.shared.current.load_full();
        if !current.versions.contains_key(name) {
            if let Some(problem) = current.kept_out.get(name) {
                return Err(Arc::clone(problem).into());
            }
            if !E::has(&current.raw, name) {
                let message = "there is no template of this name";
                return Err(TemplateProblem::new(ProblemKind::NotFound, name, message).into());
            }
        }
        E::render(&current.raw, name, context).map_err(|fault| self.failed(&current, name, &fault))
    }

    /// What an engine says when a render fails, in the terms of this crate.
    fn failed(&self, current: &Current<E::Raw>, name: &str, fault: &Fault) -> TemplateError {
        let at = fault.template.as_deref().unwrap_or(name);
        let mut problem = TemplateProblem::new(ProblemKind::Render, at, &fault.message);
        if let Some(version) = current.versions.get(at) {
            problem = problem.in_file(self.shared.scope.shown(at));
            if let Some(place) = &fault.place {
                problem = problem.at(&version.source, place);
            }
        }
        problem.by_way_of(current.graph.chain_between(name, at)).into()
    }

    /// The number of the set in use: 1 for the first, and one more for each that took its place.
    pub fn generation(&self) -> u64 {
        self.shared.current.load().generation
    }

    /// The names of the templates in use, in order, each with a hash of its source.
    pub fn digest(&self) -> Arc<BTreeMap<String, u64>> {
        Arc::clone(&self.shared.current.load().digest)
    }

    /// What is wrong right now, in the order of the templates' names. Empty when everything is well.
    pub fn problems(&self) -> Arc<[TemplateProblem]> {
        Arc::clone(&self.shared.current.load().problems)
    }

    /// Every change of the set and of the problems from now on.
    ///
    /// It holds 64 events. A receiver that [lags](broadcast::error::RecvError::Lagged) has to look at
    /// [`digest`](Self::digest) and [`problems`](Self::problems): what it missed is in those.
    pub fn subscribe(&self) -> broadcast::Receiver<TemplateEvent> {
        self.shared.events.subscribe()
    }

    /// The templates that one uses itself, by `include`, `extends`, `import` or as a partial. One that names a
    /// template only when it is rendered (`{% include name %}`) depends on all there are.
    pub fn dependencies(&self, name: &str) -> BTreeSet<String> {
        let current = self.shared.current.load();
        if current.graph.is_unsure(name) {
            return current.versions.keys().filter(|other| *other != name).cloned().collect();
        }
        current.graph.uses(name).map(str::to_owned).collect()
    }

    /// These templates and all that reach one of them: what is rendered differently when they change.
    pub fn affected<'a>(&self, changed: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        self.shared.current.load().graph.affected(changed)
    }

    /// The engine itself with the set in use, for what it can do beyond rendering. It stays as it is: the
    /// next set is another.
    pub fn raw(&self) -> Arc<E::Raw> {
        Arc::clone(&self.shared.current.load().raw)
    }
}

impl<E: Engine> Clone for Templates<E> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<E: Engine> fmt::Debug for Templates<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates")
            .field("engine", &E::NAME)
            .field("pattern", &self.shared.scope.pattern())
            .field("current", &*self.shared.current.load())
            .finish_non_exhaustive()
    }
}

/// How templates are to be compiled.
pub struct TemplatesBuilder<E: Engine> {
    raw: E::Raw,
}

impl<E: Engine> fmt::Debug for TemplatesBuilder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplatesBuilder").field("engine", &E::NAME).finish_non_exhaustive()
    }
}

impl<E: Engine> TemplatesBuilder<E> {
    /// Configures the engine itself: filters, functions, globals, syntax. Every set is made from a copy of it.
    #[must_use]
    pub fn configure(mut self, configure: impl FnOnce(&mut E::Raw)) -> Self {
        configure(&mut self.raw);
        self
    }

    /// As [`Templates::watch`].
    ///
    /// # Errors
    ///
    /// As [`Templates::watch`].
    ///
    /// # Cancel safety
    ///
    /// As [`Templates::watch`].
    pub async fn watch<S: Source>(self, source: &S, pattern: &str) -> Result<Templates<E>> {
        let manager = source.manager().await?;
        let scope = Scope::new(manager.root(), pattern)?;
        let inbox = Arc::new(Inbox::default());
        // Told first, listed second: what is written in between is told of.
        manager.register(Feed::of(pattern, &inbox))?;
        let base = Arc::new(self.raw);
        let shared = Arc::new(Shared {
            current: ArcSwap::from_pointee(Current::empty(Arc::clone(&base))),
            events: broadcast::Sender::new(EVENTS),
            scope: scope.clone(),
            inbox,
            _manager: manager,
        });
        let ready = Shared::start(&shared, Compiler::new(scope, base))?;
        // It ends without a word only when it panics, and then there is an empty set.
        let _first_set = ready.await;
        Ok(Templates { shared })
    }
}

impl<E: Engine> Shared<E> {
    /// Compiles whatever changes from now on. The first set is there when the receiver is told.
    fn start(shared: &Arc<Self>, mut compiler: Compiler<E>) -> Result<oneshot::Receiver<()>> {
        let (inbox, shared) = (Arc::clone(&shared.inbox), Arc::downgrade(shared));
        inbox::work_off(inbox, move |work| {
            let Some(shared) = shared.upgrade() else { return Then::End };
            let used = shared.current.load_full();
            compiler.look(work, &used.versions);
            shared.replace(&used, compiler.compile(&used));
            if compiler.has_to_try_again() { Then::TryAgain } else { Then::Wait }
        })
    }

    /// Puts a set into use, and tells what is different.
    fn replace(&self, used: &Current<E::Raw>, next: Current<E::Raw>) {
        let next = Arc::new(next);
        self.current.store(Arc::clone(&next));
        log(used, &next);
        if used.generation > 0 && next.generation != used.generation {
            self.tell(TemplateEvent::Changed(change(used, &next)));
        }
        if next.problems != used.problems {
            self.tell(TemplateEvent::Problems(Arc::clone(&next.problems)));
        }
    }

    fn tell(&self, event: TemplateEvent) {
        // Nobody may have subscribed.
        let _unheard = self.events.send(event);
    }
}

impl<E: Engine> Drop for Shared<E> {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

/// Says what was compiled and what is wrong: each problem once.
fn log<R>(before: &Current<R>, now: &Current<R>) {
    if now.generation != before.generation {
        tracing::info!(generation = now.generation, templates = now.versions.len(), "templates compiled");
    }
    for problem in now.problems.iter().filter(|problem| !before.problems.contains(problem)) {
        tracing::warn!("{problem}");
    }
    if now.problems.is_empty() && !before.problems.is_empty() {
        tracing::info!("templates mended");
    }
}

fn change<R>(before: &Current<R>, now: &Current<R>) -> TemplateChange {
    let (changed, removed) = difference(&before.versions, &now.versions);
    let touched = || changed.iter().chain(&removed).copied();
    let mut affected = now.graph.affected(touched());
    affected.extend(before.graph.affected(touched()));
    TemplateChange {
        generation: now.generation,
        affected,
        changed: changed.into_iter().map(str::to_owned).collect(),
        removed: removed.into_iter().map(str::to_owned).collect(),
    }
}
