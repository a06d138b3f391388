//! Edits to JSON, with comments or without.
//!
//! The places of the tree say where everything stands, so that nothing but what changes is touched.

use serde_json::Value;

use super::commas::{Commas, Comments};
use super::pointer::{self, Change, Edit, descend, index, nested};
use super::splice::{Splice, indent, is_blank, line_break, quoted};
use crate::load::{Data, Node, Span, Table};

/// How deep a line is indented where a file does not say.
const UNIT: &str = "  ";

/// The pieces that change when one edit is made to a text that `root` was read from. `None` when
/// there is no place for it.
pub(super) fn edit(text: &str, root: &Node, edit: &Edit) -> Option<Vec<Splice>> {
    let style = Style::of(text, root);
    if let Change::Append(value) = &edit.change {
        let list = pointer::node(root, &edit.steps)?;
        let Data::Array(items) = &list.data else { return None };
        return Some(list_of(text, list, items).append(style.unit, |indent| style.render(value, indent)));
    }
    let (parent, rest) = descend(root, &edit.steps);
    let (step, further) = rest.split_first()?;
    match (&parent.data, &edit.change) {
        (Data::Object(table), Change::Remove) => {
            let commas = members(text, parent, table);
            let item = span_of(table, step)?;
            Some(commas.remove(commas.items.iter().position(|span| *span == item)?))
        }
        (Data::Object(table), Change::Set(value)) => match table.get(step).filter(|_| further.is_empty()) {
            Some(member) => Some(vec![style.replace(&member.node, value)]),
            None => Some(style.add(&members(text, parent, table), step, &nested(further, value.clone()))),
        },
        (Data::Array(items), Change::Set(value)) => {
            Some(vec![style.replace(items.get(index(step)?).filter(|_| further.is_empty())?, value)])
        }
        (Data::Array(items), Change::Remove) => {
            let at = index(step).filter(|at| *at < items.len() && further.is_empty())?;
            Some(list_of(text, parent, items).remove(at))
        }
        _ => None,
    }
}

fn list_of<'t>(text: &'t str, node: &Node, items: &[Node]) -> Commas<'t> {
    let items = items.iter().map(|item| item.place.span.clone()).collect();
    Commas { text, whole: node.place.span.clone(), items, comments: Comments::Slashes }
}

/// A member, from its key to its value.
fn span_of(table: &Table, key: &str) -> Option<Span> {
    table.get(key).map(|member| member.key.span.start..member.node.place.span.end)
}

fn members<'t>(text: &'t str, node: &Node, table: &Table) -> Commas<'t> {
    let mut items: Vec<Span> =
        table.iter().map(|(_, member)| member.key.span.start..member.node.place.span.end).collect();
    items.sort_by_key(|span| span.start);
    Commas { text, whole: node.place.span.clone(), items, comments: Comments::Slashes }
}

/// How a file is written.
struct Style<'t> {
    text: &'t str,
    unit: &'t str,
}

impl<'t> Style<'t> {
    fn of(text: &'t str, root: &Node) -> Self {
        let first = match &root.data {
            Data::Object(table) => table.iter().map(|(_, member)| member.key.span.start).min(),
            _ => None,
        };
        let own_indent = first.map(|at| indent(text, at)).filter(|indent| !indent.is_empty());
        Self { text, unit: own_indent.unwrap_or(UNIT) }
    }

    /// A value in place of another. It takes several lines where the other one did.
    fn replace(&self, old: &Node, value: &Value) -> Splice {
        let span = old.place.span.clone();
        let lines = self.text[span.clone()].contains('\n').then(|| indent(self.text, span.start));
        Splice::new(span, self.render(value, lines))
    }

    fn add(&self, commas: &Commas<'_>, key: &str, value: &Value) -> Vec<Splice> {
        let key = quoted(key);
        if commas.is_empty() && self.is_top(commas.whole.start) {
            return self.open(commas, &key, value);
        }
        commas.append(self.unit, |indent| format!("{key}: {}", self.render(value, indent)))
    }

    /// Whether nothing but blanks stands before a byte.
    fn is_top(&self, at: usize) -> bool {
        is_blank(&self.text[..at])
    }

    /// The first member of an empty file's table, which gets a line of its own.
    fn open(&self, commas: &Commas<'_>, key: &str, value: &Value) -> Vec<Splice> {
        let (line, at) = (line_break(self.text), commas.whole.end - 1);
        let value = self.render(value, Some(self.unit));
        vec![Splice::insert(at, format!("{line}{}{key}: {value}{line}", self.unit))]
    }

    /// A value as text. With the indent of its line, tables in it get lines of their own.
    fn render(&self, value: &Value, indent: Option<&str>) -> String {
        let mut out = String::new();
        self.write(value, indent, &mut out);
        out
    }

    fn write(&self, value: &Value, indent: Option<&str>, out: &mut String) {
        match value {
            Value::Array(items) => {
                let lines = indent.filter(|_| items.iter().any(|item| item.is_object() || item.is_array()));
                self.brackets(items.iter(), ['[', ']'], lines, out, |this, item, indent, out| {
                    this.write(item, indent, out);
                });
            }
            Value::Object(members) => {
                self.brackets(members.iter(), ['{', '}'], indent, out, |this, (key, value), indent, out| {
                    out.push_str(&quoted(key));
                    out.push_str(": ");
                    this.write(value, indent, out);
                });
            }
            scalar => out.push_str(&scalar.to_string()),
        }
    }

    fn brackets<T>(
        &self,
        items: impl ExactSizeIterator<Item = T>,
        [open, close]: [char; 2],
        indent: Option<&str>,
        out: &mut String,
        write: impl Fn(&Self, T, Option<&str>, &mut String),
    ) {
        let outer =
            indent.filter(|_| items.len() > 0).map(|indent| format!("{}{indent}", line_break(self.text)));
        let inner = indent.map(|indent| format!("{indent}{}", self.unit));
        out.push(open);
        for (at, item) in items.enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            match &outer {
                Some(outer) => out.push_str(&format!("{outer}{}", self.unit)),
                None => out.push_str(if at > 0 { " " } else { "" }),
            }
            write(self, item, inner.as_deref().filter(|_| outer.is_some()), out);
        }
        out.push_str(outer.as_deref().unwrap_or_default());
        out.push(close);
    }
}
