//! [`assets`]: static files.

use actix_web::dev::HttpServiceFactory;
use actix_web::guard::fn_guard;
use actix_web::{HttpRequest, web};
use rekindle_templates::Assets;
use rekindle_web::Files;

use crate::convert;

/// Serves static files, as [`Files`] does, at their addresses. What is no address of one is left to the rest of the
/// application.
///
/// For [`App::service`](actix_web::App::service).
pub fn assets(assets: &Assets) -> impl HttpServiceFactory + use<> {
    let files = Files::new(assets.clone());
    let known = files.clone();
    let is_asset = fn_guard(move |context| {
        context.head().uri.to_string().parse().is_ok_and(|address| known.has(&address))
    });
    web::scope("").guard(is_asset).default_service(web::to(move |request: HttpRequest| {
        let files = files.clone();
        async move {
            let head = convert::request(request.head())?;
            Some(convert::response(files.answer(&head.method, &head.uri, &head.headers).await))
        }
    }))
}
