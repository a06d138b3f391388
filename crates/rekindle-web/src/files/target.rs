//! From the path of a request to the name of an asset. Pure.
//!
//! Decoded once, and taken as it is then: nothing is resolved, so nothing can be led elsewhere. Whatever is
//! strange about a path makes it the path of nothing.

/// The name that a path means below a prefix (`/static`, not encoded); `None` for what is no name.
pub(super) fn name(path: &str, prefix: &str) -> Option<String> {
    let decoded = decoded(path)?;
    let name = decoded.strip_prefix(prefix)?.strip_prefix('/')?;
    name.split('/').all(is_plain).then(|| name.to_owned())
}

/// Whether a part of a path is a name on every system, and of nothing hidden.
fn is_plain(part: &str) -> bool {
    let strange = |c: char| c.is_control() || matches!(c, '\\' | ':');
    !part.is_empty() && !part.starts_with('.') && !part.ends_with(['.', ' ']) && !part.contains(strange)
}

/// A path without its percent-encoding; `None` where that is malformed, hides a separator or a NUL, or is not
/// UTF-8.
fn decoded(path: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let escaped = hex(bytes.next()?)? << 4 | hex(bytes.next()?)?;
        if matches!(escaped, b'/' | b'\\' | 0) {
            return None;
        }
        decoded.push(escaped);
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_once_and_taken_as_it_is_then() {
        let cases = [
            ("/static/app.css", Some("app.css")),
            ("/static/a/b%20c.css", Some("a/b c.css")),
            ("/st%61tic/%C3%BC.css", Some("ü.css")),
            ("/static/100%25.css", Some("100%.css")),
            ("/static/a%252e.css", Some("a%2e.css")),
            ("/static/a+b.css", Some("a+b.css")),
            ("/static/app.css;v=1", Some("app.css;v=1")),
        ];
        for (path, expected) in cases {
            assert_eq!(name(path, "/static").as_deref(), expected, "{path}");
        }
        assert_eq!(name("/app.css", "").as_deref(), Some("app.css"));
    }

    #[test]
    fn whatever_is_strange_about_a_path_makes_it_the_path_of_nothing() {
        let strange = [
            "",
            "*",
            "/",
            "/static",
            "/static/",
            "/staticx/a",
            "/static../a",
            "static/a",
            "//static/a",
            "/static//a",
            "/static/a/",
            "/static/.",
            "/static/..",
            "/static/../a",
            "/static/a/../b",
            "/static/a/.",
            "/static/.env",
            "/static/%2e%2e/a",
            "/static/%2E%2e%2Fa",
            "/static/a%2fb",
            "/static/a%5cb",
            "/static/a\\b",
            "/static/a%00",
            "/static/a%00.css",
            "/static/%",
            "/static/%2",
            "/static/%zz",
            "/static/%ff",
            "/static/a.",
            "/static/a%20",
            "/static/c:/a",
            "/static/a::$DATA",
            "/static/%0a",
            "/static//etc/passwd",
            "/static/a%7f",
            "/other/a",
        ];
        for path in strange {
            assert_eq!(name(path, "/static"), None, "{path}");
        }
    }
}
