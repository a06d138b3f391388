//! What all adaptors of frameworks have in common.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use rekindle::Live;
use rekindle_templates::TemplateError;

/// The answer with a page as [`Templates::render`](rekindle_templates::Templates::render) returned it.
///
/// Where it could not be rendered, the status is 500 and the error is among the extensions, for which
/// [live reload](crate::LiveReload::layer) shows the page that says what is wrong. Without live reload the answer says no
/// more than that; the error goes to `tracing`.
///
/// ```
/// let page = rekindle_web::page(Ok("<h1>Hello</h1>".to_owned()));
/// assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
/// ```
pub fn page(rendered: Result<String, TemplateError>) -> Response<Bytes> {
    match rendered {
        Ok(html) => answer(StatusCode::OK, "text/html; charset=utf-8", html.into()),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            let text = Bytes::from_static(b"The page could not be rendered.\n");
            let mut answer = answer(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", text);
            answer.extensions_mut().insert(error);
            answer
        }
    }
}

fn answer(status: StatusCode, mime: &'static str, body: Bytes) -> Response<Bytes> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(mime));
    answer
}

/// The values of configurations that a request uses: of each the one that was in use when it was first asked for.
///
/// It is for the extensions of a request. Clones hold the same values.
#[derive(Clone, Default)]
pub struct Pinned(Arc<Mutex<Vec<Box<dyn Any + Send>>>>);

impl Pinned {
    /// The value of a configuration for this request.
    pub fn value<T: Send + Sync + 'static>(&self, live: &Live<T>) -> Arc<T> {
        let mut pins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pinned = pins.iter().filter_map(|pin| pin.downcast_ref::<(Live<T>, Arc<T>)>());
        if let Some((_, value)) = pinned.find(|(other, _)| other.is_same(live)) {
            return Arc::clone(value);
        }
        let value = live.load_full();
        pins.push(Box::new((live.clone(), Arc::clone(&value))));
        value
    }
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pinned").finish_non_exhaustive()
    }
}
