//! Templates as a [`Source`].

use std::collections::HashMap;

use rekindle::async_trait;
use rekindle_templates::{Engine, TemplateEvent, TemplateProblem, Templates};
use tokio::sync::broadcast::{self, error::RecvError};

use super::Source;
use crate::{FrameLine, Problem, Update};

/// The templates of a program.
pub(crate) struct TemplatesSource<E: Engine> {
    templates: Templates<E>,
    events: broadcast::Receiver<TemplateEvent>,
}

impl<E: Engine> TemplatesSource<E> {
    pub(crate) fn new(templates: Templates<E>) -> Self {
        let events = templates.subscribe();
        Self { templates, events }
    }
}

#[async_trait]
impl<E: Engine> Source for TemplatesSource<E> {
    fn name(&self) -> &'static str {
        "templates"
    }

    fn contents(&self) -> HashMap<String, u64> {
        self.templates.digest().iter().map(|(name, content)| (name.clone(), *content)).collect()
    }

    fn problems(&self) -> Vec<Problem> {
        self.templates.problems().iter().map(Problem::from).collect()
    }

    async fn changed(&mut self) -> Option<Vec<Update>> {
        match self.events.recv().await {
            Ok(TemplateEvent::Changed(change)) => {
                let templates: Vec<_> = change.affected.into_iter().collect();
                // An update without names would be one for all pages.
                let update = (!templates.is_empty()).then_some(Update::Page { templates });
                Some(update.into_iter().collect())
            }
            Ok(_) => Some(Vec::new()),
            // What was missed does not matter: what there is by now is looked at.
            Err(RecvError::Lagged(_)) => Some(vec![Update::all_pages()]),
            Err(RecvError::Closed) => None,
        }
    }
}

impl From<&TemplateProblem> for Problem {
    fn from(problem: &TemplateProblem) -> Self {
        let id = format!("template:{}", problem.template);
        // What has no file is named by its template.
        let named = || format!("{}: {}", problem.template, problem.message);
        let message = problem.file.as_ref().map_or_else(named, |_| problem.message.clone());
        let mut shown = Self::new(id, problem.title(), message);
        shown.file.clone_from(&problem.file);
        (shown.line, shown.column) = (problem.line, problem.column);
        shown.frame = problem.frame.iter().map(FrameLine::from).collect();
        shown.chain = problem.chain.iter().map(ToString::to_string).collect();
        shown
    }
}

impl From<&rekindle_templates::FrameLine> for FrameLine {
    fn from(line: &rekindle_templates::FrameLine) -> Self {
        Self { number: line.number, text: line.text.clone(), marked: line.marked }
    }
}
