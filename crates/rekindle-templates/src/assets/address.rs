//! Names and addresses: `css/app.css`, `/static/css/app.css`, `/static/css/app.3f2a9c1b04.css`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// How many hex digits of the hash stand in an address: 40 bits.
const DIGITS: usize = 10;

/// What is escaped in a path. More than has to be, so that it needs no escaping in HTML or in CSS's `url()`.
const ESCAPED: AsciiSet =
    NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'@');

/// The first digits of a hash in hex.
pub(super) fn fingerprint(hash: &blake3::Hash) -> String {
    hash.to_hex()[..DIGITS].to_owned()
}

/// The name with the fingerprint before its extension.
pub(super) fn fingerprinted(name: &str, fingerprint: &str) -> String {
    let file = name.rfind('/').map_or(0, |slash| slash + 1);
    match name[file..].rfind('.').map(|dot| file + dot) {
        Some(dot) => format!("{}.{fingerprint}{}", &name[..dot], &name[dot..]),
        None => format!("{name}.{fingerprint}"),
    }
}

/// A name with a fingerprint in it, as the name without, and the fingerprint.
pub(super) fn split(name: &str) -> Option<(String, &str)> {
    let file = name.rfind('/').map_or(0, |slash| slash + 1);
    let mut dots = name[file..].rmatch_indices('.').map(|(at, _)| file + at);
    let (last, before) = (dots.next()?, dots.next());
    let before_extension = before.map(|dot| (&name[..dot], &name[dot + 1..last], &name[last..]));
    let at_the_end = Some((&name[..last], &name[last + 1..], ""));
    let (stem, digits, extension) =
        [before_extension, at_the_end].into_iter().flatten().find(|(_, digits, _)| is_fingerprint(digits))?;
    Some((format!("{stem}{extension}"), digits))
}

fn is_fingerprint(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The address of a name below a prefix.
pub(super) fn address(prefix: &str, name: &str) -> String {
    format!("{prefix}/{}", utf8_percent_encode(name, &ESCAPED))
}

/// Whether a file of this name can be asked for, on every system alike: what Windows takes for another file,
/// or for a stream of one, is none.
pub(super) fn is_addressable(name: &str) -> bool {
    let strange = |c: char| c.is_control() || matches!(c, '\\' | ':');
    let fine = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(['.', ' ']);
    !name.contains(strange) && name.split('/').all(fine)
}

/// The prefix as addresses have it: with a slash before and none behind. `None` when it is no path.
pub(super) fn normalized_prefix(prefix: &str) -> Option<String> {
    let path = prefix.trim_matches('/');
    let plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '\\' | '%' | '"' | '<' | '>' | '\'' | '&');
    let fine = path.chars().all(plain) && (path.is_empty() || is_addressable(path));
    fine.then(|| if path.is_empty() { String::new() } else { format!("/{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINT: &str = "3f2a9c1b04";

    #[test]
    fn the_fingerprint_stands_before_the_extension_and_is_found_there() {
        let cases = [
            ("app.css", "app.3f2a9c1b04.css"),
            ("lib/jquery.min.js", "lib/jquery.min.3f2a9c1b04.js"),
            ("a.b/LICENSE", "a.b/LICENSE.3f2a9c1b04"),
            ("ü x.png", "ü x.3f2a9c1b04.png"),
            ("app.css.map", "app.css.3f2a9c1b04.map"),
        ];
        for (name, expected) in cases {
            assert_eq!(fingerprinted(name, PRINT), expected);
            assert_eq!(split(expected), Some((name.to_owned(), PRINT)), "{expected}");
        }
    }

    #[test]
    fn what_only_looks_like_a_fingerprint_is_none() {
        for name in
            ["app.css", "app.3F2A9C1B04.css", "app.3f2a9c1b0.css", "3f2a9c1b04", "a.3f2a9c1b04/b", "", "."]
        {
            assert_eq!(split(name), None, "{name}");
        }
    }

    #[test]
    fn an_address_needs_no_further_escaping() {
        let address = address("/static", "a b/ü#?%&\"'(<.css");
        assert_eq!(address, "/static/a%20b/%C3%BC%23%3F%25%26%22%27%28%3C.css");
    }

    #[test]
    fn names_that_mean_something_else_somewhere_have_no_address() {
        for name in ["app.css", "a/b c.css", "ü.png", "a~b", "a@2x.png", "#a"] {
            assert!(is_addressable(name), "{name}");
        }
        let strange = [
            "", "a/", "/a", "a//b", ".env", "a/.git/b", "..", "a.", "a ", "a/b./c", "a\\b", "c:a", "a\0",
            "a\n",
        ];
        for name in strange {
            assert!(!is_addressable(name), "{name:?}");
        }
    }

    #[test]
    fn a_prefix_is_a_path() {
        for (given, expected) in [("/static", "/static"), ("a/b/", "/a/b"), ("/", ""), ("", "")] {
            assert_eq!(normalized_prefix(given).as_deref(), Some(expected), "{given}");
        }
        for prefix in ["/a?b", "/a#b", "/..", "/a//b", "https://cdn.example", "/a b", "/%61", "/ü"] {
            assert_eq!(normalized_prefix(prefix), None, "{prefix}");
        }
    }
}
