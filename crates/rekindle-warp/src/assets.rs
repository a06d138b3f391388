//! [`assets`]: static files.

use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use futures_util::Stream;
use http::{HeaderMap, Method, Response, Uri};
use http_body_util::BodyDataStream;
use rekindle_templates::Assets;
use rekindle_web::{Body, Files};
use warp::path::FullPath;
use warp::{Filter, Rejection, Reply};

/// Serves static files, as [`Files`] does, at their addresses. What is no address of one is rejected as not found.
pub fn assets(
    assets: &Assets,
) -> impl Filter<Extract = (impl Reply + use<>,), Error = Rejection> + Clone + use<> {
    let files = Files::new(assets.clone());
    let request = warp::path::full().and(warp::method()).and(warp::header::headers_cloned());
    request.and_then(move |path, method, headers| answer(files.clone(), path, method, headers))
}

async fn answer(
    files: Files,
    path: FullPath,
    method: Method,
    headers: HeaderMap,
) -> Result<warp::reply::Response, Rejection> {
    let address: Option<Uri> = path.as_str().parse().ok();
    let address = address.filter(|address| files.has(address)).ok_or_else(warp::reject::not_found)?;
    Ok(reply(files.answer(&method, &address, &headers).await))
}

fn reply(answer: Response<Body>) -> warp::reply::Response {
    let (head, body) = answer.into_parts();
    let body = warp::reply::stream(Chunks(Mutex::new(BodyDataStream::new(body)))).into_response().into_body();
    Response::from_parts(head, body)
}

/// The chunks of a body. warp asks for streams that can be shared between threads, as whatever is in a mutex can;
/// it is never locked.
struct Chunks(Mutex<BodyDataStream<Body>>);

impl Stream for Chunks {
    type Item = <BodyDataStream<Body> as Stream>::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunks = self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        Pin::new(chunks).poll_next(context)
    }
}
