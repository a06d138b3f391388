//! Edits within a TOML value: inline tables and lists.

use serde_json::Value as Json;
use toml_edit::{Array, Datetime, Value};

use super::render::{inline, key_path, literal};
use super::statement::{InlineItem, inline_items};
use crate::edit::commas::{Commas, Comments};
use crate::edit::pointer::{index, nested};
use crate::edit::splice::{Splice, indent, line_break};

/// What the steps lead to within a value, and the steps for which there is nothing.
fn descend<'d, 's>(value: &'d Value, steps: &'s [String]) -> (&'d Value, &'s [String]) {
    let Some((first, rest)) = steps.split_first() else { return (value, steps) };
    match value {
        Value::Array(items) => match index(first).and_then(|at| items.get(at)) {
            Some(item) => descend(item, rest),
            None => (value, steps),
        },
        Value::InlineTable(table) => {
            let items = inline_items(table);
            match items
                .into_iter()
                .find_map(|item| Some((item.value, steps.strip_prefix(item.path.as_slice())?)))
            {
                Some((below, rest)) => descend(below, rest),
                None => (value, steps),
            }
        }
        _ => (value, steps),
    }
}

/// Replaces the value that the steps lead to, if it has a text of its own.
pub(super) fn replace(text: &str, value: &Value, steps: &[String], new: &Json) -> Option<Splice> {
    let (old, rest) = descend(value, steps);
    let span = old.span().filter(|_| rest.is_empty())?;
    let made = match (old, new) {
        (Value::Datetime(_), Json::String(new)) if is_date(new) => new.clone(),
        (Value::String(_), Json::String(new)) if text[span.clone()].starts_with('\'') => literal(new),
        (Value::Array(old), Json::Array(items)) => {
            let lines = text[span.clone()].contains('\n').then(|| indent(text, span.start));
            let dates = !old.is_empty() && old.iter().all(Value::is_datetime);
            list(items, dates, lines, line_break(text))
        }
        _ => inline(new),
    };
    Some(Splice::new(span, made))
}

fn is_date(text: &str) -> bool {
    text.parse::<Datetime>().is_ok()
}

/// A list, with a line for each item if the `indent` of its first line is given.
fn list(items: &[Json], dates: bool, indent: Option<&str>, line_break: &str) -> String {
    let item = |item: &Json| match item {
        Json::String(date) if dates && is_date(date) => date.clone(),
        other => inline(other),
    };
    let items: Vec<String> = items.iter().map(item).collect();
    match indent.filter(|_| !items.is_empty()) {
        None => format!("[{}]", items.join(", ")),
        Some(indent) => {
            let lines: String = items.iter().map(|item| format!("{line_break}{indent}    {item},")).collect();
            format!("[{lines}{line_break}{indent}]")
        }
    }
}

/// Removes a piece of what the steps lead to, and says whether there may be more of it. `None` when
/// nothing of it is there.
pub(super) fn remove(text: &str, value: &Value, steps: &[String]) -> Option<(Vec<Splice>, bool)> {
    let (last, list) = steps.split_last()?;
    if let (Value::Array(items), []) = descend(value, list) {
        let at = index(last).filter(|at| *at < items.len())?;
        return Some((list_commas(text, items)?.remove(at), false));
    }
    let (table, rest, items) = table(value, steps)?;
    let first = items.iter().position(|item| item.path.starts_with(rest))?;
    let parent = &rest[..rest.len() - 1];
    let commas = commas(text, table, &items)?;
    let siblings = items.iter().filter(|item| item.path.starts_with(parent)).count();
    if !parent.is_empty() && siblings == 1 {
        // All that said that there is such a table.
        let path = key_path(parent.iter().map(String::as_str));
        return Some((vec![Splice::new(commas.items[first].clone(), format!("{path} = {{}}"))], false));
    }
    Some((commas.remove(first), true))
}

/// Adds an item to the list that the steps lead to.
pub(super) fn append(text: &str, value: &Value, steps: &[String], item: &Json) -> Option<Vec<Splice>> {
    let (Value::Array(items), []) = descend(value, steps) else { return None };
    let dates = !items.is_empty() && items.iter().all(Value::is_datetime);
    let item = match item {
        Json::String(date) if dates && is_date(date) => date.clone(),
        other => inline(other),
    };
    Some(list_commas(text, items)?.append("    ", |_| item))
}

fn list_commas<'t>(text: &'t str, list: &Array) -> Option<Commas<'t>> {
    let items = list.iter().map(Value::span).collect::<Option<_>>()?;
    Some(Commas { text, whole: list.span()?, items, comments: Comments::Hash })
}

/// Adds a value for which there is nothing yet.
pub(super) fn insert(text: &str, value: &Value, steps: &[String], new: &Json) -> Option<Vec<Splice>> {
    let (table, rest, items) = table(value, steps)?;
    let known = |length: &usize| items.iter().any(|item| item.path.starts_with(&rest[..*length]));
    let length = (0..rest.len()).rev().find(known).unwrap_or(0);
    let path = key_path(rest[..=length].iter().map(String::as_str));
    let new = nested(&rest[length + 1..], new.clone());
    let item = format!("{path} = {}", inline(&new));
    let commas = commas(text, table, &items)?;
    if items.is_empty() && commas.is_empty() {
        return Some(vec![Splice::new(commas.whole, format!("{{ {item} }}"))]);
    }
    Some(commas.append("    ", |_| item))
}

/// The innermost inline table on the way, the steps from there, and its items.
fn table<'d, 's>(
    value: &'d Value,
    steps: &'s [String],
) -> Option<(&'d Value, &'s [String], Vec<InlineItem<'d>>)> {
    let mut found = None;
    for length in 0..steps.len() {
        let (here, rest) = descend(value, &steps[..length]);
        if let (Value::InlineTable(table), true) = (here, rest.is_empty()) {
            found = Some((here, &steps[length..], inline_items(table)));
        }
    }
    found
}

fn commas<'t>(text: &'t str, table: &Value, items: &[InlineItem<'_>]) -> Option<Commas<'t>> {
    let mut commas = Commas {
        text,
        whole: table.span()?,
        items: Vec::with_capacity(items.len()),
        comments: Comments::Hash,
    };
    for item in items {
        // The first of the keys that dots join, which only the text tells.
        let start = commas.next_item();
        commas.items.push(start..item.end);
    }
    Some(commas)
}
