//! Edits to YAML.
//!
//! A value is replaced where it stands, a key of a table is added or removed as a line of its own.
//! After each such edit the text is read again; where it does not say what it should, the whole
//! file is written anew, in case nothing can get lost by that.

mod render;

use serde_json::Value;

use super::FileLayer;
use super::commas::{Commas, Comments};
use super::pointer::{self, Change, Edit, descend, index, nested};
use super::splice::{
    Splice, begins_line, indent, is_blank, line_break, line_start, next_line, quoted, splice,
};
use crate::error::{Error, ErrorKind, Location, Result, line_and_column};
use crate::load::{Data, Node, Span, Table};

/// The text with all edits made to it, which then says `wanted`.
pub(super) fn edited(layer: &FileLayer<'_>, text: &str, edits: &[Edit], wanted: &Value) -> Result<String> {
    if let Some(new) = in_place(layer, text, edits).filter(|new| says(layer, new, wanted)) {
        return Ok(new);
    }
    let root = layer.read(text).ok_or_else(|| layer.not_possible(&edits[0].steps))?;
    match keeper(text, &root) {
        None => Ok(render::document(wanted, &root, line_break(text))),
        Some((at, what)) => Err(by_hand(layer, text, &root, edits, at, what)),
    }
}

fn says(layer: &FileLayer<'_>, text: &str, wanted: &Value) -> bool {
    layer.read(text).is_some_and(|node| node.to_value() == *wanted)
}

/// The error of an edit that only the file's author can make.
fn by_hand(layer: &FileLayer<'_>, text: &str, root: &Node, edits: &[Edit], at: usize, what: &str) -> Error {
    let broken = |edit: &&Edit| {
        let alone = in_place(layer, text, std::slice::from_ref(*edit));
        let mut meant = root.to_value();
        pointer::apply(&mut meant, edit).is_none() || alone.is_none_or(|new| !says(layer, &new, &meant))
    };
    let steps = &edits.iter().find(broken).unwrap_or(&edits[0]).steps;
    let pointer = pointer::pointer(steps);
    let span = layer.node.nearest(&pointer).place.span.clone();
    let (line, _) = line_and_column(text, at);
    let message = format!(
        "`{pointer}` cannot be changed without writing the file anew, which would lose the {what} in line {line}"
    );
    let location = Location::file(layer.path, std::path::Path::new("")).at(layer.text, span);
    Error::new(ErrorKind::Check, message).help("edit it by hand, here").about(pointer).at(location)
}

/// Makes the edits one by one. `None` when one of them has no place, or does not do what it should.
fn in_place(layer: &FileLayer<'_>, text: &str, edits: &[Edit]) -> Option<String> {
    let root = layer.read(text)?;
    let there = |edit: &&Edit| pointer::node(&root, &edit.steps).is_some();
    let (replaced, rest): (Vec<&Edit>, Vec<&Edit>) =
        edits.iter().partition(|edit| matches!(edit.change, Change::Set(_)) && there(edit));
    let splices: Option<Vec<_>> = replaced.into_iter().map(|edit| one(text, &root, edit)).collect();
    let mut text = splice(text, splices?.concat())?;
    for edit in rest {
        let root = layer.read(&text)?;
        text = splice(&text, one(&text, &root, edit)?)?;
    }
    Some(text)
}

/// The pieces that change with one edit.
fn one(text: &str, root: &Node, edit: &Edit) -> Option<Vec<Splice>> {
    if let Change::Append(value) = &edit.change {
        return append(text, pointer::node(root, &edit.steps)?, value);
    }
    let (parent, rest) = descend(root, &edit.steps);
    let (step, further) = rest.split_first()?;
    match (&parent.data, &edit.change) {
        (Data::Object(table), Change::Remove) => remove(text, parent, table, step),
        (Data::Object(table), Change::Set(value)) => match table.get(step).filter(|_| further.is_empty()) {
            Some(member) => replace(text, root, &member.node, value),
            None => add(text, parent, table, step, &nested(further, value.clone())),
        },
        (Data::Array(items), Change::Set(value)) => {
            replace(text, root, items.get(index(step)?).filter(|_| further.is_empty())?, value)
        }
        (Data::Array(items), Change::Remove) if further.is_empty() => {
            remove_item(text, parent, items, index(step)?)
        }
        _ => None,
    }
}

/// The list between brackets, if it is written as one.
fn flow_list<'t>(text: &'t str, list: &Node, items: &[Node]) -> Option<Commas<'t>> {
    let whole = list.place.span.clone();
    let bracketed = text.get(whole.clone())?.starts_with('[');
    let items = || items.iter().map(|item| item.place.span.clone()).collect();
    bracketed.then(|| Commas { text, whole, items: items(), comments: Comments::Hash })
}

/// One more item at the end of a list.
fn append(text: &str, list: &Node, value: &Value) -> Option<Vec<Splice>> {
    let Data::Array(items) = &list.data else { return None };
    if let Some(commas) = flow_list(text, list, items) {
        return Some(commas.append("  ", |_| render::flow(value)));
    }
    let (column, gap) = (column(text, list.place.span.start), line_break(text));
    let item = render::list_lines(std::slice::from_ref(value), column, gap);
    Some(vec![line_after(text, items.last()?.place.span.end, &format!("{}{item}", " ".repeat(column)))])
}

/// A line after the one that a byte is on.
fn line_after(text: &str, at: usize, line: &str) -> Splice {
    let (place, gap) = (next_line(text, at), line_break(text));
    match text[..place].ends_with('\n') {
        true => Splice::insert(place, format!("{line}{gap}")),
        false => Splice::insert(place, format!("{gap}{line}{gap}")),
    }
}

/// Removes an item, which has lines of its own unless brackets are around the list.
fn remove_item(text: &str, list: &Node, items: &[Node], at: usize) -> Option<Vec<Splice>> {
    if let Some(commas) = flow_list(text, list, items) {
        return (at < items.len()).then(|| commas.remove(at));
    }
    let span = items.get(at)?.place.span.clone();
    let start = line_start(text, span.start);
    let dash = text[start..].trim_start_matches(' ').starts_with("- ");
    dash.then(|| vec![Splice::delete(start..next_line(text, span.end.max(span.start)))])
}

/// A value in place of another. `None` where comments would go with the old one.
fn replace(text: &str, root: &Node, old: &Node, value: &Value) -> Option<Vec<Splice>> {
    let span = old.place.span.clone();
    let written = text.get(span.clone())?;
    let inside = bones(text, root);
    if inside[span.clone()].contains(&b'#') {
        return None;
    }
    let list = value.as_array().filter(|items| !items.is_empty() && written.starts_with('-'));
    let new = match (list, &old.data) {
        (Some(items), Data::Array(_)) => {
            render::list_lines(items, column(text, span.start), line_break(text))
        }
        _ => render::inline_like(value, written, is_flow(text, root, old)),
    };
    // Where nothing is written, the engine says that it stands before the colon.
    let colon = span.is_empty() && text[span.start..].starts_with(':');
    let span = if colon { span.start + 1..span.start + 1 } else { span };
    let gap = if span.is_empty() && !text[..span.start].ends_with([' ', '\n']) { " " } else { "" };
    Some(vec![Splice::new(span, format!("{gap}{new}"))])
}

/// Whether a value stands within brackets, where more needs quotes.
fn is_flow(text: &str, root: &Node, node: &Node) -> bool {
    let bracketed = |span: &Span| text[span.clone()].starts_with(['{', '[']);
    let mut here = root;
    loop {
        if bracketed(&here.place.span) && here.place.span != node.place.span {
            return true;
        }
        let within = |below: &&Node| {
            below.place.span.start <= node.place.span.start && node.place.span.end <= below.place.span.end
        };
        let next = match &here.data {
            Data::Object(table) => table.iter().map(|(_, member)| &member.node).find(within),
            Data::Array(items) => items.iter().find(within),
            _ => None,
        };
        match next {
            Some(next) => here = next,
            None => return false,
        }
    }
}

/// How many characters stand before a byte on its line.
fn column(text: &str, at: usize) -> usize {
    text[line_start(text, at)..at].chars().count()
}

/// The members of a table in the order of their text, each from its key to the end of its value. Those
/// that it merges from elsewhere are not among them.
fn members(node: &Node, table: &Table) -> Vec<Span> {
    let whole = &node.place.span;
    let members = table.iter().map(|(_, member)| member.key.span.start..member.node.place.span.end);
    let mut spans: Vec<Span> = members.filter(|span| whole.contains(&span.start)).collect();
    spans.sort_by_key(|span| span.start);
    spans
}

/// The table as a list between brackets, if it is written as one.
fn flow<'t>(text: &'t str, node: &Node, table: &Table) -> Option<Commas<'t>> {
    let whole = node.place.span.clone();
    let bracketed = text.get(whole.clone())?.starts_with('{');
    bracketed.then(|| Commas { text, whole, items: members(node, table), comments: Comments::Hash })
}

/// A new key at the end of a table.
fn add(text: &str, node: &Node, table: &Table, key: &str, value: &Value) -> Option<Vec<Splice>> {
    if let Some(commas) = flow(text, node, table) {
        return Some(commas.append("  ", |_| format!("{}: {}", quoted(key), render::flow(value))));
    }
    let members = members(node, table);
    let (first, last) = (members.first()?, members.last()?);
    let gap = line_break(text);
    let line = render::member(key, value, column(text, first.start), gap);
    Some(vec![line_after(text, last.end, &line)])
}

/// Removes a key and its value. A comment on its line goes with it, one above it stays.
fn remove(text: &str, node: &Node, table: &Table, key: &str) -> Option<Vec<Splice>> {
    let start = table.get(key)?.key.span.start;
    if let Some(commas) = flow(text, node, table) {
        return Some(commas.remove(commas.items.iter().position(|span| span.start == start)?));
    }
    let members = members(node, table);
    let at = members.iter().position(|span| span.start == start)?;
    let lines = line_start(text, start)..next_line(text, members[at].end.max(start));
    match members.get(at + 1) {
        _ if members.len() == 1 && begins_line(text, start) => {
            let rest = if text[lines.clone()].ends_with('\n') { line_break(text) } else { "" };
            Some(vec![Splice::new(lines, format!("{}{{}}{rest}", indent(text, start)))])
        }
        _ if members.len() == 1 => Some(vec![Splice::new(members[at].clone(), "{}")]),
        _ if begins_line(text, start) => Some(vec![Splice::delete(lines)]),
        Some(next) if text.get(members[at].end..next.start).is_some_and(is_blank) => {
            Some(vec![Splice::delete(start..next.start)])
        }
        _ => None,
    }
}

/// The text without its keys and scalars: what is left of it are blanks, signs and comments.
fn bones(text: &str, root: &Node) -> Vec<u8> {
    let mut bones = text.as_bytes().to_vec();
    blank_out(root, &mut bones);
    bones
}

fn blank_out(node: &Node, bones: &mut [u8]) {
    let mut blank = |span: &Span| {
        // A place may be that of an alias: its sign has to stay.
        if let Some(piece) = bones.get_mut(span.clone()).filter(|piece| piece.first() != Some(&b'*')) {
            piece.fill(b' ');
        }
    };
    match &node.data {
        Data::Object(table) => {
            for (_, member) in table.iter() {
                blank(&member.key.span);
            }
            table.iter().for_each(|(_, member)| blank_out(&member.node, bones));
        }
        Data::Array(items) => items.iter().for_each(|item| blank_out(item, bones)),
        _ => blank(&node.place.span),
    }
}

/// What would be lost if the file were written anew, and where it stands.
fn keeper(text: &str, root: &Node) -> Option<(usize, &'static str)> {
    let bones = bones(text, root);
    let sign = |at: usize| match bones[at] {
        b'#' => Some("comment"),
        b'&' => Some("anchor"),
        b'*' => Some("alias"),
        b'!' => Some("tag"),
        b'%' => Some("directive"),
        b'-' | b'.' if bones[at..].starts_with(b"---") || bones[at..].starts_with(b"...") => {
            Some("document mark")
        }
        _ => None,
    };
    (0..bones.len()).find_map(|at| sign(at).map(|what| (at, what)))
}
