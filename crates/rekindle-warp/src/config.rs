//! [`config`]: a configuration, as a handler takes it.

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::Arc;

use rekindle::Live;
use rekindle_web::Pinned;
use warp::Filter;

/// The value of a configuration for the whole of one request, from [`config`].
#[derive(Debug, Clone)]
pub struct Config<T>(Arc<T>);

impl<T> Deref for Config<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Extracts the value of a configuration.
///
/// With [live reload](crate::live_reload) around them, all filters of a request get the one value that was in use when
/// the first of them ran; without it, each gets the newest.
pub fn config<T>(live: &Live<T>) -> impl Filter<Extract = (Config<T>,), Error = Infallible> + Clone + use<T>
where
    T: Send + Sync + 'static,
{
    let live = live.clone();
    warp::ext::optional::<Pinned>()
        .map(move |pinned: Option<Pinned>| Config(pinned.unwrap_or_default().value(&live)))
}
