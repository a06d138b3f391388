//! A page that is open somewhere, and what it shows as far as it was told.

use crate::hub::{Hub, Revision, template_id};
use crate::protocol::{self, Message, Page, Step};

#[derive(Debug)]
pub(super) struct Shown {
    id: u32,
    revision: Revision,
    /// The ids of the templates it was rendered from; none when that is not known.
    templates: Vec<String>,
    path: String,
    /// Whether it knows that this is its revision.
    is_told: bool,
}

impl Shown {
    /// A page that has said what it shows. One that does not know shows what there is.
    ///
    /// `echo`: whether one that is up to date is told so.
    pub(super) fn new(page: Page, hub: &Hub, echo: bool) -> Self {
        let Page { id, revision, templates, path } = page;
        let is_told = !echo && revision.is_some();
        Self { id, revision: revision.unwrap_or_else(|| hub.revision()), templates, path, is_told }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// What the page has to be told, if there is anything.
    pub(super) fn take(&mut self, hub: &Hub) -> Option<String> {
        let Some(news) = hub.news(self.revision) else {
            let was_told = std::mem::replace(&mut self.is_told, true);
            return (!was_told).then(|| self.message(Vec::new()));
        };
        self.revision = news.revision;
        self.is_told = true;
        let updates = news.updates.iter().filter_map(|update| Step::of(update, |names| self.concerns(names)));
        Some(self.message(updates.collect()))
    }

    fn message(&self, updates: Vec<Step<'_>>) -> String {
        Message::Updates { page: self.id, revision: protocol::written(self.revision), updates }.text()
    }

    /// Whether a change of these templates, of all when there are none, concerns the page.
    fn concerns(&self, names: &[String]) -> bool {
        let mine = &self.templates;
        mine.is_empty() || names.is_empty() || names.iter().any(|name| mine.contains(&template_id(name)))
    }
}
