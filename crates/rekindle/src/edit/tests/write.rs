//! Files for the property tests: a value, written in the way that a list of numbers chooses.

use std::cell::Cell;

use serde_json::{Map, Value};

/// Takes one choice after the other, over and over.
struct Style<'a>(&'a [u8], Cell<usize>);

impl Style<'_> {
    fn pick(&self, of: u8) -> u8 {
        let at = self.1.get();
        self.1.set(at + 1);
        self.0[at % self.0.len()] % of
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn members(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

/// JSON with comments: on one line, or with comments on every line and, maybe, commas everywhere.
pub(super) fn json(value: &Value, style: &[u8]) -> String {
    let style = Style(style, Cell::new(0));
    if style.pick(4) == 0 {
        return value.to_string();
    }
    let trailing = style.pick(2) == 0;
    let pretty = serde_json::to_string_pretty(value).unwrap();
    let lines: Vec<&str> = pretty.lines().collect();
    let mut text = "//! top\n".to_owned();
    for (at, line) in lines.iter().enumerate() {
        let last = lines.get(at + 1).is_some_and(|next| next.trim_start().starts_with(['}', ']']));
        let comma = if trailing && last && !line.ends_with(['{', '[']) { "," } else { "" };
        let comment = if style.pick(2) == 0 { " // \" }" } else { "" };
        if line.starts_with("  \"") {
            text.push_str(&format!("//! {at}\n"));
        }
        text.push_str(&format!("{line}{comma}{comment}\n"));
    }
    text + "//! end\n"
}

/// TOML: tables as sections, inline or by dotted keys; lists of tables as sections or inline.
pub(super) fn toml(value: &Value, style: &[u8]) -> String {
    let style = Style(style, Cell::new(0));
    let mut text = "#! top\n\n".to_owned();
    toml_table(members(value), "", &style, &mut text);
    text + "#! end\n"
}

fn toml_key(key: &str, style: &Style<'_>) -> String {
    let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match style.pick(3) {
        0 if !key.contains('\'') => format!("'{key}'"),
        1 if bare => key.to_owned(),
        _ => quoted(key),
    }
}

fn toml_table(table: &Map<String, Value>, path: &str, style: &Style<'_>, text: &mut String) {
    let mut sections = Vec::new();
    for (key, value) in table {
        let name = toml_key(key, style);
        match value {
            Value::Object(below) if !below.is_empty() && style.pick(3) == 0 => {
                dotted(&name, below, style, text);
            }
            Value::Object(below) if style.pick(3) > 0 => sections.push((name, vec![below], false)),
            Value::Array(items)
                if !items.is_empty() && items.iter().all(Value::is_object) && style.pick(2) > 0 =>
            {
                sections.push((name, items.iter().map(members).collect(), true));
            }
            value => toml_pair(&name, value, style, text),
        }
    }
    for (name, tables, list) in sections {
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        for table in tables {
            let plain = !list
                && style.pick(3) == 0
                && !table.is_empty()
                && table.values().all(|value| value.as_object().is_some_and(|table| !table.is_empty()));
            if !plain {
                text.push_str(if style.pick(2) == 0 { "\n#! section\n" } else { "" });
                text.push_str(&if list { format!("[[{path}]] # h\n") } else { format!("[{path}] # h\n") });
                toml_table(table, &path, style, text);
                continue;
            }
            for (key, below) in table {
                let path = format!("{path}.{}", toml_key(key, style));
                text.push_str(&format!("\n[{path}]\n"));
                toml_table(members(below), &path, style, text);
            }
        }
    }
}

fn dotted(name: &str, table: &Map<String, Value>, style: &Style<'_>, text: &mut String) {
    for (key, value) in table {
        toml_pair(&format!("{name}.{}", toml_key(key, style)), value, style, text);
    }
}

fn toml_pair(name: &str, value: &Value, style: &Style<'_>, text: &mut String) {
    let comment = if style.pick(2) == 0 { " # \" = 1" } else { "" };
    text.push_str(&format!("{name} = {}{comment}\n", toml_value(value, style)));
}

fn toml_value(value: &Value, style: &Style<'_>) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| toml_value(item, style)).collect();
            match style.pick(3) {
                0 if !items.is_empty() => format!("[\n  {}, # l\n]", items.join(", # i\n  ")),
                1 if !items.is_empty() => format!("[ {}, ]", items.join(", ")),
                _ => format!("[{}]", items.join(",")),
            }
        }
        Value::Object(table) => {
            let mut items = Vec::new();
            for (key, value) in table {
                let name = toml_key(key, style);
                match value {
                    Value::Object(below) if !below.is_empty() && style.pick(2) == 0 => {
                        items.extend(below.iter().map(|(key, value)| {
                            format!("{name} . {} = {}", toml_key(key, style), toml_value(value, style))
                        }));
                    }
                    value => items.push(format!("{name} = {}", toml_value(value, style))),
                }
            }
            if items.is_empty() { "{}".into() } else { format!("{{ {} }}", items.join(", ")) }
        }
        Value::String(text) if text == "2020-01-01" => text.clone(),
        Value::String(text) if !text.contains(['\'', '\n']) && style.pick(3) == 0 => format!("'{text}'"),
        scalar => scalar.to_string(),
    }
}

/// YAML in block style with comments, and with brackets now and then.
pub(super) fn yaml(value: &Value, style: &[u8]) -> String {
    let style = Style(style, Cell::new(0));
    let table = members(value);
    if table.is_empty() {
        return "#! top\n{}\n".into();
    }
    let mut text = "#! top\n".to_owned();
    yaml_table(table, 0, &style, &mut text);
    text + "#! end\n"
}

fn yaml_table(table: &Map<String, Value>, column: usize, style: &Style<'_>, text: &mut String) {
    for (key, value) in table {
        if column == 0 {
            text.push_str("#! key\n");
        }
        let indent = " ".repeat(column);
        let comment = if style.pick(2) == 0 { " # c" } else { "" };
        let name = quoted(key);
        match value {
            Value::Object(below) if !below.is_empty() && style.pick(3) > 0 => {
                text.push_str(&format!("{indent}{name}:{comment}\n"));
                yaml_table(below, column + 1 + usize::from(style.pick(4)), style, text);
            }
            Value::Array(items) if !items.is_empty() && style.pick(3) > 0 => {
                text.push_str(&format!("{indent}{name}:{comment}\n"));
                for item in items {
                    text.push_str(&format!("{indent}- {item}\n"));
                }
            }
            Value::String(words) if !words.contains(['\n', '\t']) && style.pick(2) == 0 => {
                text.push_str(&format!("{indent}{name}: '{}'{comment}\n", words.replace('\'', "''")));
            }
            value => text.push_str(&format!("{indent}{name}: {value}{comment}\n")),
        }
    }
}
