//! [`Page`]: the pages, and how they are sent.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderName, Response};
use rekindle_templates::{MiniJinja, TemplateError, Templates};
use serde_json::json;

/// Where a page is, and how it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `/`, also as the answer to its form.
    Home,
    /// `/other`: another template.
    Other,
    /// `/csp`: the first page under a policy that lets in scripts by their nonce alone.
    Policy,
    /// `/gzip`
    Gzip,
    /// `/br`
    Brotli,
    /// `/plain-html`: a page without a head.
    Headless,
}

impl Route {
    /// All of them, with their paths.
    pub const ALL: [(&str, Self); 6] = [
        ("/", Self::Home),
        ("/other", Self::Other),
        ("/csp", Self::Policy),
        ("/gzip", Self::Gzip),
        ("/br", Self::Brotli),
        ("/plain-html", Self::Headless),
    ];

    fn template(self) -> &'static str {
        match self {
            Self::Other => "other.html",
            Self::Headless => "headless.html",
            Self::Home | Self::Policy | Self::Gzip | Self::Brotli => "page.html",
        }
    }
}

/// A page as it is sent.
#[derive(Debug, Clone)]
pub struct Page {
    /// The headers that it has beside those of its length.
    pub headers: Vec<(HeaderName, String)>,
    /// What is sent.
    pub body: Vec<u8>,
}

impl Page {
    pub(crate) fn render(templates: &Templates<MiniJinja>, route: Route) -> Result<Self, TemplateError> {
        let nonce = nonce();
        let text = templates.render(route.template(), &json!({ "nonce": nonce }))?;
        let mut headers = vec![(CONTENT_TYPE, "text/html; charset=utf-8".to_owned())];
        let body = match route {
            Route::Gzip => {
                headers.push((CONTENT_ENCODING, "gzip".to_owned()));
                gzip(text.as_bytes())
            }
            Route::Brotli => {
                headers.push((CONTENT_ENCODING, "br".to_owned()));
                brotli(text.as_bytes())
            }
            Route::Policy => {
                headers.push((CONTENT_SECURITY_POLICY, policy(&nonce)));
                text.into_bytes()
            }
            Route::Home | Route::Other | Route::Headless => text.into_bytes(),
        };
        Ok(Self { headers, body })
    }
}

impl<B: From<Vec<u8>>> From<Page> for Response<B> {
    fn from(page: Page) -> Self {
        let mut response = Self::new(page.body.into());
        for (name, value) in page.headers {
            response.headers_mut().insert(name, value.parse().expect("made of ASCII here"));
        }
        response
    }
}

fn policy(nonce: &str) -> String {
    format!("default-src 'self'; script-src 'nonce-{nonce}'; connect-src 'self'")
}

/// Another one for each page; that nobody can guess it is of no concern here.
fn nonce() -> String {
    static PAGES: AtomicU64 = AtomicU64::new(0);
    format!("nonce{}", PAGES.fetch_add(1, Ordering::Relaxed))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    encoder.write_all(bytes).expect("memory takes all");
    encoder.into_inner()
}
