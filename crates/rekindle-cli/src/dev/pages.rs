//! Which page an address asks for: the path of a URL in, a name below the directory of pages out.
//!
//! Pure. An address is taken apart into names first, and what could lead out of the directory or to
//! a hidden file is no name; so it does not matter how it was encoded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What is left as it is in an address.
pub(super) const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What an address asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A page, by its name: `blog/index.html`.
    Page(String),
    /// A page that is at this address, so that its relative links are right.
    Elsewhere(String),
    /// Nothing that is there.
    Nothing,
}

/// Finds the page of an address among those that exist.
///
/// `/` is `index.html`, `/about` is `about.html` or `about/index.html`, and a name is always itself.
pub(super) fn find(path: &str, exists: impl Fn(&str) -> bool) -> Found {
    let Some(names) = names(path) else { return Found::Nothing };
    let name = names.join("/");
    let index = if name.is_empty() { "index.html".to_owned() } else { format!("{name}/index.html") };
    let (page, is_directory) = (format!("{name}.html"), path.ends_with('/'));
    match is_directory {
        true if exists(&index) => Found::Page(index),
        true if !name.is_empty() && exists(&page) => Found::Elsewhere(address(&names)),
        true => Found::Nothing,
        false if exists(&name) => Found::Page(name),
        false if exists(&page) => Found::Page(page),
        false if exists(&index) => Found::Elsewhere(address(&names) + "/"),
        false => Found::Nothing,
    }
}

/// The names that a path is made of, or `None` where one of them is no name of a file that is served.
pub(super) fn names(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(Vec::new());
    }
    path.split('/')
        .map(|part| percent_decode_str(part).decode_utf8().ok().map(String::from))
        .map(|name| name.filter(|name| is_name(name)))
        .collect()
}

/// No way up or out, nothing hidden, nothing that a system reads as something else than a name.
fn is_name(name: &str) -> bool {
    let is_odd = |character: char| character.is_control() || matches!(character, '/' | '\\' | ':');
    !name.is_empty() && !name.starts_with('.') && !name.contains(is_odd)
}

/// The way back. It begins with exactly one slash, since no name is empty: never another host's address.
fn address(names: &[String]) -> String {
    names.iter().map(|name| format!("/{}", utf8_percent_encode(name, KEPT))).collect()
}

/// The address of a page, as people write it.
pub(super) fn address_of(page: &str) -> String {
    let short = page.strip_suffix("index.html").filter(|rest| rest.is_empty() || rest.ends_with('/'));
    let short = short.or_else(|| page.strip_suffix(".html")).unwrap_or(page);
    let is_directory = short.is_empty() || short.ends_with('/');
    let names: Vec<String> = short.split('/').filter(|name| !name.is_empty()).map(String::from).collect();
    address(&names) + if is_directory { "/" } else { "" }
}

/// Whether a template is a page, and not a part of others.
pub(super) fn is_page(name: &str) -> bool {
    name.split('/').all(|part| is_name(part) && !part.starts_with('_'))
        && !name.split('/').rev().skip(1).any(|directory| matches!(directory, "partials" | "layouts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> Found {
        let there = [
            "index.html",
            "about.html",
            "blog/index.html",
            "blog/a b.html",
            "feed.xml",
            "both.html",
            "both/index.html",
        ];
        find(path, |name| there.contains(&name))
    }

    fn page(name: &str) -> Found {
        Found::Page(name.into())
    }

    #[test]
    fn an_address_needs_no_ending() {
        assert_eq!(found("/"), page("index.html"));
        assert_eq!(found("/about"), page("about.html"));
        assert_eq!(found("/about.html"), page("about.html"));
        assert_eq!(found("/blog/"), page("blog/index.html"));
        assert_eq!(found("/blog/a%20b"), page("blog/a b.html"));
        assert_eq!(found("/feed.xml"), page("feed.xml"));
        assert_eq!((found("/both"), found("/both/")), (page("both.html"), page("both/index.html")));
    }

    #[test]
    fn a_directory_has_a_slash_so_that_relative_links_are_right() {
        assert_eq!(found("/blog"), Found::Elsewhere("/blog/".into()));
        assert_eq!(found("/about/"), Found::Elsewhere("/about".into()));
        assert_eq!(found("/blog/a%20b/"), Found::Elsewhere("/blog/a%20b".into()));
    }

    #[test]
    fn nothing_leads_to_another_host_or_out_of_the_directory() {
        let bad = [
            "//blog",
            "//evil.example/blog",
            "/blog//",
            "",
            "blog",
            "*",
            "/../index.html",
            "/%2e%2e/index.html",
            "/blog/..%2findex.html",
            "/blog%2findex.html",
            "/.git/config",
            "/%2egit/config",
            "/index.html%00",
            "/blog\\index.html",
            "/blog%5cindex.html",
            "/c:index.html",
            "/%ff",
            "/./about",
        ];
        for path in bad {
            assert_eq!(find(path, |_| true), Found::Nothing, "{path}");
        }
    }

    #[test]
    fn parts_of_pages_are_no_pages() {
        for name in ["index.html", "blog/index.html", "partials.html", "feed.xml"] {
            assert!(is_page(name), "{name}");
        }
        for name in ["_layout.html", "_blog/a.html", "layouts/base.html", "a/partials/b.html", ".hidden.html"]
        {
            assert!(!is_page(name), "{name}");
        }
    }

    #[test]
    fn the_address_of_a_page_leads_to_it() {
        for name in ["index.html", "about.html", "blog/index.html", "blog/a b.html", "feed.xml"] {
            assert_eq!(found(&address_of(name)), page(name));
        }
    }
}
