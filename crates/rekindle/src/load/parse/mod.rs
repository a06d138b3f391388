//! Text to [`Node`]: one file per format, all with the same entry point.
//!
//! In: the text of one file. Out: its tree with places, or the first error and where it stands.
//! Pure: no file is touched here, so every rule can be tested with a string.

#![cfg_attr(
    not(all(feature = "toml", feature = "json", feature = "yaml")),
    allow(unused, reason = "every format needs another part of the helpers")
)]

use crate::route::Format;

use super::tree::{Entry, MAX_TABLES, MAX_VALUES, Node, Place, Span, Table};

#[cfg(feature = "json")]
mod json;
#[cfg(test)]
mod tests;
#[cfg(feature = "toml")]
mod toml;
#[cfg(feature = "yaml")]
mod yaml;

/// What some editors put at the start of a file. It is no part of the text in any of the formats.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// How much of a key an error shows. A longer one was not written by hand.
const SHOWN_KEY_CHARS: usize = 60;

/// Why a text could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParseError {
    /// What is wrong and what was expected, without the source line (it may hold a secret).
    pub(crate) message: String,
    /// Bytes of the text to point at.
    pub(crate) span: Span,
    /// Whether more text could not mend it (too deep, too many values, a duplicate key): such an
    /// error is reported at once, since it is no sign of a half-written file.
    pub(crate) definitive: bool,
}

/// Parses `text`; `source` is what the places will name.
pub(crate) fn parse(format: Format, text: &str, source: usize) -> Result<Node, ParseError> {
    let (body, offset) = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => (rest, BYTE_ORDER_MARK.len_utf8()),
        None => (text, 0),
    };
    let origin = Origin { source, offset };
    let parsed = match format {
        #[cfg(feature = "toml")]
        Format::Toml => toml::parse(body, origin),
        #[cfg(feature = "yaml")]
        Format::Yaml => yaml::parse(body, origin),
        #[cfg(feature = "json")]
        Format::Json => json::parse(body, origin, json::Dialect::Strict),
        #[cfg(feature = "json")]
        Format::Jsonc => json::parse(body, origin, json::Dialect::WithComments),
        #[allow(unreachable_patterns, reason = "reached only when a format's feature is off")]
        other => Err(ParseError::definitive(
            format!("this program was built without support for {other:?} files"),
            0..0,
        )),
    };
    parsed.map_err(|error| ParseError { span: fitted(text, error.span, offset), ..error })
}

/// Moves a span by `offset` and onto characters that `text` has, so that a caller may slice by it
/// whatever the engine that made it was thinking.
fn fitted(text: &str, span: Span, offset: usize) -> Span {
    let mut start = text.len().min(span.start.saturating_add(offset));
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = text.len().min(span.end.saturating_add(offset)).max(start);
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// What turns an engine's spans into places: which source it reads, and what was cut off its front.
#[derive(Debug, Clone, Copy)]
struct Origin {
    source: usize,
    offset: usize,
}

impl Origin {
    fn place(self, span: Span) -> Place {
        Place { source: self.source, span: span.start + self.offset..span.end + self.offset }
    }

    /// What [`place`](Self::place) made a place of.
    fn span(self, place: &Place) -> Span {
        place.span.start - self.offset..place.span.end - self.offset
    }

    /// The table of the entries that were read, if each has a key of its own.
    fn table(self, entries: Vec<Entry>) -> Result<Table, ParseError> {
        Table::unique(entries).map_err(|(key, repeat)| ParseError::duplicate(&key, self.span(&repeat.key)))
    }
}

/// Counts the values of a file while it is read, so that too many are refused before they have
/// taken the memory.
#[derive(Debug, Default)]
struct Tally {
    values: usize,
    tables: usize,
}

impl Tally {
    /// One more value, which stands at `span`.
    fn value(&mut self, span: &Span) -> Result<(), ParseError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(ParseError::too_many(MAX_VALUES, "values", span.clone()));
        }
        Ok(())
    }

    /// One more value, which is a table.
    fn table(&mut self, span: &Span) -> Result<(), ParseError> {
        self.tables += 1;
        if self.tables > MAX_TABLES {
            return Err(ParseError::too_many(MAX_TABLES, "tables", span.clone()));
        }
        self.value(span)
    }
}

impl ParseError {
    /// An error that no further text can mend.
    fn definitive(message: impl Into<String>, span: Span) -> Self {
        Self { message: message.into(), span, definitive: true }
    }

    /// An error that a half-written file could show too.
    fn syntax(message: impl Into<String>, span: Span) -> Self {
        Self { message: message.into(), span, definitive: false }
    }

    /// An error that no further text can mend, unless what it is about stands at the very end of
    /// `text` and may itself have been cut off.
    fn unless_cut(text: &str, message: impl Into<String>, span: Span) -> Self {
        let definitive = span.end < text.len();
        Self { message: message.into(), span, definitive }
    }

    /// Tables and lists in one another beyond `limit`.
    fn too_deep(limit: usize, span: Span) -> Self {
        Self::definitive(format!("tables and lists are nested more than {limit} deep"), span)
    }

    /// More of something than a file may hold.
    fn too_many(limit: usize, what: &str, span: Span) -> Self {
        Self::definitive(format!("the file holds more than {limit} {what}"), span)
    }

    /// A key that its table has already.
    fn duplicate(key: &str, span: Span) -> Self {
        Self::definitive(format!("the key `{}` is given twice in the same table", shown(key)), span)
    }

    /// Nothing but blanks and comments. An editor that truncates and then writes looks like this.
    fn empty() -> Self {
        Self::syntax("the file is empty", 0..0)
    }

    /// Something other than a table at the top; `kind` is what it is instead.
    fn not_a_table(kind: &str, span: Span) -> Self {
        let message = format!("a configuration is a table of keys at its top level, this is {kind}");
        Self::definitive(message, span)
    }
}

/// A key as an error may show it: on one line, and not endless.
fn shown(key: &str) -> String {
    let mut shown: String = key.chars().take(SHOWN_KEY_CHARS).flat_map(char::escape_debug).collect();
    if key.chars().nth(SHOWN_KEY_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// A decimal number as `serde_json` reads it: the first of u64, i64 and f64 that takes it.
///
/// `None` when it is beyond all three, or not decimal.
fn number(text: &str) -> Option<serde_json::Number> {
    if let Ok(number) = text.parse::<u64>() {
        return Some(number.into());
    }
    // Minus zero keeps its sign only as a float.
    if let Ok(number) = text.parse::<i64>()
        && number != 0
    {
        return Some(number.into());
    }
    text.parse().ok().and_then(serde_json::Number::from_f64)
}
