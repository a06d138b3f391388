//! [`Page`]: a rendered template, as a handler returns it.

use actix_web::body::BoxBody;
use actix_web::{HttpRequest, HttpResponse, Responder};
use rekindle_templates::TemplateError;

use crate::convert;

/// What [`Templates::render`](rekindle_templates::Templates::render) returned, as a handler returns it: a page, or why
/// there is none.
///
/// The latter is answered with status 500, and with [live reload](crate::live_reload) by the page that says
/// what is wrong and heals itself.
#[derive(Debug, Clone)]
pub struct Page(pub Result<String, TemplateError>);

impl Responder for Page {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        convert::response(rekindle_web::page(self.0).map(Into::into))
    }
}
