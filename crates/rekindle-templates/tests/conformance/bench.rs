//! A site, and its templates kept live.

use std::collections::BTreeSet;

use rekindle::{HotReload, HotReloadBuilder, HotReloadManager};
use rekindle_templates::{Engine, ProblemKind, TemplateEvent, TemplateProblem, Templates, TemplatesBuilder};
use rekindle_test::{LIMIT, SHORT_WINDOW, Site};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// A site with its templates.
pub(crate) struct Bench<E: Engine> {
    pub(crate) site: Site,
    pub(crate) templates: Templates<E>,
    pub(crate) manager: HotReloadManager,
    events: Receiver<TemplateEvent>,
    seen: Vec<TemplateEvent>,
}

impl<E: Engine> Bench<E> {
    /// With these files below `templates/`.
    pub(crate) async fn new(files: &[(&str, &str)]) -> Self {
        Self::with(Templates::builder(), files).await
    }

    pub(crate) async fn with(builder: TemplatesBuilder<E>, files: &[(&str, &str)]) -> Self {
        let site = Site::new();
        for (name, source) in files {
            site.write(&format!("templates/{name}"), source);
        }
        Self::on(site, builder).await
    }

    pub(crate) async fn on(site: Site, builder: TemplatesBuilder<E>) -> Self {
        let engine = HotReload::builder(site.root());
        Self::by(site, engine, builder).await
    }

    pub(crate) async fn by(site: Site, engine: HotReloadBuilder, builder: TemplatesBuilder<E>) -> Self {
        let manager = engine.debounce(SHORT_WINDOW).start().await.unwrap();
        let templates = builder.watch(&manager, "templates/**").await.unwrap();
        let events = templates.subscribe();
        Self { site, templates, manager, events, seen: Vec::new() }
    }

    /// Saves a template as editors do.
    pub(crate) fn save(&self, name: &str, source: &str) {
        self.site.replace(&format!("templates/{name}"), source);
    }

    pub(crate) fn remove(&self, name: &str) {
        self.site.remove(&format!("templates/{name}"));
    }

    pub(crate) fn render(&self, name: &str) -> String {
        self.render_with(name, &json!({"who": "you"}))
    }

    pub(crate) fn render_with(&self, name: &str, context: &Value) -> String {
        match self.templates.render(name, context) {
            Ok(text) => text,
            Err(error) => panic!("{name} cannot be rendered: {error}"),
        }
    }

    /// Waits until something holds, looking again after each event.
    pub(crate) async fn until(&mut self, what: &str, holds: impl Fn(&Templates<E>) -> bool) {
        while !holds(&self.templates) {
            match tokio::time::timeout(LIMIT, self.events.recv()).await {
                Ok(Ok(event)) => self.seen.push(event),
                Ok(Err(RecvError::Lagged(_))) => {}
                Ok(Err(RecvError::Closed)) => panic!("the events ended before {what}"),
                Err(_) => panic!("waited {LIMIT:?} for {what}; {:#?}; {:#?}", self.templates, self.seen),
            }
        }
    }

    /// Waits until a template renders to this.
    pub(crate) async fn renders(&mut self, name: &str, expected: &str) {
        let context = json!({"who": "you"});
        let renders = |templates: &Templates<E>| {
            templates.render(name, &context).is_ok_and(|text| text.trim() == expected)
        };
        self.until(&format!("{name} to render to {expected:?}"), renders).await;
    }

    /// Waits until this is the one problem there is.
    pub(crate) async fn problem(&mut self, kind: ProblemKind, template: &str) -> TemplateProblem {
        let is_it = |problem: &TemplateProblem| problem.kind == kind && problem.template == template;
        let only = |templates: &Templates<E>| matches!(&*templates.problems(), [one] if is_it(one));
        self.until(&format!("the {kind:?} problem of {template}"), only).await;
        self.templates.problems()[0].clone()
    }

    /// Waits until something is wrong with a template.
    #[cfg(feature = "tera")]
    pub(crate) async fn until_problem(&mut self, template: &str) -> TemplateProblem {
        let find = |templates: &Templates<E>| {
            templates.problems().iter().find(|problem| problem.template == template).cloned()
        };
        self.until(&format!("a problem of {template}"), |templates| find(templates).is_some()).await;
        find(&self.templates).unwrap()
    }

    /// Waits until nothing is wrong.
    pub(crate) async fn mended(&mut self) {
        self.until("everything to be mended", |templates| templates.problems().is_empty()).await;
    }

    /// What all changes up to now affected, changed and removed.
    pub(crate) fn told(&mut self) -> [BTreeSet<String>; 3] {
        while let Ok(event) = self.events.try_recv() {
            self.seen.push(event);
        }
        let mut told = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
        for event in self.seen.drain(..) {
            if let TemplateEvent::Changed(change) = event {
                told[0].extend(change.affected);
                told[1].extend(change.changed);
                told[2].extend(change.removed);
            }
        }
        told
    }
}

/// Names, as a set.
pub(crate) fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}
