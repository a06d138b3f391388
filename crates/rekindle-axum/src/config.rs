//! [`Config`]: a configuration, as a handler takes it.

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use rekindle::Live;
use rekindle_web::Pinned;

/// The value of a configuration for the whole of one request, from a [`Live`] in the router's state.
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

impl<S, T> FromRequestParts<S> for Config<T>
where
    S: Send + Sync,
    T: Send + Sync + 'static,
    Live<T>: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let pinned = parts.extensions.get_or_insert_default::<Pinned>();
        Ok(Self(pinned.value(&Live::from_ref(state))))
    }
}
