//! JSON, strict or with comments, to [`Node`].
//!
//! In: the text of a file. Out: its tree. The strict dialect is RFC 8259 to the letter; the other
//! one has comments and trailing commas besides, and nothing else. A key given twice is an error in
//! both, as is half of a surrogate pair.
//!
//! The engine here is only `jsonc-parser`'s scanner. Its parser would build a second tree first,
//! takes any space that Unicode knows and line breaks within strings, and has a depth of its own.

use jsonc_parser::errors::{ParseError as ScanError, ParseErrorKind};
use jsonc_parser::tokens::Token;
use jsonc_parser::{ParseStringErrorKind, Scanner, ScannerOptions};

use super::super::tree::{Data, MAX_DEPTH, Member, Node, Span};
use super::{Origin, ParseError, Tally};

/// What is allowed beyond plain JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Nothing.
    Strict,
    /// Comments, and a comma after the last item of a table or list.
    WithComments,
}

/// Parses `text` into a tree whose places are made by `origin`.
pub(super) fn parse(text: &str, origin: Origin, dialect: Dialect) -> Result<Node, ParseError> {
    let mut reader = Reader::new(text, origin, dialect);
    let kind = match reader.next()? {
        None => return Err(ParseError::empty()),
        Some(Token::OpenBrace) => return reader.document(),
        Some(Token::OpenBracket) => "a list",
        Some(Token::String(_)) => "text",
        Some(Token::Number(_)) => "a number",
        Some(Token::Boolean(_)) => "true or false",
        Some(Token::Null) => "null",
        Some(_) => return Err(reader.unexpected("a table in braces")),
    };
    Err(ParseError::not_a_table(kind, reader.span()))
}

/// A recursive descent over the scanner's tokens.
struct Reader<'t> {
    text: &'t str,
    scanner: Scanner<'t>,
    origin: Origin,
    dialect: Dialect,
    /// How many tables and lists are open.
    depth: usize,
    tally: Tally,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, origin: Origin, dialect: Dialect) -> Self {
        let options = ScannerOptions {
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        Self {
            text,
            scanner: Scanner::new(text, &options),
            origin,
            dialect,
            depth: 0,
            tally: Tally::default(),
        }
    }

    /// The span of the current token.
    fn span(&self) -> Span {
        self.scanner.token_start()..self.scanner.token_end()
    }

    /// The table that the current token opens, which must be all there is.
    fn document(&mut self) -> Result<Node, ParseError> {
        let node = self.nested(Self::object)?;
        match self.next()? {
            None => Ok(node),
            Some(_) => Err(self.unexpected("the end of the file after the table")),
        }
    }

    fn value(&mut self, token: Option<Token<'t>>) -> Result<Node, ParseError> {
        let data = match token {
            Some(Token::OpenBrace) => return self.nested(Self::object),
            Some(Token::OpenBracket) => return self.nested(Self::array),
            Some(Token::String(text)) => Data::String(text.into()),
            Some(Token::Number(digits)) => self.number(digits)?,
            Some(Token::Boolean(flag)) => Data::Bool(flag),
            Some(Token::Null) => Data::Null,
            _ => return Err(self.unexpected("a value")),
        };
        self.tally.value(&self.span())?;
        Ok(Node { data, place: self.origin.place(self.span()) })
    }

    /// Runs `read` one level deeper, if there may be one, from the bracket that is the current token.
    fn nested(&mut self, read: fn(&mut Self) -> Result<Data, ParseError>) -> Result<Node, ParseError> {
        let open = self.span();
        if self.depth == MAX_DEPTH {
            return Err(ParseError::too_deep(MAX_DEPTH, open));
        }
        self.depth += 1;
        let data = read(self)?;
        self.depth -= 1;
        Ok(Node { data, place: self.origin.place(open.start..self.span().end) })
    }

    fn object(&mut self) -> Result<Data, ParseError> {
        self.tally.table(&self.span())?;
        let mut members = Vec::new();
        let mut token = self.next()?;
        while token != Some(Token::CloseBrace) {
            let Some(Token::String(key)) = token else {
                return Err(self.unexpected("a key in double quotes"));
            };
            let place = self.span();
            self.expect_colon()?;
            let first = self.next()?;
            let member = Member { key: self.origin.place(place), node: self.value(first)? };
            members.push((key.into(), member));
            token = self.after_item(&Token::CloseBrace, "a comma or `}`")?;
        }
        self.origin.table(members).map(Data::Object)
    }

    fn array(&mut self) -> Result<Data, ParseError> {
        self.tally.value(&self.span())?;
        let mut items = Vec::new();
        let mut token = self.next()?;
        while token != Some(Token::CloseBracket) {
            items.push(self.value(token)?);
            token = self.after_item(&Token::CloseBracket, "a comma or `]`")?;
        }
        Ok(Data::Array(items.into_boxed_slice()))
    }

    fn expect_colon(&mut self) -> Result<(), ParseError> {
        match self.next()? {
            Some(Token::Colon) => Ok(()),
            _ => Err(self.unexpected("a colon after the key")),
        }
    }

    /// What stands after an item and its comma: the next item's first token, or `close`.
    fn after_item(&mut self, close: &Token<'t>, expected: &str) -> Result<Option<Token<'t>>, ParseError> {
        let token = self.next()?;
        if token.as_ref() == Some(close) {
            return Ok(token);
        }
        if token != Some(Token::Comma) {
            return Err(self.unexpected(expected));
        }
        let comma = self.span();
        let token = self.next()?;
        if token.as_ref() == Some(close) && self.dialect == Dialect::Strict {
            return Err(ParseError::syntax("a comma after the last item is not part of JSON", comma));
        }
        Ok(token)
    }

    fn number(&self, digits: &str) -> Result<Data, ParseError> {
        // At the end of a half-written file, a negative exponent may still come.
        let too_large =
            || ParseError::unless_cut(self.text, "this number is beyond what 64 bits can hold", self.span());
        super::number(digits).map(Data::Number).ok_or_else(too_large)
    }

    /// The next token that is no comment; `None` at the end of the text.
    fn next(&mut self) -> Result<Option<Token<'t>>, ParseError> {
        loop {
            let blank = self.scanner.token_end();
            let token = self.scanner.scan().map_err(|error| self.translate(&error))?;
            self.check_blank(blank..self.scanner.token_start())?;
            match &token {
                Some(Token::CommentLine(_) | Token::CommentBlock(_)) => self.check_comment()?,
                Some(Token::String(_)) => {
                    self.check_string()?;
                    return Ok(token);
                }
                _ => return Ok(token),
            }
        }
    }

    fn check_comment(&self) -> Result<(), ParseError> {
        match self.dialect {
            Dialect::Strict => Err(ParseError::syntax(
                "comments are not part of JSON (a .jsonc file may have them)",
                self.span(),
            )),
            Dialect::WithComments => Ok(()),
        }
    }

    /// The scanner skips over any space that Unicode knows; JSON has four.
    fn check_blank(&self, span: Span) -> Result<(), ParseError> {
        let foreign = |c: char| !matches!(c, ' ' | '\t' | '\n' | '\r');
        match self.text[span.clone()].char_indices().find(|(_, c)| foreign(*c)) {
            None => Ok(()),
            Some((at, c)) => {
                let start = span.start + at;
                let message = "a space, tab or line break was expected here, this is another kind of blank";
                Err(ParseError::syntax(message, start..start + c.len_utf8()))
            }
        }
    }

    /// The scanner takes control characters within a string; JSON wants them escaped.
    fn check_string(&self) -> Result<(), ParseError> {
        let span = self.span();
        match self.text[span.clone()].bytes().position(|byte| byte < b' ') {
            None => Ok(()),
            Some(at) => {
                let start = span.start + at;
                let message = "a line break, tab or control character in a string must be escaped";
                Err(ParseError::syntax(message, start..start + 1))
            }
        }
    }

    /// The current token is not what was `expected`.
    fn unexpected(&self, expected: &str) -> ParseError {
        let found = match self.scanner.token() {
            None => "the file ends here",
            Some(Token::OpenBrace) => "unexpected `{`",
            Some(Token::CloseBrace) => "unexpected `}`",
            Some(Token::OpenBracket) => "unexpected `[`",
            Some(Token::CloseBracket) => "unexpected `]`",
            Some(Token::Comma) => "unexpected comma",
            Some(Token::Colon) => "unexpected colon",
            Some(Token::String(_)) => "unexpected text",
            Some(Token::Number(_)) => "unexpected number",
            Some(_) => "unexpected word",
        };
        ParseError::syntax(format!("{found}, expected {expected}"), self.span())
    }

    /// The scanner's error as ours, in words of our own: some of its own quote the text.
    fn translate(&self, error: &ScanError) -> ParseError {
        let message = match error.kind() {
            ParseErrorKind::String(kind) => string_message(kind),
            ParseErrorKind::SingleQuotedStringsNotAllowed => {
                "text stands in double quotes, not in single ones"
            }
            ParseErrorKind::HexadecimalNumbersNotAllowed => "numbers are decimal, not hexadecimal",
            ParseErrorKind::UnaryPlusNumbersNotAllowed => "a number has no plus sign",
            ParseErrorKind::BareDecimalPointNumbersNotAllowed => {
                "a decimal point needs a digit on both sides"
            }
            ParseErrorKind::NonFiniteNumbersNotAllowed => "infinity and not-a-number have no form in JSON",
            ParseErrorKind::ExpectedDigit
            | ParseErrorKind::ExpectedDigitFollowingNegativeSign
            | ParseErrorKind::ExpectedPlusMinusOrDigitInNumberLiteral => "this number lacks a digit",
            ParseErrorKind::UnterminatedCommentBlock => "this comment is never closed, expected `*/`",
            _ => "this is no value, text needs double quotes",
        };
        let range = error.range();
        // What is never closed goes to the end of the file; its first line is enough to point at.
        let rest = self.text.get(range.start..range.end).unwrap_or_default();
        let line = rest.find(['\r', '\n']).unwrap_or(rest.len());
        ParseError::syntax(message, range.start..range.start + line)
    }
}

fn string_message(kind: &ParseStringErrorKind) -> &'static str {
    match kind {
        ParseStringErrorKind::UnterminatedStringLiteral => "this string is never closed, expected `\"`",
        ParseStringErrorKind::ExpectedFourHexDigits => "`\\u` in a string takes four hexadecimal digits",
        ParseStringErrorKind::InvalidUnicodeEscapeSequence(_) => {
            "`\\u` in a string names half of a surrogate pair, expected both halves"
        }
        _ => "unknown escape in a string, expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u",
    }
}
