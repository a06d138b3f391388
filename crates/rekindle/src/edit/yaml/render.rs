//! YAML out of plain values: simple block style, and quotes wherever there could be a doubt.

use serde_json::{Map, Value};

use crate::edit::splice::quoted;
use crate::load::{Data, Node};

/// Words that some version of YAML reads as something other than text.
const WORDS: [&str; 11] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"];

/// A text, without quotes if every reader of YAML takes it for that text.
fn text(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { double(text) }
}

fn is_plain(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '/');
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | '+');
    first && chars.all(inner) && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// A text in double quotes.
fn double(text: &str) -> String {
    let mut out = String::new();
    for c in quoted(text).chars() {
        match c {
            // YAML allows these in no other form.
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

/// A value on one line, in the style of JSON.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => double(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| format!("{}: {}", double(key), flow(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        scalar => scalar.to_string(),
    }
}

/// A value on one line, with the quotes of the one `written` before it where they will do.
pub(super) fn inline_like(value: &Value, written: &str, in_brackets: bool) -> String {
    let Value::String(new) = value else { return flow(value) };
    let printable = !new.contains(|c: char| {
        c.is_control() || matches!(c, '\'' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    });
    match written.bytes().next() {
        Some(b'\'') if printable => format!("'{new}'"),
        Some(b'"' | b'\'') => double(new),
        _ if in_brackets => double(new),
        _ => text(new),
    }
}

/// A member of a table as lines, without the last line break.
pub(super) fn member(key: &str, value: &Value, column: usize, line_break: &str) -> String {
    let mut out = String::new();
    write_member(key, value, None, column, line_break, &mut out);
    out.truncate(out.len() - line_break.len());
    out
}

/// The items of a list as lines, the first of which is indented already.
pub(super) fn list_lines(items: &[Value], column: usize, line_break: &str) -> String {
    let mut out = String::new();
    write_list(items, &[], column, line_break, &mut out);
    out.truncate(out.len() - line_break.len());
    out.split_off(column)
}

/// A whole file. What was in it before stays in its order.
pub(super) fn document(value: &Value, before: &Node, line_break: &str) -> String {
    let mut out = String::new();
    match value {
        Value::Object(members) if !members.is_empty() => {
            write_table(members, Some(before), 0, line_break, &mut out);
        }
        other => out = format!("{}{line_break}", flow(other)),
    }
    out
}

fn write_table(
    members: &Map<String, Value>,
    before: Option<&Node>,
    column: usize,
    line_break: &str,
    out: &mut String,
) {
    let table = match before.map(|node| &node.data) {
        Some(Data::Object(table)) => Some(table),
        _ => None,
    };
    let mut keys: Vec<_> =
        members.iter().map(|(key, value)| (key, value, table.and_then(|table| table.get(key)))).collect();
    keys.sort_by_key(|(.., before)| before.map_or(usize::MAX, |member| member.key.span.start));
    for (key, value, before) in keys {
        write_member(key, value, before.map(|member| &member.node), column, line_break, out);
    }
}

fn write_member(
    key: &str,
    value: &Value,
    before: Option<&Node>,
    column: usize,
    line_break: &str,
    out: &mut String,
) {
    out.push_str(&" ".repeat(column));
    out.push_str(&text(key));
    out.push(':');
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push_str(line_break);
            write_table(members, before, column + 2, line_break, out);
        }
        Value::Array(items) if !items.is_empty() => {
            let before = match before.map(|node| &node.data) {
                Some(Data::Array(items)) => &items[..],
                _ => &[],
            };
            out.push_str(line_break);
            write_list(items, before, column + 2, line_break, out);
        }
        scalar => out.push_str(&format!(" {}{line_break}", inline_like(scalar, "", false))),
    }
}

fn write_list(items: &[Value], before: &[Node], column: usize, line_break: &str, out: &mut String) {
    for (at, item) in items.iter().enumerate() {
        let start = out.len();
        match item {
            Value::Object(members) if !members.is_empty() => {
                write_table(members, before.get(at), column + 2, line_break, out);
                // The first key stands on the line of the dash.
                out.replace_range(start + column..=start + column, "-");
            }
            item => {
                out.push_str(&format!(
                    "{}- {}{line_break}",
                    " ".repeat(column),
                    inline_like(item, "", false)
                ));
            }
        }
    }
}
