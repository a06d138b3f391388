//! The statements of a TOML file, in the order of their text.

use toml_edit::{ArrayOfTables, Document, InlineTable, Item, Key, Table, Value};

use crate::edit::pointer::Steps;
use crate::load::Span;

/// A header, or a key with its value.
pub(super) struct Statement<'d> {
    /// What it is about, from the top; the tables of a list by their index.
    pub(super) path: Steps,
    pub(super) kind: Kind<'d>,
    pub(super) span: Span,
}

#[derive(Clone, Copy)]
pub(super) enum Kind<'d> {
    /// `[table]`
    Header,
    /// `[[list of tables]]`
    Element,
    Pair(&'d Value),
}

impl Statement<'_> {
    /// Whether it is about what the steps lead to, or about something within.
    pub(super) fn is_about(&self, steps: &[String]) -> bool {
        self.path.starts_with(steps)
    }

    /// The steps that are left from its value on, if its value holds what the steps lead to.
    pub(super) fn holds<'s>(&self, steps: &'s [String]) -> Option<&'s [String]> {
        if self.is_pair() { steps.strip_prefix(self.path.as_slice()) } else { None }
    }

    pub(super) fn is_pair(&self) -> bool {
        matches!(self.kind, Kind::Pair(_))
    }

    pub(super) fn is_header_of(&self, table: &[String]) -> bool {
        !self.is_pair() && self.path == table
    }
}

/// All statements of a document.
pub(super) fn statements(document: &Document<impl AsRef<str>>) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    in_table(document.as_table(), &mut Steps::new(), &mut found);
    found.sort_by_key(|statement| statement.span.start);
    found
}

fn in_table<'d>(table: &'d Table, path: &mut Steps, found: &mut Vec<Statement<'d>>) {
    for (key, item) in table {
        path.push(key.to_owned());
        match item {
            Item::None => {}
            Item::Value(value) => found.extend(pair(table.key(key), value, path)),
            Item::Table(below) => {
                if !below.is_implicit() && !below.is_dotted() {
                    found.extend(header(below, path, Kind::Header));
                }
                in_table(below, path, found);
            }
            Item::ArrayOfTables(tables) => in_tables(tables, path, found),
        }
        path.pop();
    }
}

fn in_tables<'d>(tables: &'d ArrayOfTables, path: &mut Steps, found: &mut Vec<Statement<'d>>) {
    for (index, table) in tables.iter().enumerate() {
        path.push(index.to_string());
        found.extend(header(table, path, Kind::Element));
        in_table(table, path, found);
        path.pop();
    }
}

fn header<'d>(table: &'d Table, path: &Steps, kind: Kind<'d>) -> Option<Statement<'d>> {
    Some(Statement { path: path.clone(), kind, span: table.span()? })
}

fn pair<'d>(key: Option<&Key>, value: &'d Value, path: &Steps) -> Option<Statement<'d>> {
    let span = key?.span()?.start..value.span()?.end;
    Some(Statement { path: path.clone(), kind: Kind::Pair(value), span })
}

/// An item of an inline table: what its dotted key leads to, and where its value ends.
pub(super) struct InlineItem<'d> {
    pub(super) path: Steps,
    pub(super) value: &'d Value,
    pub(super) end: usize,
}

/// The items of an inline table in the order of their text.
pub(super) fn inline_items(table: &InlineTable) -> Vec<InlineItem<'_>> {
    let mut found = Vec::new();
    in_inline(table, &mut Steps::new(), &mut found);
    found.sort_by_key(|item| item.end);
    found
}

fn in_inline<'d>(table: &'d InlineTable, path: &mut Steps, found: &mut Vec<InlineItem<'d>>) {
    for (key, value) in table {
        path.push(key.to_owned());
        match value {
            Value::InlineTable(below) if below.is_dotted() => in_inline(below, path, found),
            value => {
                let end = value.span().map(|span| span.end);
                found.extend(end.map(|end| InlineItem { path: path.clone(), value, end }));
            }
        }
        path.pop();
    }
}
