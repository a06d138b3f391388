//! TOML to [`Node`].
//!
//! In: the text of a file. Out: its tree, where a dotted key and a table's header have nested into
//! tables as they say. Dates and times become strings, as they are written. An empty text is an
//! empty table: only the caller knows whether a file may be that.

use std::collections::BTreeMap;

use ::toml::Spanned;
use ::toml::de::{DeArray, DeFloat, DeInteger, DeTable, DeValue};
use serde_json::Number;
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use super::super::tree::{Data, MAX_DEPTH, Member, Node, Span};
use super::{Origin, ParseError};

/// How deep values within one line or header may nest. The engine has this limit too, but counts
/// brackets and dots apart and forgets where it gave up.
const MAX_INLINE_DEPTH: usize = 80;

/// What the engine calls a key that its table has already.
const DUPLICATE: &str = "duplicate key";

/// How the engine's message starts when a key is to become a table but has a value.
const NO_TABLE: &str = "cannot extend value of type";

/// How the engine's message starts when a value is none, or missing.
const NO_QUOTES: &str = "string values must be quoted";

/// Parses `text` into a tree whose places are made by `origin`.
pub(super) fn parse(text: &str, origin: Origin) -> Result<Node, ParseError> {
    if let Some(span) = too_deep(text) {
        return Err(ParseError::too_deep(MAX_INLINE_DEPTH, span));
    }
    let table = DeTable::parse(text).map_err(|error| translate(text, &error))?;
    let table = Spanned::new(0..text.len(), DeValue::Table(table.into_inner()));
    Converter { text, origin, depth: 0 }.node(table)
}

/// Where `text` nests deeper than the engine can take, if it does.
///
/// Must come before the engine: `a.a.a…` costs it a table per dot, and brackets multiply with
/// dots, so that what it builds could be too deep to even be dropped.
fn too_deep(text: &str) -> Option<Span> {
    let mut enclosing = Vec::new();
    let mut level = 1;
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => level += 1,
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                enclosing.push(level);
                level += 1;
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                level = enclosing.pop().unwrap_or(1);
            }
            TokenKind::Comma => level = enclosing.last().map_or(1, |outer| outer + 1),
            TokenKind::Newline if enclosing.is_empty() => level = 1,
            _ => {}
        }
        if level > MAX_INLINE_DEPTH {
            return Some(token.span().start()..token.span().end());
        }
    }
    None
}

/// The engine's error as ours. It reports syntax before meaning, so that a key counts as a
/// duplicate only in a text whose every line is complete.
fn translate(text: &str, error: &::toml::de::Error) -> ParseError {
    let span = error.span().unwrap_or(text.len()..text.len());
    let key = text.get(span.clone()).unwrap_or_default();
    if error.message() == DUPLICATE {
        return ParseError::duplicate(key, span);
    }
    if error.message().starts_with(NO_TABLE) {
        let message =
            format!("the key `{}` has a value already and cannot be a table too", super::shown(key));
        return ParseError::definitive(message, span);
    }
    let message = match error.message() {
        text if text.starts_with(NO_QUOTES) && key.is_empty() => "expected a value after the equals sign",
        text if text.starts_with(NO_QUOTES) => "this is no value, text needs quotes",
        text => text.trim_end_matches(", expected nothing"),
    };
    ParseError::syntax(message, span)
}

/// Turns the engine's values into nodes.
struct Converter<'t> {
    text: &'t str,
    origin: Origin,
    /// How many tables and lists are open.
    depth: usize,
}

impl Converter<'_> {
    fn node(&mut self, value: Spanned<DeValue<'_>>) -> Result<Node, ParseError> {
        let span = value.span();
        let data = match value.into_inner() {
            DeValue::String(text) => Data::String(text.into_owned()),
            DeValue::Integer(digits) => Data::Number(self.integer(&digits, &span)?),
            DeValue::Float(digits) => Data::Number(self.float(&digits, &span)?),
            DeValue::Boolean(flag) => Data::Bool(flag),
            DeValue::Datetime(_) => Data::String(self.text[span.clone()].to_owned()),
            DeValue::Array(items) => self.nested(&span, |this| this.array(items))?,
            DeValue::Table(table) => self.nested(&span, |this| this.table(table))?,
        };
        Ok(Node { data, place: self.origin.place(span) })
    }

    /// Runs `convert` one level deeper, if there may be one.
    fn nested(
        &mut self,
        span: &Span,
        convert: impl FnOnce(&mut Self) -> Result<Data, ParseError>,
    ) -> Result<Data, ParseError> {
        if self.depth == MAX_DEPTH {
            return Err(ParseError::too_deep(MAX_DEPTH, span.clone()));
        }
        self.depth += 1;
        let data = convert(self);
        self.depth -= 1;
        data
    }

    fn array(&mut self, items: DeArray<'_>) -> Result<Data, ParseError> {
        items.into_iter().map(|item| self.node(item)).collect::<Result<_, _>>().map(Data::Array)
    }

    fn table(&mut self, table: DeTable<'_>) -> Result<Data, ParseError> {
        let mut members = BTreeMap::new();
        for (key, value) in table {
            let place = self.origin.place(key.span());
            members.insert(key.into_inner().into_owned(), Member { key: place, node: self.node(value)? });
        }
        Ok(Data::Object(members))
    }

    fn integer(&self, digits: &DeInteger<'_>, span: &Span) -> Result<Number, ParseError> {
        // At the end of a half-written file, the digits may be those of a float.
        let message = "this integer is beyond what 64 bits with a sign can hold";
        i64::from_str_radix(digits.as_str(), digits.radix())
            .map(Number::from)
            .map_err(|_| ParseError::unless_cut(self.text, message, span.clone()))
    }

    fn float(&self, digits: &DeFloat<'_>, span: &Span) -> Result<Number, ParseError> {
        let finite = digits.as_str().parse().ok().and_then(Number::from_f64);
        finite.ok_or_else(|| {
            // The sign is not part of the word, and all other floats have digits.
            let message = match self.text[span.clone()].trim_start_matches(['+', '-']) {
                "inf" | "nan" => {
                    "infinity and not-a-number have no form in a configuration, expected a number"
                }
                _ => "this number is beyond what 64 bits can hold",
            };
            ParseError::definitive(message, span.clone())
        })
    }
}
