//! [`Page`]: a rendered template, as a handler returns it.

use rekindle_templates::TemplateError;
use warp::Reply;
use warp::reply::Response;

/// What [`Templates::render`](rekindle_templates::Templates::render) returned, as a handler returns it: a page, or why
/// there is none.
///
/// The latter is answered with status 500, and with [live reload](crate::live_reload) by the page that says
/// what is wrong and heals itself.
#[derive(Debug, Clone)]
pub struct Page(pub Result<String, TemplateError>);

impl Reply for Page {
    fn into_response(self) -> Response {
        rekindle_web::page(self.0).into_response()
    }
}
