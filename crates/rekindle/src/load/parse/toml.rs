//! TOML to [`Node`].
//!
//! In: the text of a file. Out: its tree, where a dotted key and a table's header have nested into
//! tables as they say. Dates and times become strings, as they are written. An empty text is an
//! empty table: only the caller knows whether a file may be that.

use ::toml::Spanned;
use ::toml::de::{DeArray, DeFloat, DeInteger, DeTable, DeValue};
use serde_json::Number;
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use super::super::tree::{Data, MAX_DEPTH, MAX_VALUES, Member, Node, Span};
use super::{Origin, ParseError, Tally};

/// How deep values within one line or header may nest. The engine has this limit too, but counts
/// brackets and dots apart and forgets where it gave up.
const MAX_INLINE_DEPTH: usize = 80;

/// How many words, signs, blanks and line breaks a text may be made of. The engine lists them all,
/// twice, before it reads the first value.
const MAX_TOKENS: usize = 4 * MAX_VALUES;

/// What the engine calls a key that its table has already.
const DUPLICATE: &str = "duplicate key";

/// How the engine's message starts when a key is to become a table but has a value.
const NO_TABLE: &str = "cannot extend value of type";

/// How the engine's message starts when a value is none, or missing.
const NO_QUOTES: &str = "string values must be quoted";

/// Parses `text` into a tree whose places are made by `origin`.
pub(super) fn parse(text: &str, origin: Origin) -> Result<Node, ParseError> {
    Survey::of(text)?;
    let table = DeTable::parse(text).map_err(|error| translate(text, &error))?;
    let table = Spanned::new(0..text.len(), DeValue::Table(table.into_inner()));
    Converter { text, origin, depth: 0 }.node(table)
}

/// What the tokens of a text say about the tree that the engine will make of it.
///
/// Must come before the engine: `a.a.a…` costs it a table per dot, and brackets multiply with
/// dots, so that what it builds could be too deep to even be dropped, or more than memory holds.
struct Survey {
    /// The brackets that are open, and the level that each stands on.
    open: Vec<(usize, Bracket)>,
    level: usize,
    /// Whether a value comes next.
    due: bool,
    tokens: usize,
    tally: Tally,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Header,
    List,
    Table,
}

impl Survey {
    /// Whether `text` keeps to the limits.
    fn of(text: &str) -> Result<(), ParseError> {
        let mut survey = Self { open: Vec::new(), level: 1, due: false, tokens: 0, tally: Tally::default() };
        // The document is a table itself.
        survey.tally.table(&(0..0))?;
        for token in Source::new(text).lex() {
            let span = token.span().start()..token.span().end();
            survey.see(token.kind(), &span)?;
            if survey.level > MAX_INLINE_DEPTH {
                return Err(ParseError::too_deep(MAX_INLINE_DEPTH, span));
            }
        }
        Ok(())
    }

    fn see(&mut self, token: TokenKind, span: &Span) -> Result<(), ParseError> {
        self.tokens += 1;
        if self.tokens > MAX_TOKENS {
            return Err(ParseError::too_many(MAX_TOKENS, "words, signs and blanks", span.clone()));
        }
        match token {
            TokenKind::Dot => self.level += 1,
            TokenKind::Equals => {
                self.dotted(self.bottom(), span)?;
                self.due = true;
            }
            TokenKind::Comma => {
                self.level = self.bottom();
                self.due = self.inside(Bracket::List);
            }
            TokenKind::Newline if self.open.is_empty() => (self.level, self.due) = (1, false),
            TokenKind::LeftSquareBracket if self.due => {
                self.tally.value(span)?;
                self.enter(Bracket::List);
            }
            TokenKind::LeftSquareBracket => self.enter(Bracket::Header),
            TokenKind::LeftCurlyBracket => {
                self.tally.table(span)?;
                self.enter(Bracket::Table);
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => self.leave(span)?,
            TokenKind::Whitespace | TokenKind::Comment | TokenKind::Newline | TokenKind::Eof => {}
            _ if self.due => {
                self.tally.value(span)?;
                self.due = false;
            }
            _ => {}
        }
        Ok(())
    }

    fn enter(&mut self, bracket: Bracket) {
        self.open.push((self.level, bracket));
        self.level += 1;
        self.due = bracket == Bracket::List;
    }

    fn leave(&mut self, span: &Span) -> Result<(), ParseError> {
        let bottom = self.bottom();
        let (level, bracket) = self.open.pop().unwrap_or((1, Bracket::List));
        if bracket == Bracket::Header {
            self.dotted(bottom, span)?;
            // Of two brackets, one stands for the list that the table is in.
            if self.inside(Bracket::Header) { self.tally.value(span) } else { self.tally.table(span) }?;
        }
        (self.level, self.due) = (level, false);
        Ok(())
    }

    /// Counts the tables that the dots since `bottom` make. Some may have been there before: only
    /// the engine knows, and it knows too late.
    fn dotted(&mut self, bottom: usize, span: &Span) -> Result<(), ParseError> {
        (bottom..self.level).try_for_each(|_| self.tally.table(span))
    }

    /// The level that an item without dots is on.
    fn bottom(&self) -> usize {
        self.open.last().map_or(1, |(level, _)| level + 1)
    }

    fn inside(&self, bracket: Bracket) -> bool {
        self.open.last().is_some_and(|(_, innermost)| *innermost == bracket)
    }
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
            DeValue::String(text) => Data::String(text.into()),
            DeValue::Integer(digits) => Data::Number(self.integer(&digits, &span)?),
            DeValue::Float(digits) => Data::Number(self.float(&digits, &span)?),
            DeValue::Boolean(flag) => Data::Bool(flag),
            DeValue::Datetime(_) => Data::String(self.text[span.clone()].into()),
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
        let mut members = Vec::with_capacity(table.len());
        for (key, value) in table {
            let place = self.origin.place(key.span());
            members.push((key.into_inner().into(), Member { key: place, node: self.node(value)? }));
        }
        self.origin.table(members).map(Data::Object)
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
