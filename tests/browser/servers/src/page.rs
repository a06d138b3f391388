//! [`Page`]: how pages are sent.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderName, Response};
use rekindle_templates::{MiniJinja, TemplateError, Templates};
use serde_json::json;

/// A page as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// Its headers, beside those of its length.
    headers: Vec<(HeaderName, String)>,
    /// What is sent.
    body: Vec<u8>,
}

impl Page {
    /// `/` and what differs from it by how it is sent is `page.html`, `/name` is `name.html`.
    pub(crate) fn render(templates: &Templates<MiniJinja>, path: &str) -> Result<Self, TemplateError> {
        let name = match path.trim_start_matches('/') {
            "" | "csp" | "trusted" | "gzip" | "br" | "zstd" => "page",
            "plain-html" => "headless",
            name => name,
        };
        let nonce = nonce();
        let text = templates.render(&format!("{name}.html"), &json!({ "nonce": nonce }))?;
        let mut page =
            Self { headers: vec![(CONTENT_TYPE, "text/html; charset=utf-8".to_owned())], body: Vec::new() };
        match path {
            "/gzip" => page.encoded("gzip", gzip(text.as_bytes())),
            "/br" => page.encoded("br", brotli(text.as_bytes())),
            "/zstd" => page.encoded("zstd", zstd(text.as_bytes())),
            "/csp" => page.under(by_nonce(&nonce), text),
            "/trusted" => page.under(strict(&nonce), text),
            _ => page.body = text.into(),
        }
        Ok(page)
    }

    fn under(&mut self, policy: String, text: String) {
        self.headers.push((CONTENT_SECURITY_POLICY, policy));
        self.body = text.into();
    }

    fn encoded(&mut self, encoding: &str, body: Vec<u8>) {
        self.headers.push((CONTENT_ENCODING, encoding.to_owned()));
        self.body = body;
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

/// Scripts and styles of the page's own alone, and scripts by their nonce alone.
fn by_nonce(nonce: &str) -> String {
    format!("default-src 'self'; script-src 'nonce-{nonce}'; connect-src 'self'")
}

/// Nothing that is not named, and no text where something of it could run.
fn strict(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    )
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

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, zstd::DEFAULT_COMPRESSION_LEVEL).expect("memory takes all")
}
