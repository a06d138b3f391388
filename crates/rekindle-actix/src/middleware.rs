//! [`live_reload`]: the middleware.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpResponse};
use futures_util::TryStreamExt;
use http::request::Parts;
use http_body::Frame;
use http_body_util::StreamBody;
use rekindle_web::{LiveAnswer, LiveReload, PageBody, PendingPage};

use crate::{body, convert, socket};

/// Adds live reload to an application, and its endpoints: the dashboard is at `/_rekindle/`.
///
/// For [`App::wrap`](actix_web::App::wrap). Around the whole application, so that the endpoints are found.
pub fn live_reload<S, B>(
    live: &LiveReload,
) -> impl Transform<S, ServiceRequest, Response = ServiceResponse, Error = Error, InitError = ()> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    let live = live.clone();
    from_fn(move |request, next| around(live.clone(), request, next))
}

async fn around<B>(live: LiveReload, request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse, Error>
where
    B: MessageBody + 'static,
{
    match convert::request(request.head()) {
        Some(head) if live.owns(&head) => Ok(endpoint(&live, head, request).await),
        Some(head) => through(&live, head, request, next).await,
        None => Ok(next.call(request).await?.map_into_boxed_body()),
    }
}

/// A request to an endpoint.
async fn endpoint(live: &LiveReload, head: Parts, request: ServiceRequest) -> ServiceResponse {
    let (request, mut payload) = request.into_parts();
    let body = StreamBody::new((&mut payload).map_ok(Frame::data));
    let response = match live.answer(&head, body).await {
        LiveAnswer::Response(response) => convert::response(response),
        LiveAnswer::Socket(session) => socket::accept(&head.headers, session, payload),
    };
    ServiceResponse::new(request, response)
}

/// A request that is the program's.
async fn through<B: MessageBody + 'static>(
    live: &LiveReload,
    mut head: Parts,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse, Error> {
    let page = live.page(&mut head);
    convert::set_headers(request.headers_mut(), &head.headers);
    let (response, templates) = rekindle_templates::recorded(async { next.call(request).await }).await;
    let (request, response) = response?.into_parts();
    Ok(ServiceResponse::new(request, finish(page, &templates, response.map_into_boxed_body())))
}

/// The answer with the tag in it where it is a page. A body that stays what it is is not touched.
fn finish(page: PendingPage, templates: &[String], response: HttpResponse) -> HttpResponse {
    let (mut response, body) = response.into_parts();
    let mut head = convert::response_head(&mut response);
    let body = match page.head(templates, &mut head) {
        PageBody::Kept => body,
        PageBody::Tagged(tagging) => other(&mut response, tagging.apply(body::incoming(body)), &head.headers),
        PageBody::Replaced(page) => other(&mut response, page, &head.headers),
    };
    convert::set_response_head(&mut response, head);
    response.set_body(body)
}

/// Another body may have no length that is known, even where the program said that its own had one.
fn other(response: &mut HttpResponse<()>, body: rekindle_web::Body, headers: &http::HeaderMap) -> BoxBody {
    response.head_mut().no_chunking(false);
    body::outgoing(body, headers)
}
