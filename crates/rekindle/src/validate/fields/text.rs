//! Where secrets stand in the text of a file, as pieces of lines.
//!
//! Of a file that parses, its tree tells. Of one that does not, the names of the secrets are looked for:
//! whatever follows one may be its value, to the end of the line and beyond, and is taken to be. It is
//! better to hide too much of a file that is broken than one line of a private key.

use std::collections::BTreeSet;

use crate::load::Span;

/// Spans in order, cut at the ends of lines; those that overlap are one.
pub(super) fn by_line(text: &str, spans: Vec<Span>) -> Vec<Span> {
    let mut pieces: Vec<Span> = spans.into_iter().flat_map(|span| pieces(text, span)).collect();
    pieces.sort_unstable_by_key(|span| (span.start, span.end));
    let mut merged: Vec<Span> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match merged.last_mut().filter(|last| piece.start < last.end) {
            Some(last) => last.end = last.end.max(piece.end),
            None => merged.push(piece),
        }
    }
    merged
}

/// The part of each line that a span covers, blanks at both ends left out.
fn pieces(text: &str, span: Span) -> Vec<Span> {
    let mut at = span.start;
    let lines = text.get(span).unwrap_or("").split('\n');
    let piece = |line: &str| {
        let (start, trimmed) = (at, line.trim());
        at += line.len() + 1;
        let start = start + (line.len() - line.trim_start().len());
        (!trimmed.is_empty()).then_some(start..start + trimmed.len())
    };
    lines.filter_map(piece).collect()
}

/// What may be secret in a text that could not be parsed. Without names, all of it.
pub(super) fn suspected(text: &str, names: Option<&BTreeSet<&str>>) -> Vec<Span> {
    let Some(names) = names else { return by_line(text, std::iter::once(0..text.len()).collect()) };
    let mut spans = Vec::new();
    let mut value: Option<Open> = None;
    let mut start = 0;
    for line in text.split('\n') {
        value = value.filter(|open| !open.is_over(line));
        match (&mut value, named(line, names)) {
            (Some(open), _) => {
                open.take_in(line);
                spans.push(start..start + line.len());
            }
            (None, Some(at)) => {
                spans.push(start + at.end..start + line.len());
                value = Some(Open::new(line, at));
            }
            (None, None) => {}
        }
        start += line.len() + 1;
    }
    by_line(text, spans)
}

/// A value that may go on after its line.
struct Open {
    /// Where its key began.
    column: usize,
    /// Its key is the name of a table (`[credentials]`), so that all keys below belong to it.
    is_header: bool,
    /// Brackets that have not been closed.
    depth: usize,
    /// The quotes around a text of several lines that has not ended.
    quotes: Option<&'static str>,
}

impl Open {
    fn new(line: &str, name: Span) -> Self {
        let is_header = is_header(line) && !line[..name.start].contains(['=', ':']);
        let mut open = Self { column: name.start, is_header, depth: 0, quotes: None };
        open.take_in(if is_header { "" } else { &line[name.end..] });
        open
    }

    fn take_in(&mut self, text: &str) {
        for quotes in ["\"\"\"", "'''"] {
            let ends = self.quotes.is_none_or(|open| open == quotes) && text.matches(quotes).count() % 2 == 1;
            if ends {
                self.quotes = if self.quotes.is_none() { Some(quotes) } else { None };
            }
        }
        for character in text.chars() {
            match character {
                '{' | '[' => self.depth += 1,
                '}' | ']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    /// Whether a line begins something else.
    fn is_over(&self, line: &str) -> bool {
        let column = line.len() - line.trim_start().len();
        if self.quotes.is_some() || line.trim().is_empty() {
            return false;
        }
        if self.is_header {
            return column == 0 && is_header(line);
        }
        let is_element = line.trim_start().starts_with('-');
        let is_out = if is_element { column < self.column } else { column <= self.column };
        self.depth == 0 && is_out && (begins_entry(line) || column == 0 && is_header(line))
    }
}

/// Whether a line is the header of a table in TOML.
fn is_header(line: &str) -> bool {
    let name = line.trim_start().trim_start_matches('[');
    line.trim_start().starts_with('[')
        && name.contains(']')
        && name.starts_with(|first: char| first.is_alphanumeric() || matches!(first, '_' | '"' | '\''))
}

/// Whether a line begins with a key and something after it.
fn begins_entry(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches(['-', ' ', '{', ',', '"', '\'']);
    let key = line.find(|character: char| !is_of_name(character) && character != '.').unwrap_or(line.len());
    let rest = line[key..].trim_start_matches(['"', '\'', ' ', '\t']);
    let mut rest = rest.chars();
    // The last line of a key in base64 ends with `=`, and is no entry.
    match (rest.next(), rest.next()) {
        (Some('='), next) => key > 0 && !matches!(next, None | Some('=' | '\r')),
        (Some(':'), next) => {
            key > 0 && next.is_none_or(|next| next.is_whitespace() || "\"'{[".contains(next))
        }
        _ => false,
    }
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-')
}

/// The first of the names on a line, as a word of its own, with the quotes and the separator after it.
fn named(line: &str, names: &BTreeSet<&str>) -> Option<Span> {
    let occurrences = names
        .iter()
        .filter(|name| !name.is_empty())
        .flat_map(|name| line.match_indices(name).map(|(at, found)| at..at + found.len()));
    let first = occurrences.filter(|span| is_word(line, span)).min_by_key(|span| span.start)?;
    let after = line[first.end..].trim_start_matches(['"', '\'', ' ', '\t', ']']);
    let after = after.strip_prefix(['=', ':']).unwrap_or(after).trim_start();
    Some(first.start..line.len() - after.len())
}

fn is_word(line: &str, span: &Span) -> bool {
    let before = line[..span.start].chars().next_back();
    let after = line[span.end..].chars().next();
    !before.is_some_and(is_of_name) && !after.is_some_and(is_of_name)
}
