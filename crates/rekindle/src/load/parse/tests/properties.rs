//! What holds for any text: what is written is read back, in every format; every place slices to the
//! text it stands for; strict JSON is what `serde_json` takes; and no part of a valid file that ends
//! early is ever a definitive error.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ALL, node, value as read};
use crate::load::parse::Format::{self, Json, Jsonc, Toml, Yaml};
use crate::load::parse::{ParseError, parse};
use crate::load::tree::{Data, Node};

/// Text that every format can write without escapes beyond those of JSON.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,8}",
        "[ -~\u{a0}-\u{d7ff}\u{10000}-\u{10ffff}\n\t\"\\\\]{0,12}",
        prop::sample::select(vec![
            "true", "null", "~", "1", "1.5", "<<", "- a", "a: b", "#", "{}", "017", ".inf"
        ])
        .prop_map(str::to_owned),
    ]
}

/// A table of anything. `nulls` says whether null and large unsigned numbers are among it.
fn table(nulls: bool) -> impl Strategy<Value = Value> {
    let finite = any::<f64>().prop_filter("finite", |float| float.is_finite());
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        finite.prop_map(Value::from),
        (-100.0..100.0_f64).prop_map(Value::from),
        text().prop_map(Value::from),
        any::<u64>().prop_map(move |number| if nulls { number.into() } else { (number >> 1).into() }),
        Just(if nulls { Value::Null } else { json!("") }),
    ];
    let tree = leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::btree_map(text(), tree, 0..6)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// JSON with a comment on every line and a comma after every last item.
fn with_comments(value: &Value) -> String {
    let pretty = serde_json::to_string_pretty(value).unwrap();
    let lines: Vec<_> = pretty.lines().collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let last = lines.get(index + 1).is_some_and(|next| next.trim_start().starts_with(['}', ']']));
        let comma = if last && !line.ends_with(['{', '[']) { "," } else { "" };
        writeln!(text, "{line}{comma} // {index} \" /*").unwrap();
    }
    text
}

/// A value as TOML writes it after an equals sign.
fn toml_value(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(key, value)| format!("{} = {}", json!(key), toml_value(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(toml_value).collect::<Vec<_>>().join(", "))
        }
        scalar => scalar.to_string(),
    }
}

/// A table as TOML, with a header for every table in it.
fn toml_table(table: &Value, path: &str, text: &mut String) {
    let members = table.as_object().unwrap();
    let (tables, values): (Vec<_>, Vec<_>) = members.iter().partition(|(_, value)| value.is_object());
    for (key, value) in values {
        writeln!(text, "{} = {} # comment", json!(key), toml_value(value)).unwrap();
    }
    for (key, value) in tables {
        let path = if path.is_empty() { json!(key).to_string() } else { format!("{path}.{}", json!(key)) };
        writeln!(text, "[{path}]").unwrap();
        toml_table(value, &path, text);
    }
}

/// A value as YAML in block style, to stand after a key or dash.
fn yaml_block(value: &Value, indent: usize, text: &mut String) {
    let blank = " ".repeat(indent);
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, value) in members {
                write!(text, "\n{blank}{}:", json!(key)).unwrap();
                yaml_block(value, indent + 2, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                write!(text, "\n{blank}-").unwrap();
                yaml_block(item, indent + 1, text);
            }
        }
        scalar => write!(text, " {scalar} # comment").unwrap(),
    }
}

/// Checks that the place of every value and key holds it, as `read` reads it.
fn check_places(text: &str, node: &Node, read: fn(&str) -> Value) {
    let here = &text[node.place.span.clone()];
    assert!(alike(&read(here), &node.to_value()), "{here:?} in {text:?}");
    match &node.data {
        Data::Array(items) => items.iter().for_each(|item| check_places(text, item, read)),
        Data::Object(members) => {
            for (key, member) in members.iter() {
                assert_eq!(read(&text[member.key.span.clone()]), json!(**key));
                check_places(text, &member.node, read);
            }
        }
        _ => {}
    }
}

/// No part of a valid file that ends early may look like an error for good.
#[track_caller]
fn check_prefixes(format: Format, text: &str) {
    node(format, text);
    for (end, _) in text.char_indices() {
        if let Err(error) = parse(format, &text[..end], 0) {
            assert!(!error.definitive, "{format:?} {:?}: {error:?}", &text[..end]);
            check_error(&text[..end], &error);
        }
    }
}

/// What holds for every error.
fn check_error(text: &str, error: &ParseError) {
    assert!(text.get(error.span.clone()).is_some(), "{text:?}: {error:?}");
    let first = error.message.chars().next();
    assert!(first.is_some_and(|first| !first.is_uppercase()), "{error:?}");
    assert!(!error.message.ends_with(['.', ' ', ',']) && !error.message.contains('\n'), "{error:?}");
}

/// Equal, but for the last digits of a float: `serde_json` rounds some of them another way.
fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| alike(one, other)))
        }
        (Value::Number(one), Value::Number(other)) if one.is_f64() && other.is_f64() => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            (one - other).abs() <= 8.0 * f64::EPSILON * one.abs()
        }
        _ => one == other,
    }
}

/// Pieces that texts of all formats are made of, the wrong ones among them.
fn pieces() -> impl Strategy<Value = String> {
    const PIECES: &str = "{·}·[·]·,·:·: ·\"a\"·\"b\"·a·b·1·-·- ·0·.5·e3·true·null· ·\n·\n  ·//·/*·*/·'·\"·\\·\\u00·\
         \\ud800·\u{a0}·\u{c}·\t·\u{feff}·é·😀·Infinity·+·=· = ·#·[[·]]·'''·\"\"\"·&a ·*a·!!int ·!x ·|\n·>-\n·? ·<<·\
         ---\n·...\n·%·@·inf·.inf·1979-05-27·\r\n·\u{0}";
    let piece = prop::sample::select(PIECES.split('·').collect::<Vec<_>>());
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// A text with one piece of it replaced.
fn damaged(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (text, any::<prop::sample::Index>(), 0..3_usize, pieces()).prop_map(|(text, at, length, piece)| {
        let chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len() + 1);
        let rest = chars.len().min(at + length);
        let piece: String = piece.chars().take(3).collect();
        chars[..at].iter().copied().chain(piece.chars()).chain(chars[rest..].iter().copied()).collect()
    })
}

proptest! {
    #[test]
    fn json_is_read_back_in_every_format_that_has_it(value in table(true)) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            for format in [Json, Jsonc, Yaml] {
                let node = node(format, &text);
                prop_assert_eq!(node.to_value(), value.clone());
                check_places(&text, &node, |slice| serde_json::from_str(slice).unwrap());
            }
        }
        prop_assert_eq!(read(Jsonc, &with_comments(&value)), value);
    }

    #[test]
    fn toml_is_read_back(value in table(false)) {
        let mut text = String::new();
        toml_table(&value, "", &mut text);
        prop_assert_eq!(read(Toml, &text), value.clone());
        let inline = format!("v = {}", toml_value(&value));
        let node = node(Toml, &inline);
        let Data::Object(members) = &node.data else { panic!("not a table") };
        check_places(&inline, &members.get("v").unwrap().node, |slice| {
            read(Toml, &format!("v = {slice}"))["v"].take()
        });
    }

    #[test]
    fn yaml_in_block_style_is_read_back(value in table(true)) {
        let mut text = "---".to_owned();
        yaml_block(&value, 0, &mut text);
        prop_assert_eq!(read(Yaml, &text), value);
    }

    #[test]
    fn json_agrees_with_serde_json_on_what_is_json(text in damaged(table(true).prop_map(|value| value.to_string()))) {
        let ours = parse(Json, &text, 0);
        // A byte order mark is no JSON, and in front of many a file that is.
        let theirs = serde_json::from_str::<Value>(text.strip_prefix('\u{feff}').unwrap_or(&text));
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert!(alike(&ours.to_value(), &theirs), "{text:?}"),
            (Ok(_), Err(error)) => prop_assert!(false, "{text:?} is not JSON: {error}"),
            (Err(error), Ok(theirs)) => prop_assert!(
                !theirs.is_object() || error.message.contains("given twice") || text.starts_with('\u{feff}'),
                "{text:?} is JSON: {error:?}"
            ),
            (Err(error), Err(_)) => check_error(&text, &error),
        }
    }

    #[test]
    fn a_file_that_ends_early_is_no_definitive_error(value in table(false)) {
        let mut toml = String::new();
        toml_table(&value, "", &mut toml);
        let mut yaml = "---".to_owned();
        yaml_block(&value, 0, &mut yaml);
        let json = value.to_string();
        for (format, text) in [(Toml, &toml), (Yaml, &yaml), (Yaml, &json), (Json, &json), (Jsonc, &with_comments(&value))] {
            let end = text.char_indices().nth(120).map_or(text.len(), |(end, _)| end);
            for (end, _) in text[..end].char_indices() {
                if let Err(error) = parse(format, &text[..end], 0) {
                    prop_assert!(!error.definitive, "{format:?} {:?}: {error:?}", &text[..end]);
                }
            }
        }
    }

    #[test]
    fn nonsense_is_read_or_refused_but_never_panics(text in pieces(), key in "(a: |a = |\\{\"a\": |)") {
        for format in ALL {
            for text in [&text, &format!("{key}{text}")] {
                if let Err(error) = parse(format, text, 0) {
                    check_error(text, &error);
                }
            }
        }
    }

    #[test]
    fn damaged_files_are_read_or_refused_but_never_panic(value in table(false), seed in any::<prop::sample::Index>(), piece in pieces()) {
        let mut toml = String::new();
        toml_table(&value, "", &mut toml);
        let mut yaml = "---".to_owned();
        yaml_block(&value, 0, &mut yaml);
        for (format, text) in [(Toml, toml), (Yaml, yaml)] {
            let (at, _) = text.char_indices().nth(seed.index(text.chars().count().max(1))).unwrap_or((0, ' '));
            let text = format!("{}{piece}{}", &text[..at], &text[at..]);
            if let Err(error) = parse(format, &text, 0) {
                check_error(&text, &error);
            }
        }
    }
}

#[test]
fn ordinary_files_that_end_early_are_no_definitive_errors() {
    check_prefixes(
        Toml,
        "# comment\ntitle = \"é \\\" x\"\n[server.http]\nport = 8080\nhosts = [ 'a', \"b\", ]\n\
         limits = { soft = 1.5e3, hard.max = 9223372036854775808.0 }\nsince = 1979-05-27T07:32:00Z\n\
         text = \"\"\"\nmany [[[[ lines\n\"\"\"\n[[user]]\nname = 'x'\n[[user]]\nname = 'y'\nname2 = 0xff\n",
    );
    check_prefixes(
        Yaml,
        "%YAML 1.2\n---\n# comment\nserver: &server\n  port: 8080\n  host: 'a'\n  .info: \"x\\n\"\nother:\n  <<: *server\n\
         \x20 port: 81\nserver2: *server\nlist:\n- 1\n- [a, {b: c}]\n- - d\n  - e: f\nblock: |\n  some\n  text\n\nfolded: >-\n\
         \x20 more\nseconds: .info\nbig: 1e999x\ntagged: !!int\n  5\nmap: !!map\n  a: 1\nstr: !!str 017\nserver:b: 1\n\
         ? key\n: value\n1: one\nempty:\nlast: 0xffffffffffffffffffg\n...\n",
    );
    check_prefixes(Yaml, "--- {a: 1, 'b': [x, y: z], \"c\": ~, aa: &a 1, aaa: *a}\n");
    let json = "{\n  \"a\": [1, -2.5e+10, \"x\\u00e9\\ud83d\\ude00\\n\", true, null],\n  \"b\": {\"c\": {}}, \"bb\": []\n}\n";
    check_prefixes(Json, json);
    check_prefixes(Jsonc, json);
    check_prefixes(Jsonc, "// c\n{ /* d */ \"a\": [1, 2,], // e\n \"b\": {},\n}\n/* f */");
}
