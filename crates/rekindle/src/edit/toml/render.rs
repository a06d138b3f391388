//! TOML out of plain values.

use serde_json::Value;

use super::statement::{Kind, Statement};
use crate::edit::splice::quoted;

/// Why TOML has no such value.
pub(super) fn unfit(value: &Value) -> Option<&'static str> {
    match value {
        Value::Null => Some("TOML has no null: remove the key instead"),
        Value::Number(number) if number.is_u64() && !number.is_i64() => {
            Some("TOML's integers have 64 bits with a sign, this one is larger")
        }
        Value::Array(items) => items.iter().find_map(unfit),
        Value::Object(members) => members.values().find_map(unfit),
        _ => None,
    }
}

/// A key, in quotes where it needs them.
pub(super) fn key(key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !key.is_empty() && key.bytes().all(bare) { key.to_owned() } else { string(key) }
}

/// Keys with dots between them.
pub(super) fn key_path<'k>(keys: impl Iterator<Item = &'k str>) -> String {
    keys.map(key).collect::<Vec<_>>().join(".")
}

/// The path of a table as a header has it: that of a list of tables names the list alone.
pub(super) fn header(statements: &[Statement<'_>], table: &[String]) -> String {
    let element = |length: usize| {
        let is = |one: &&Statement<'_>| matches!(one.kind, Kind::Element) && one.path == table[..length];
        statements.iter().any(|one| is(&one))
    };
    let keys = (0..table.len()).filter(|at| !element(at + 1)).map(|at| table[at].as_str());
    key_path(keys)
}

/// A text in double quotes.
fn string(text: &str) -> String {
    quoted(text).replace('\u{7f}', "\\u007f")
}

/// A text in single quotes, where these can hold it.
pub(super) fn literal(text: &str) -> String {
    let fits = !text.contains(|c: char| c == '\'' || (c.is_control() && c != '\t'));
    if fits { format!("'{text}'") } else { string(text) }
}

/// A value on one line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if members.is_empty() => "{}".into(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        scalar => scalar.to_string(),
    }
}

/// Whether a value is a list of nothing but tables, which get sections of their own.
pub(super) fn is_table_list(value: &Value) -> bool {
    let items = value.as_array();
    items.is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_object))
}

/// A table or a list of tables as sections.
pub(super) fn sections(path: &str, value: &Value, line_break: &str, out: &mut String) {
    match value {
        Value::Array(tables) => {
            for table in tables {
                section(&format!("[[{path}]]"), path, table, line_break, out);
            }
        }
        table => section(&format!("[{path}]"), path, table, line_break, out),
    }
}

fn section(header: &str, path: &str, table: &Value, line_break: &str, out: &mut String) {
    let Value::Object(members) = table else { return };
    if !out.is_empty() {
        out.push_str(line_break);
    }
    out.push_str(&format!("{header}{line_break}"));
    let below =
        |value: &Value| value.as_object().is_some_and(|table| !table.is_empty()) || is_table_list(value);
    for (name, value) in members.iter().filter(|(_, value)| !below(value)) {
        out.push_str(&format!("{} = {}{line_break}", key(name), inline(value)));
    }
    for (name, value) in members.iter().filter(|(_, value)| below(value)) {
        sections(&format!("{path}.{}", key(name)), value, line_break, out);
    }
}
