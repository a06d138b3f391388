//! [`Files`]: assets over HTTP.
//!
//! In: method, address and headers of a request. Out: an answer. What can be asked for is what is in the manifest, by its
//! exact name, and nothing else: no path is ever put together from what a request says.
//!
//! `target` is the way from a path to a name, `negotiate`, `validators` and `range` read the headers; all of them are
//! pure. `content` opens the file, `stream` sends a large one, `answer` says what is true of it.

mod answer;
mod content;
mod negotiate;
mod range;
mod stream;
mod target;
mod validators;

use std::future::Future;

use http::{HeaderMap, Method, Response, Uri};
use rekindle_templates::{Asset, Assets};

use self::content::Content;
use crate::Body;

/// Answers requests for assets.
///
/// - At an address with the fingerprint of the current content: `Cache-Control: immutable`. At any other: `no-cache`,
///   so that a browser asks each time, and is told 304 by the `ETag`.
/// - Encoded siblings are sent to whoever accepts them, as long as they are known to hold the same.
/// - One range of bytes, also with `If-Range`; several are answered with the whole.
/// - A file that has changed since it was hashed is sent as it is, and not as what it was. Large files are streamed.
///
/// The query of an address means nothing here.
///
/// ```
/// # use rekindle::testing::create_test_workspace_with_structure;
/// # use http::{HeaderMap, Method, Uri};
/// use rekindle_templates::Assets;
/// use rekindle_web::Files;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let (_dir, ws) = create_test_workspace_with_structure();
/// # std::fs::create_dir_all(ws.join("static"))?;
/// std::fs::write(ws.join("static/app.css"), "a { color: red }")?;
/// let assets = Assets::watch(&ws, "static/**").await?;
/// let files = Files::new(assets.clone());
/// let uri: Uri = assets.url("app.css").parse().unwrap();
/// let answer = files.answer(&Method::GET, &uri, &HeaderMap::new()).await;
/// assert_eq!(answer.headers()["content-type"], "text/css; charset=utf-8");
/// assert_eq!(answer.headers()["cache-control"], "public, max-age=31536000, immutable");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Files {
    assets: Assets,
    prefix: String,
}

impl Files {
    /// Answers below the [prefix](Assets::prefix) of these assets.
    pub fn new(assets: Assets) -> Self {
        Self { prefix: assets.prefix(), assets }
    }

    /// The assets.
    pub fn assets(&self) -> &Assets {
        &self.assets
    }

    /// Whether there is an asset at an address: for servers that have something else at others below the prefix.
    pub fn has(&self, uri: &Uri) -> bool {
        self.find(uri).is_some()
    }

    /// The answer to a request: 404 where there is no asset, 405 to what is neither GET nor HEAD.
    ///
    /// `uri` is that of the request as a whole, with the prefix. Files are opened on a thread for blocking work.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn answer(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> impl Future<Output = Response<Body>> + Send + use<> {
        let (found, method, headers) = (self.find(uri), method.clone(), headers.clone());
        async move {
            let Some(asset) = found else { return answer::not_found() };
            if !matches!(method, Method::GET | Method::HEAD) {
                return answer::not_allowed();
            }
            let work = move || respond(&asset, &method, &headers);
            let answered = tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other).flatten();
            answered.unwrap_or_else(|cause| {
                tracing::debug!(%cause, "an asset could not be opened");
                answer::failed(&cause)
            })
        }
    }

    fn find(&self, uri: &Uri) -> Option<Asset> {
        self.assets.find(&target::name(uri.path(), &self.prefix)?)
    }
}

fn respond(asset: &Asset, method: &Method, headers: &HeaderMap) -> std::io::Result<Response<Body>> {
    let content = Content::open(asset, &negotiate::preferred(headers))?;
    answer::with(asset, content, method, headers)
}
