//! Pieces of a text to replace, and what a text says about its own style. Everything outside of the
//! pieces stays byte for byte what it was.

use crate::load::Span;

/// A piece of a text and what comes in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) at: Span,
    pub(super) text: String,
}

impl Splice {
    pub(super) fn new(at: Span, text: impl Into<String>) -> Self {
        Self { at, text: text.into() }
    }

    pub(super) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::new(at..at, text)
    }

    pub(super) fn delete(at: Span) -> Self {
        Self::new(at, "")
    }
}

/// Makes the replacements. `None` when they overlap or leave the text.
pub(super) fn splice(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort_by_key(|splice| (splice.at.start, splice.at.end));
    let mut out =
        String::with_capacity(text.len() + splices.iter().map(|splice| splice.text.len()).sum::<usize>());
    let mut done = 0;
    for Splice { at, text: new } in &splices {
        out.push_str(text.get(done..at.start)?);
        out.push_str(new);
        done = at.end;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

/// The line break that a text uses.
pub(super) fn line_break(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// Where the line that a byte is on begins.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |at| at + 1)
}

/// Where the line after that of a byte begins, or the end of the text.
pub(super) fn next_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |length| at + length + 1)
}

/// The blanks that the line of a byte begins with.
pub(super) fn indent(text: &str, at: usize) -> &str {
    let line = &text[line_start(text, at)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Whether only blanks stand before a byte on its line.
pub(super) fn begins_line(text: &str, at: usize) -> bool {
    text[line_start(text, at)..at].bytes().all(|byte| matches!(byte, b' ' | b'\t'))
}

/// Whether a text holds nothing but blanks and line breaks.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace())
}

/// A text in double quotes. This is how JSON does it, and TOML and YAML take it, too.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splices_replace_their_pieces_and_nothing_else() {
        let made =
            splice("abcdef", vec![Splice::insert(6, "!"), Splice::new(1..3, "X"), Splice::delete(4..5)]);
        assert_eq!(made.as_deref(), Some("aXdf!"));
        assert_eq!(splice("abc", vec![Splice::delete(0..2), Splice::delete(1..3)]), None);
        assert_eq!(splice("é", vec![Splice::delete(0..1)]), None);
    }

    #[test]
    fn lines_and_their_style() {
        let text = "a\r\n  b\n";
        assert_eq!((line_break(text), line_break("a\nb\r\n"), line_break("")), ("\r\n", "\n", "\n"));
        assert_eq!((line_start(text, 5), next_line(text, 5), next_line("x", 0)), (3, 7, 1));
        assert_eq!((indent(text, 6), begins_line(text, 5), begins_line(text, 6)), ("  ", true, false));
    }
}
