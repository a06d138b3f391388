//! [`Config`]: a configuration, as a handler takes it.

use std::any::type_name;
use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::error::ErrorInternalServerError;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};
use rekindle::Live;
use rekindle_web::Pinned;

/// The value of a configuration for the whole of one request, from a [`Live`] that was given to
/// [`App::app_data`](actix_web::App::app_data). Without one the answer is 500, and the error says so.
///
/// However often a request takes it, in middleware and handlers, it gets the one value that was in use
/// when it first did.
#[derive(Debug, Clone)]
pub struct Config<T>(Arc<T>);

impl<T> Deref for Config<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> FromRequest for Config<T> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pinned = request.extensions_mut().get_or_insert_with(Pinned::default).clone();
        let live = request.app_data::<Live<T>>().ok_or_else(|| {
            let name = type_name::<Live<T>>();
            ErrorInternalServerError(format!("the application has no `{name}`: add it with `App::app_data`"))
        });
        ready(live.map(|live| Self(pinned.value(live))))
    }
}
