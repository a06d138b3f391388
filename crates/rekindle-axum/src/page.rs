//! [`Page`]: a rendered template, as a handler returns it.

use axum::response::{IntoResponse, Response};
use rekindle_templates::{Engine, TemplateError, Templates};
use serde::Serialize;

/// A page as a handler returns it: the HTML that a template was rendered to, or why it could not be.
///
/// The latter is answered with status 500, and with [live reload](crate::RouterExt::live_reload) by the page that says
/// what is wrong and heals itself.
#[derive(Debug, Clone)]
pub struct Page(Result<String, TemplateError>);

impl Page {
    /// Renders a template by its name.
    pub fn render<E, C>(templates: &Templates<E>, name: &str, context: &C) -> Self
    where
        E: Engine,
        C: Serialize + ?Sized,
    {
        Self(templates.render(name, context))
    }
}

impl From<Result<String, TemplateError>> for Page {
    fn from(rendered: Result<String, TemplateError>) -> Self {
        Self(rendered)
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        rekindle_web::page(self.0).map(Into::into)
    }
}
