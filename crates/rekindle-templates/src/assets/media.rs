//! What a file is, by its name: its MIME type, what a page does with it, and whether compressing it pays.

use serde::Serialize;

/// What a page does with an asset, and so what has to be done when it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AssetKind {
    /// A stylesheet.
    Style,
    /// An image.
    Image,
    /// A script, or WebAssembly.
    Script,
    /// A font.
    Font,
    /// What no page shows: source maps, which only developer tools read.
    SourceMap,
    /// Anything else.
    Other,
}

/// Types that `mime_guess` does not have as the registry has them by now.
const BETTER: [(&str, &str); 7] = [
    // RFC 9239: one type for all of JavaScript.
    ("js", "text/javascript"),
    ("mjs", "text/javascript"),
    ("cjs", "text/javascript"),
    // RFC 8081.
    ("woff", "font/woff"),
    ("otf", "font/otf"),
    // JSON, by the specification of source maps (ECMA-426).
    ("map", "application/json"),
    // Not the audio files of old.
    ("m4a", "audio/mp4"),
];

/// Types beside `text/…` that are text, or shrink like it.
const COMPRESSIBLE: [&str; 12] = [
    "application/json",
    "application/manifest+json",
    "application/ld+json",
    "application/geo+json",
    "application/wasm",
    "application/xml",
    "application/rss+xml",
    "application/atom+xml",
    "application/xhtml+xml",
    "image/svg+xml",
    "font/ttf",
    "font/otf",
];

/// The extension, in lower case.
fn extension(name: &str) -> Option<String> {
    let file = name.rsplit('/').next()?;
    file.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase())
}

/// The type without parameters.
fn essence(name: &str) -> &'static str {
    let extension = extension(name).unwrap_or_default();
    let better = BETTER.iter().find(|(known, _)| *known == extension).map(|(_, mime)| *mime);
    better
        .unwrap_or_else(|| mime_guess::from_ext(&extension).first_raw().unwrap_or("application/octet-stream"))
}

/// The value of `Content-Type`: text says that it is UTF-8.
pub(super) fn content_type(name: &str) -> String {
    let essence = essence(name);
    let is_text = essence.starts_with("text/")
        || essence.ends_with("+xml")
        || ["application/json", "application/manifest+json", "application/xml"].contains(&essence);
    // JSON has no such parameter, and needs none: it is UTF-8 by definition.
    let says_so = is_text && !essence.ends_with("json");
    if says_so { format!("{essence}; charset=utf-8") } else { essence.to_owned() }
}

/// Whether it shrinks when it is compressed.
pub(super) fn is_compressible(name: &str) -> bool {
    let essence = essence(name);
    essence.starts_with("text/") || COMPRESSIBLE.contains(&essence)
}

/// What a page does with it.
pub(super) fn kind(name: &str) -> AssetKind {
    if extension(name).as_deref() == Some("map") {
        return AssetKind::SourceMap;
    }
    match essence(name) {
        "text/css" => AssetKind::Style,
        "text/javascript" | "application/wasm" => AssetKind::Script,
        "application/vnd.ms-fontobject" => AssetKind::Font,
        image if image.starts_with("image/") => AssetKind::Image,
        font if font.starts_with("font/") => AssetKind::Font,
        _ => AssetKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_the_registry_and_text_says_its_encoding() {
        let cases = [
            ("app.css", "text/css; charset=utf-8", AssetKind::Style),
            ("APP.CSS", "text/css; charset=utf-8", AssetKind::Style),
            ("js/app.min.js", "text/javascript; charset=utf-8", AssetKind::Script),
            ("app.mjs", "text/javascript; charset=utf-8", AssetKind::Script),
            ("app.wasm", "application/wasm", AssetKind::Script),
            ("app.css.map", "application/json", AssetKind::SourceMap),
            ("site.webmanifest", "application/manifest+json", AssetKind::Other),
            ("data.json", "application/json", AssetKind::Other),
            ("a.woff", "font/woff", AssetKind::Font),
            ("a.woff2", "font/woff2", AssetKind::Font),
            ("a.ttf", "font/ttf", AssetKind::Font),
            ("a.otf", "font/otf", AssetKind::Font),
            ("a.avif", "image/avif", AssetKind::Image),
            ("a.webp", "image/webp", AssetKind::Image),
            ("a.svg", "image/svg+xml; charset=utf-8", AssetKind::Image),
            ("favicon.ico", "image/x-icon", AssetKind::Image),
            ("a.html", "text/html; charset=utf-8", AssetKind::Other),
            ("a.txt", "text/plain; charset=utf-8", AssetKind::Other),
            ("a.mp4", "video/mp4", AssetKind::Other),
            ("LICENSE", "application/octet-stream", AssetKind::Other),
            ("a.b/LICENSE", "application/octet-stream", AssetKind::Other),
            ("a.unheard-of", "application/octet-stream", AssetKind::Other),
        ];
        for (name, expected, expected_kind) in cases {
            assert_eq!(content_type(name), expected, "{name}");
            assert_eq!(kind(name), expected_kind, "{name}");
        }
    }

    #[test]
    fn what_is_compressed_already_is_not_compressible() {
        for name in ["a.css", "a.js", "a.svg", "a.wasm", "a.json", "a.webmanifest", "a.map", "a.ttf", "a.txt"]
        {
            assert!(is_compressible(name), "{name}");
        }
        for name in ["a.png", "a.woff2", "a.avif", "a.mp4", "a.tar", "a.gz", "a.br", "LICENSE", "a.pdf"] {
            assert!(!is_compressible(name), "{name}");
        }
    }
}
