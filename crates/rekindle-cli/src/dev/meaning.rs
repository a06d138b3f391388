//! What a saved file means for the pages that show it at an address of its own: a name in, the updates out.
//!
//! Pure.

use percent_encoding::utf8_percent_encode;
use rekindle_web::Update;

use super::pages::KEPT;

/// What kind of file it is, by its ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Style,
    Image,
    /// A script or a font: nothing less than loading the page anew will do.
    Program,
    Page,
    Other,
}

impl Kind {
    /// Of a file.
    pub(super) fn of(name: &str) -> Self {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
        match ending.as_str() {
            "css" => Self::Style,
            "png" | "jpg" | "jpeg" | "gif" | "svg" | "webp" | "avif" | "ico" => Self::Image,
            "js" | "mjs" | "cjs" | "wasm" | "woff" | "woff2" | "ttf" | "otf" => Self::Program,
            "html" | "htm" | "md" | "txt" => Self::Page,
            _ => Self::Other,
        }
    }
}

/// Of a file whose address is what stands before it and its name.
pub(super) fn of(prefix: &str, name: &str, is_gone: bool) -> Vec<Update> {
    let address = || address(prefix, name);
    vec![match Kind::of(name) {
        Kind::Style if !is_gone => Update::Style { old: address(), new: address() },
        Kind::Image if !is_gone => Update::Image { old: address(), new: address() },
        Kind::Page => Update::all_pages(),
        _ => Update::Reload,
    }]
}

/// The address of a file.
pub(super) fn address(prefix: &str, name: &str) -> String {
    let parts = name.split('/').map(|part| format!("/{}", utf8_percent_encode(part, KEPT)));
    format!("{prefix}{}", parts.collect::<String>())
}

/// What browsers do, for people.
pub(super) fn words(updates: &[Update]) -> &'static str {
    let mut words = "pages rendered anew";
    for update in updates {
        match update {
            Update::Reload => return "pages loaded anew",
            Update::Style { .. } => words = "style swapped",
            Update::Image { .. } => words = "image exchanged",
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_the_smallest_update_that_is_right() {
        let style = Update::Style { old: "/static/a%20b.css".into(), new: "/static/a%20b.css".into() };
        assert_eq!(of("/static", "a b.css", false), [style]);
        assert_eq!(
            of("", "x/y.PNG", false),
            [Update::Image { old: "/x/y.PNG".into(), new: "/x/y.PNG".into() }]
        );
        assert_eq!(of("", "about.html", true), [Update::all_pages()]);
        for (name, is_gone) in [("a.css", true), ("a.js", false), ("data.json", false)] {
            assert_eq!(of("", name, is_gone), [Update::Reload], "{name}");
        }
    }
}
