//! YAML to [`Node`].
//!
//! In: the text of a file, one document of YAML 1.2. Out: its tree. What a word means is what the
//! core schema says, with one exception: a number with a needless zero at its front (`017`) stays
//! text, since it was octal for the YAML before. `yes`, `no`, `on`, `off`, `1_000` and `12:30` are
//! text. Merge keys (`<<`) work, as far as they are written without quotes.
//!
//! The engine's events become a flat list of steps first, and the tree is built from that: an alias
//! is then no more than building from an earlier step again, which a budget can count.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Tag};
use serde_json::Number;

use super::super::tree::{Data, MAX_DEPTH, Member, Node, Span, Table};
use super::{Origin, ParseError, Tally};

/// How many bytes the aliases of a file may add to its tree. Enough for any configuration; the
/// attack that a few lines of aliases are would fill any memory.
const ALIAS_BUDGET: usize = 4 << 20;

/// What a value costs of the budget besides its text: about what it takes in memory.
const NODE_COST: usize = 64;

/// The tags that decide what type a scalar is, besides the one for text.
const SCALAR_TAGS: [&str; 4] = ["null", "bool", "int", "float"];

/// Parses `text` into a tree whose places are made by `origin`.
pub(super) fn parse(text: &str, origin: Origin) -> Result<Node, ParseError> {
    let tape = Tape::record(text)?;
    tape.check_top()?;
    let mut builder = Builder { text, tape: &tape, origin, at: 0, open: Vec::new(), alias: None, copied: 0 };
    builder.node()
}

/// The document as a flat list.
struct Tape<'t> {
    text: &'t str,
    steps: Vec<(Step<'t>, Span)>,
    /// The steps that aliases mean, by the engine's number for them.
    anchors: HashMap<usize, usize>,
    /// What the next step is in each of the tables and lists that are open.
    turns: Vec<Turn>,
    tally: Tally,
}

/// What a step is in the table or list that it is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Item,
    Key,
    Value,
}

enum Step<'t> {
    Scalar {
        text: Cow<'t, str>,
        kind: Kind,
    },
    /// What follows until its `End` are keys and values in turn.
    Map,
    /// What follows until its `End` are values.
    List,
    End,
    /// The same as the step that this anchor stands at.
    Alias(usize),
}

/// What decides about the meaning of a scalar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Neither quotes nor a tag: it is what it looks like.
    Plain,
    /// A tag says that it is this type, whatever it looks like.
    Tagged(&'static str),
    /// Quotes or a tag make it text.
    Text,
}

impl<'t> Tape<'t> {
    fn record(text: &'t str) -> Result<Self, ParseError> {
        let mut tape = Self {
            text,
            steps: Vec::new(),
            anchors: HashMap::new(),
            turns: Vec::new(),
            tally: Tally::default(),
        };
        let mut documents = 0;
        for event in Parser::new_from_str_with_options(text, options()) {
            let (event, span) = event.map_err(|error| translate(text, &error))?;
            let tag = span.tag_span().and_then(|span| span.byte_range());
            let span = super::fitted(text, span.byte_range().unwrap_or_default(), 0);
            if let Event::DocumentStart(..) = event {
                documents += 1;
                if documents > 1 {
                    let message = "a configuration is one document, a second one starts here";
                    return Err(ParseError::unless_cut(text, message, span));
                }
            }
            tape.push(event, span, tag)?;
        }
        Ok(tape)
    }

    fn push(&mut self, event: Event<'t>, mut span: Span, tag_span: Option<Span>) -> Result<(), ParseError> {
        let tag_span = tag_span.unwrap_or_else(|| span.clone());
        let (step, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                // For a block of text, the engine counts in the blank lines and the indent after it.
                let blank = [' ', '\t', '\r', '\n'];
                span.end = span.start + self.text[span.clone()].trim_end_matches(blank).len();
                let kind = self.scalar_kind(style, tag.as_deref(), tag_span)?;
                (Step::Scalar { text, kind }, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", tag_span)?;
                (Step::Map, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", tag_span)?;
                (Step::List, anchor)
            }
            Event::MappingEnd | Event::SequenceEnd => (Step::End, 0),
            Event::Alias(anchor) => (Step::Alias(anchor), 0),
            _ => return Ok(()),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, self.steps.len());
        }
        self.count(&step, &span)?;
        self.steps.push((step, span));
        Ok(())
    }

    /// Counts a step, unless it is a key or an end.
    fn count(&mut self, step: &Step<'_>, span: &Span) -> Result<(), ParseError> {
        if let Step::End = step {
            self.turns.pop();
            return Ok(());
        }
        let turn = self.turn();
        match step {
            Step::Map => {
                self.turns.push(Turn::Key);
                self.tally.table(span)
            }
            Step::List => {
                self.turns.push(Turn::Item);
                self.tally.value(span)
            }
            _ if turn == Turn::Key => Ok(()),
            _ => self.tally.value(span),
        }
    }

    /// What the next step is. In a table, keys and values take turns.
    fn turn(&mut self) -> Turn {
        let Some(next) = self.turns.last_mut() else { return Turn::Item };
        let turn = *next;
        *next = match turn {
            Turn::Item => Turn::Item,
            Turn::Key => Turn::Value,
            Turn::Value => Turn::Key,
        };
        turn
    }

    fn scalar_kind(&self, style: ScalarStyle, tag: Option<&Tag>, tag_span: Span) -> Result<Kind, ParseError> {
        let Some(tag) = tag else {
            return Ok(if style == ScalarStyle::Plain { Kind::Plain } else { Kind::Text });
        };
        if tag.original() == "!" || tag.is_yaml_core_schema_tag("str") {
            return Ok(Kind::Text);
        }
        let named = SCALAR_TAGS.into_iter().find(|name| tag.is_yaml_core_schema_tag(name));
        named.map(Kind::Tagged).ok_or_else(|| self.misfit(tag, tag_span))
    }

    /// A tag on a table or list can only say what it is anyway.
    fn check_tag(&self, tag: Option<&Tag>, own: &str, tag_span: Span) -> Result<(), ParseError> {
        match tag {
            Some(tag) if tag.original() != "!" && !tag.is_yaml_core_schema_tag(own) => {
                Err(self.misfit(tag, tag_span))
            }
            _ => Ok(()),
        }
    }

    fn misfit(&self, tag: &Tag, span: Span) -> ParseError {
        if tag.is_yaml_core_schema() {
            // The value that it fits may come on a line of its own yet.
            return ParseError::syntax("this value is not of the type that its tag names", span);
        }
        let message = "a configuration has no tags but those of plain YAML, this is another one";
        ParseError::unless_cut(self.text, message, span)
    }

    fn check_top(&self) -> Result<(), ParseError> {
        let (kind, span) = match self.steps.first() {
            None => return Err(ParseError::empty()),
            Some((Step::Map, _)) => return Ok(()),
            Some((Step::Scalar { kind: Kind::Plain, .. }, span)) if span.is_empty() => {
                return Err(ParseError::empty());
            }
            Some((Step::Scalar { .. }, span)) => ("a single value", span),
            Some((_, span)) => ("a list", span),
        };
        // While nothing follows, a word may be the start of a key, and a dash that of `---`.
        let rest = self.text[span.end..].trim();
        let definitive = !rest.is_empty() && rest != "-";
        Err(ParseError { definitive, ..ParseError::not_a_table(kind, span.clone()) })
    }
}

fn options() -> Options {
    let mut options = granit_parser::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    // Another crate may have turned the engine's comment events on.
    options.set_emit_comments(false);
    options
}

/// A table or list, and where the last value in it ends.
type Built = (Data, Option<usize>);

/// Builds nodes from the steps of a tape.
struct Builder<'a, 't> {
    text: &'t str,
    tape: &'a Tape<'t>,
    origin: Origin,
    /// The next step.
    at: usize,
    /// The steps that opened the tables and lists around the next step.
    open: Vec<usize>,
    /// The alias that is being replayed, the outermost one if they nest.
    alias: Option<Span>,
    /// What aliases have used of their budget.
    copied: usize,
}

impl<'a, 't> Builder<'a, 't> {
    fn step(&mut self) -> Result<&'a (Step<'t>, Span), ParseError> {
        let end = self.text.len();
        let step = self.tape.steps.get(self.at);
        self.at += 1;
        step.ok_or_else(|| ParseError::syntax("the document ends here, expected a value", end..end))
    }

    fn node(&mut self) -> Result<Node, ParseError> {
        let at = self.at;
        let (step, span) = self.step()?;
        match step {
            Step::Scalar { text, kind } => {
                self.charge(text)?;
                let data = self.scalar(text, *kind, span)?;
                Ok(Node { data, place: self.origin.place(span.clone()) })
            }
            Step::Map => self.nested(at, span, Self::map),
            Step::List => self.nested(at, span, Self::list),
            Step::Alias(anchor) => self.aliased(*anchor, span),
            Step::End => Err(ParseError::syntax("expected a value", span.clone())),
        }
    }

    /// Runs `build` one level deeper, if there may be one.
    fn nested(
        &mut self,
        at: usize,
        start: &Span,
        build: fn(&mut Self) -> Result<Built, ParseError>,
    ) -> Result<Node, ParseError> {
        self.charge("")?;
        if self.open.len() == MAX_DEPTH {
            let span = self.alias.clone().unwrap_or_else(|| start.clone());
            return Err(ParseError::too_deep(MAX_DEPTH, span));
        }
        let start = self.dash_before(start.start).unwrap_or(start.start);
        self.open.push(at);
        let (data, last) = build(self)?;
        self.open.pop();
        let (_, close) = self.step()?;
        let mut place = self.origin.place(start..close.end);
        // Without a bracket, the engine sees the end only at whatever comes next.
        if close.is_empty() {
            place.span.end = last.unwrap_or(place.span.start).max(place.span.start);
        }
        Ok(Node { data, place })
    }

    /// The dash that a list under a key starts with, when the list is indented no deeper than the
    /// key: the engine says that such a list starts with its first item.
    fn dash_before(&self, start: usize) -> Option<usize> {
        let under_key = matches!(self.tape.steps.get(*self.open.last()?), Some((Step::Map, _)));
        let before = self.text[..start].trim_end_matches([' ', '\t']);
        before.strip_suffix('-').filter(|_| under_key).map(str::len)
    }

    fn at_end(&self) -> bool {
        matches!(self.tape.steps.get(self.at), Some((Step::End, _)) | None)
    }

    fn list(&mut self) -> Result<Built, ParseError> {
        let mut items = Vec::new();
        while !self.at_end() {
            items.push(self.node()?);
        }
        let last = items.last().map(|item| item.place.span.end);
        Ok((Data::Array(items.into_boxed_slice()), last))
    }

    fn map(&mut self) -> Result<Built, ParseError> {
        let mut members = Vec::new();
        let mut merged = None;
        let mut last = None;
        while !self.at_end() {
            let (key, span) = self.key()?;
            if key == Key::Merge && merged.is_some() {
                return Err(self.duplicate("<<", span));
            }
            let node = self.node()?;
            last = Some(node.place.span.end);
            match key {
                Key::Merge => merged = Some(tables(node, span)?),
                Key::Text(text) => {
                    members.push((text, Member { key: self.origin.place(span), node }));
                }
            }
        }
        let own = Table::unique(members)
            .map_err(|(key, repeat)| self.duplicate(&key, self.origin.span(&repeat.key)))?;
        let table = match merged {
            None => own,
            // What the table says itself goes before what it merges, and that in the order of the list.
            Some(merged) => own.into_iter().chain(merged.into_iter().flatten()).collect(),
        };
        Ok((Data::Object(table), last))
    }

    fn key(&mut self) -> Result<(Key, Span), ParseError> {
        let (step, span) = self.step()?;
        let target = match step {
            Step::Alias(anchor) => self.anchored(*anchor).and_then(|at| self.tape.steps.get(at)),
            _ => None,
        };
        match target.map_or(step, |(step, _)| step) {
            Step::Scalar { text, kind: Kind::Plain } if text == "<<" => {
                return Ok((Key::Merge, span.clone()));
            }
            Step::Scalar { text, kind } if self.scalar(text, *kind, span)? != Data::Null => {
                self.charge(text)?;
                return Ok((Key::Text(text.as_ref().into()), span.clone()));
            }
            _ => {}
        }
        let message = "a key is text, a number, true or false, not null, a table or a list";
        Err(ParseError::syntax(message, span.clone()))
    }

    /// The step that an anchor stands at.
    fn anchored(&self, anchor: usize) -> Option<usize> {
        self.tape.anchors.get(&anchor).copied()
    }

    fn duplicate(&self, key: &str, span: Span) -> ParseError {
        // At the end of a half-written file, `a:` may be the start of a key with a colon in it.
        let definitive = span.end + 1 < self.text.len();
        ParseError { definitive, ..ParseError::duplicate(key, span) }
    }

    /// The value of an alias. It stands where the alias does, what is in it where it was written.
    fn aliased(&mut self, anchor: usize, span: &Span) -> Result<Node, ParseError> {
        let Some(target) = self.anchored(anchor) else {
            return Err(ParseError::syntax("this alias has no anchor before it", span.clone()));
        };
        if self.open.contains(&target) {
            let message = "this alias stands within what it means";
            return Err(ParseError::unless_cut(self.text, message, span.clone()));
        }
        let back = std::mem::replace(&mut self.at, target);
        let outer = self.alias.clone();
        self.alias.get_or_insert_with(|| span.clone());
        let node = self.node()?;
        self.alias = outer;
        self.at = back;
        Ok(Node { data: node.data, place: self.origin.place(span.clone()) })
    }

    /// Counts a value or key of `text` against the budget, if an alias brought it in.
    fn charge(&mut self, text: &str) -> Result<(), ParseError> {
        let Some(alias) = &self.alias else { return Ok(()) };
        self.copied += NODE_COST + text.len();
        if self.copied <= ALIAS_BUDGET {
            return Ok(());
        }
        let message = "the aliases up to this one expand to more than a configuration may hold";
        Err(ParseError::definitive(message, alias.clone()))
    }

    fn scalar(&self, text: &str, kind: Kind, span: &Span) -> Result<Data, ParseError> {
        match kind {
            Kind::Text => Ok(Data::String(text.into())),
            // At the end of a half-written file, the word may go on and mean something else.
            Kind::Plain => {
                plain(text).map_err(|message| ParseError::unless_cut(self.text, message, span.clone()))
            }
            // After a tag, the value may come on a line of its own yet.
            Kind::Tagged(name) => plain(text)
                .and_then(|data| tagged(name, data))
                .map_err(|message| ParseError::syntax(message, span.clone())),
        }
    }
}

/// What stands before a colon.
#[derive(PartialEq, Eq)]
enum Key {
    Text(Box<str>),
    /// `<<`: the members of other tables, where the table has none of its own.
    Merge,
}

/// The tables that a merge key brings in.
fn tables(node: Node, key: Span) -> Result<Vec<Table>, ParseError> {
    let tables: Option<Vec<_>> = match node.data {
        Data::Array(items) => items.into_iter().map(into_table).collect(),
        _ => into_table(node).map(|table| vec![table]),
    };
    let message = "`<<` merges tables, expected a table or a list of tables (or quotes, if it is a key)";
    // Not definitive: what is no table yet may be null because it is still to be written.
    tables.ok_or_else(|| ParseError::syntax(message, key))
}

fn into_table(node: Node) -> Option<Table> {
    match node.data {
        Data::Object(members) => Some(members),
        _ => None,
    }
}

/// What a scalar without quotes means by the core schema.
fn plain(text: &str) -> Result<Data, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Data::Null),
        "true" | "True" | "TRUE" => return Ok(Data::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Data::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err("infinity and not-a-number have no form in a configuration, expected a number");
    }
    let number = if is_decimal(unsigned) {
        super::number(text)
    } else if let Some((digits, radix)) = radix_digits(text) {
        u64::from_str_radix(digits, radix).ok().map(Number::from)
    } else {
        return Ok(Data::String(text.into()));
    };
    number.map(Data::Number).ok_or("this number is beyond what 64 bits can hold")
}

/// Whether this is a number of the core schema, its sign aside, and without a needless zero.
fn is_decimal(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => (unsigned, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let needless_zero = whole.len() > 1 && whole.starts_with('0');
    let any_digits = !exponent.is_empty() && (!whole.is_empty() || !fraction.is_empty());
    any_digits && !needless_zero && [whole, fraction, exponent].into_iter().all(all_digits)
}

/// The digits of a hexadecimal or octal number, and their base.
fn radix_digits(text: &str) -> Option<(&str, u32)> {
    let hexadecimal = text.strip_prefix("0x").map(|digits| (digits, 16));
    let (digits, radix) = hexadecimal.or_else(|| text.strip_prefix("0o").map(|digits| (digits, 8)))?;
    let valid = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    valid.then_some((digits, radix))
}

/// Checks what a value looks like against the type that its tag names.
fn tagged(name: &str, data: Data) -> Result<Data, &'static str> {
    let fits = match &data {
        Data::Null => name == "null",
        Data::Bool(_) => name == "bool",
        Data::Number(number) => name == "float" || (name == "int" && !number.is_f64()),
        _ => false,
    };
    if fits { Ok(data) } else { Err("this value is not of the type that its tag names") }
}

/// The engine's error as ours, in plainer words where many will meet it.
fn translate(text: &str, error: &ScanError) -> ParseError {
    let at = error.marker().byte_offset().unwrap_or(text.len());
    let span = at..(at + 1).min(text.len()).max(at);
    let message = match error.kind() {
        ErrorKind::RecursionLimitExceeded => return ParseError::too_deep(MAX_DEPTH, span),
        ErrorKind::UnknownAnchor => "this alias has no anchor before it",
        ErrorKind::UnclosedQuotedScalar => "this string is never closed, expected the same quote again",
        ErrorKind::UnclosedFlowCollection { .. } => "this bracket is never closed",
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => "expected a colon after the key",
        ErrorKind::MappingValueNotAllowed => {
            "unexpected colon, check the indentation or quote the text that it is in"
        }
        ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation => {
            "a tab cannot indent a line, expected spaces"
        }
        ErrorKind::UnexpectedCharacter { .. } => {
            "unexpected character, a text that starts with it needs quotes"
        }
        other => return ParseError::syntax(other.to_string(), span),
    };
    ParseError::syntax(message, span)
}
