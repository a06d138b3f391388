//! What every format accepts, refuses and points at. Whole texts in, values or errors out, through
//! [`parse`] only.

#![cfg(all(feature = "toml", feature = "json", feature = "yaml"))]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::tree::{Data, MAX_DEPTH, MAX_TABLES, MAX_VALUES, Node};
use super::Format::{self, Json, Jsonc, Toml, Yaml};
use super::{ParseError, parse};

mod properties;

const ALL: [Format; 4] = [Toml, Yaml, Json, Jsonc];

/// How much of a second an attack may take, in an unoptimised build on a busy machine.
const SOON: Duration = Duration::from_secs(2);

#[track_caller]
fn node(format: Format, text: &str) -> Node {
    parse(format, text, 7).unwrap_or_else(|error| panic!("{format:?} {text:?}: {error:?}"))
}

#[track_caller]
fn value(format: Format, text: &str) -> Value {
    node(format, text).to_value()
}

#[track_caller]
fn error(format: Format, text: &str) -> ParseError {
    match parse(format, text, 7) {
        Err(error) => error,
        Ok(node) => panic!("{format:?} {text:?} was read as {}", node.to_value()),
    }
}

/// The error of a text that is too long to be shown when there is none.
#[track_caller]
fn error_of_long(format: Format, text: &str) -> ParseError {
    parse(format, text, 7).map(drop).unwrap_err()
}

/// One line of a table of errors: the text, a part of the message, what is pointed at, definitive.
type Refused<'a> = (&'a str, &'a str, &'a str, bool);

#[track_caller]
fn refuses(format: Format, cases: &[Refused<'_>]) {
    for &(text, message, pointed, definitive) in cases {
        let error = error(format, text);
        assert!(error.message.contains(message), "{format:?} {text:?}: {error:?}");
        assert_eq!(&text[error.span.clone()], pointed, "{format:?} {text:?}: {error:?}");
        assert_eq!(error.definitive, definitive, "{format:?} {text:?}: {error:?}");
    }
}

#[track_caller]
fn reads(format: Format, cases: &[(&str, Value)]) {
    for (text, expected) in cases {
        assert_eq!(&value(format, text), expected, "{format:?} {text:?}");
    }
}

/// Every place of a tree as `pointer = text`, keys with a `#`, for what is in objects and arrays.
fn places(text: &str, node: &Node) -> Vec<String> {
    let mut found = Vec::new();
    collect_places(text, node, "", &mut found);
    found
}

fn collect_places(text: &str, node: &Node, pointer: &str, found: &mut Vec<String>) {
    assert_eq!(node.place.source, 7);
    let here = format!("{pointer} = {}", &text[node.place.span.clone()]);
    match &node.data {
        Data::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_places(text, item, &format!("{pointer}/{index}"), found);
            }
        }
        Data::Object(members) => {
            for (key, member) in members.iter() {
                assert_eq!(member.key.source, 7);
                found.push(format!("{pointer}/{key}# = {}", &text[member.key.span.clone()]));
                collect_places(text, &member.node, &format!("{pointer}/{key}"), found);
            }
        }
        _ => {}
    }
    found.push(here);
}

#[track_caller]
fn stops_soon(format: Format, text: &str) -> ParseError {
    let start = Instant::now();
    let error = error(format, text);
    assert!(start.elapsed() < SOON, "{format:?} took {:?}", start.elapsed());
    assert!(text.get(error.span.clone()).is_some());
    error
}

// All formats.

#[test]
fn a_byte_order_mark_is_skipped_and_places_count_it() {
    for (format, text) in [(Toml, "\u{feff}a = 1"), (Yaml, "\u{feff}a: 1"), (Json, "\u{feff}{\"a\":1}")] {
        let node = node(format, text);
        assert_eq!(node.to_value(), json!({"a": 1}));
        let Data::Object(members) = &node.data else { panic!("not a table") };
        let member = members.get("a").unwrap();
        assert_eq!(text[member.key.span.clone()].trim_matches('"'), "a");
        assert_eq!(&text[member.node.place.span.clone()], "1");
    }
    refuses(Toml, &[("\u{feff}a = inf\n", "infinity", "inf", true)]);
    refuses(Yaml, &[("\u{feff}a: .inf\n", "infinity", ".inf", true)]);
    refuses(Json, &[("\u{feff}{\"a\": tru}", "no value", "tru", false)]);
    refuses(Json, &[("\u{feff}{\"a\": 1, \"a\": 2, \"b\": 3}", "given twice", "\"a\"", true)]);
    refuses(Json, &[("\u{feff}", "the file is empty", "", false)]);
    refuses(Yaml, &[("\u{feff}", "the file is empty", "", false)]);
}

#[test]
fn json_has_no_second_byte_order_mark() {
    for format in [Json, Jsonc] {
        refuses(format, &[("\u{feff}\u{feff}{}", "no value", "\u{feff}", false)]);
    }
}

#[test]
fn empty_files_are_errors_except_in_toml() {
    for text in ["", " ", "\n\n", "\r\n\t"] {
        for format in [Json, Jsonc, Yaml] {
            refuses(format, &[(text, "the file is empty", "", false)]);
        }
    }
    refuses(Jsonc, &[("// nothing\n/* here */", "the file is empty", "", false)]);
    refuses(
        Yaml,
        &[
            ("# nothing\n", "the file is empty", "", false),
            ("---\n", "the file is empty", "", false),
            ("---\n...\n", "the file is empty", "", false),
            ("--- # nothing", "the file is empty", "", false),
        ],
    );
    assert_eq!(node(Toml, "").place.span, 0..0);
    reads(Toml, &[("", json!({})), ("# nothing\n", json!({})), ("\n \n", json!({}))]);
}

#[test]
fn the_top_is_a_table() {
    let top = "a configuration is a table of keys at its top level, this is ";
    for (text, kind, pointed) in [
        ("[1]", "a list", "["),
        ("12", "a number", "12"),
        (" \"x\" ", "text", "\"x\""),
        ("true", "true or false", "true"),
        ("null", "null", "null"),
    ] {
        for format in [Json, Jsonc] {
            refuses(format, &[(text, &format!("{top}{kind}"), pointed, true)]);
        }
    }
    refuses(
        Yaml,
        &[
            ("- a\n- b\n", "this is a list", "", true),
            ("[a, b]\n", "this is a list", "[", true),
            ("'a'\n...\n", "this is a single value", "'a'", true),
            // More text could still make these a key, or the start of a document.
            ("port", "this is a single value", "port", false),
            ("~", "this is a single value", "~", false),
            ("-", "this is a list", "", false),
            ("--", "this is a single value", "--", false),
        ],
    );
}

#[test]
fn the_limit_of_depth_is_exact() {
    let json = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    let lists = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    for format in [Json, Jsonc, Yaml] {
        for text in [json(MAX_DEPTH), lists(MAX_DEPTH)] {
            node(format, &text);
        }
        for text in [json(MAX_DEPTH + 1), lists(MAX_DEPTH + 1)] {
            let error = error(format, &text);
            assert!(error.definitive && error.message.contains("nested more than 128 deep"), "{error:?}");
            assert!(matches!(&text[error.span], "{" | "["));
        }
    }
}

#[test]
fn toml_counts_the_depth_of_a_line_and_of_the_whole() {
    let line = |levels: usize| format!("a = {}{}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    node(Toml, &line(80));
    let error = error(Toml, &line(81));
    assert!(error.definitive && error.message.contains("nested more than 80 deep"), "{error:?}");
    node(Toml, &format!("{}a = 1", "a.".repeat(79)));
    node(Toml, &format!("[{}a]", "a.".repeat(78)));
    // Two dotted paths and no bracket too many, but too deep together.
    let both = format!("[{}a]\n{}a = 1\n", "a.".repeat(70), "a.".repeat(70));
    refuses(Toml, &[(&both, "nested more than 128 deep", "a", true)]);
    // Lists of tables are two levels each.
    let tables: String = (1..70).map(|depth| format!("[[a{}]]\n", ".a".repeat(depth - 1))).collect();
    assert!(parse(Toml, &tables, 0).is_err_and(|error| error.message.contains("128 deep")));
}

#[test]
fn a_million_levels_neither_overflow_nor_take_long() {
    const LEVELS: usize = 1_000_000;
    for opening in ["[", "{\"a\":", "{a:", "[[{", "[{\"b\": 1, \"a\": "] {
        for format in ALL {
            let text = opening.repeat(LEVELS);
            stops_soon(format, &text);
            let prefix = if format == Toml { "a = " } else { "{\"a\": " };
            stops_soon(format, &format!("{prefix}{text}"));
        }
    }
    for text in ["{a: ", "- ", "? ", "- - ? ", "a: ["] {
        assert!(stops_soon(Yaml, &text.repeat(LEVELS)).definitive, "{text}");
    }
    for (before, unit, after) in [
        ("", "a.", "a = 1"),
        ("[", "a.", "a]"),
        ("[[", "a.", "a]]"),
        ("a = ", "{a=", ""),
        ("a = ", "{a.b.c=", ""),
    ] {
        let error = stops_soon(Toml, &format!("{before}{}{after}", unit.repeat(LEVELS)));
        assert!(error.definitive && error.message.contains("80 deep"), "{error:?}");
    }
    let stairs: String = (0..2_000).map(|indent| format!("{}a:\n", " ".repeat(indent))).collect();
    assert!(stops_soon(Yaml, &stairs).definitive);
}

#[test]
fn the_limit_of_values_is_exact() {
    // Besides its items, such a file has a table and a list.
    let list = |items: usize| format!("[{}1]", "1,".repeat(items - 1));
    assert!(parse(Json, &format!("{{\"a\":{}}}", list(MAX_VALUES - 2)), 7).is_ok());
    let list = list(MAX_VALUES - 1);
    for (format, before, after) in [(Json, "{\"a\":", "}"), (Yaml, "a: ", ""), (Toml, "a = ", "")] {
        let text = format!("{before}{list}{after}");
        let error = error_of_long(format, &text);
        assert!(error.definitive && error.message == "the file holds more than 1000000 values", "{error:?}");
        assert_eq!(error.span.start, before.len() + list.len() - "1]".len());
    }
}

#[test]
fn a_file_full_of_small_tables_is_refused() {
    const SIZE: usize = 16 << 20;
    for (format, before, unit, after) in [
        (Json, "{\"a\":[", "{\"a\":1},", "0]}"),
        (Yaml, "a:\n", "- a: 1\n", ""),
        (Toml, "a = [", "{a=1},", "0]"),
        (Toml, "", "[[a]]\na=1\n", ""),
        (Toml, "", &format!("[{}a]\n", "a.".repeat(70)), ""),
        (Toml, "", &format!("{}a=1\n", "a.".repeat(70)), ""),
        (Toml, "", "a={a.a=1}\n", ""),
    ] {
        let text = format!("{before}{}{after}", unit.repeat(SIZE / unit.len()));
        let error = error_of_long(format, &text);
        assert!(error.definitive && error.message == "the file holds more than 250000 tables", "{error:?}");
        let keys = text[..error.span.end].matches('a').count();
        assert!((MAX_TABLES..=2 * MAX_TABLES + 100).contains(&keys), "{format:?} {unit:?}: {keys}");
    }
}

#[test]
fn toml_of_nothing_but_signs_is_refused() {
    for (before, unit) in [("", "\n"), ("", "#\n"), ("a = 1", " \n"), ("a = [", ",")] {
        let error = error_of_long(Toml, &format!("{before}{}", unit.repeat(4 * MAX_VALUES)));
        assert!(error.definitive && error.message.contains("words, signs and blanks"), "{error:?}");
    }
}

#[test]
fn the_first_repeated_key_is_the_one_pointed_at() {
    for format in [Json, Jsonc, Yaml] {
        let text = "{\"b\": 1, \"c\": 2, \"a\": 3, \"c\": [4], \"a\": 5, \"c\": 6}";
        let error = error(format, text);
        assert!(error.definitive && error.message.contains("`c`"), "{error:?}");
        assert_eq!(text[error.span.start..].find("[4]"), Some(5));
    }
}

#[test]
fn the_deepest_tree_fits_a_small_stack() {
    let json = format!("{}1{}", "{\"a\":".repeat(MAX_DEPTH), "}".repeat(MAX_DEPTH));
    let mut aliases = "a0: &a0 [x]\n".to_owned();
    for level in 1..MAX_DEPTH - 2 {
        writeln!(aliases, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    let run = move || {
        for (format, text) in [(Json, &json), (Yaml, &json), (Yaml, &aliases)] {
            drop(node(format, text));
        }
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn large_files_take_time_in_proportion() {
    let lines = |line: fn(usize) -> String| (0..40_000).map(line).collect::<String>();
    let start = Instant::now();
    for (format, text) in [
        (Toml, lines(|i| format!("key{i} = \"value {i}\"\n"))),
        (Toml, lines(|i| format!("[table{i}]\nkey = {i}\n"))),
        (Yaml, lines(|i| format!("key{i}: value {i} # é\n"))),
        (Yaml, format!("list:\n{}", lines(|i| format!("- {i}: {{a: b}}\n")))),
        (Json, format!("{{{}\"last\": 0}}", lines(|i| format!("\"key{i}\": [{i}, \"é\"],\n")))),
        (Jsonc, format!("{{{}}}", lines(|i| format!("\"key{i}\": {i}, // comment\n")))),
    ] {
        node(format, &text);
    }
    assert!(start.elapsed() < SOON * 10, "{:?}", start.elapsed());
}

#[test]
fn errors_show_keys_but_no_values() {
    let secret = "hunter2";
    for (format, text) in [
        (Toml, "password = hunter2"),
        (Toml, "password = \"hunter2\nx = 1"),
        (Toml, "password = \"hunter2\" hunter2"),
        (Toml, "password = 'hunter2'\npassword = 'hunter2'"),
        (Toml, "password = \"\\hunter2\""),
        (Json, "{\"password\": hunter2}"),
        (Json, "{\"password\": \"hunter2}"),
        (Json, "{\"password\": \"hunter2\", \"password\": \"hunter2\"}"),
        (Json, "\"hunter2\""),
        (Yaml, "hunter2"),
        (Yaml, "password: @hunter2"),
        (Yaml, "password: *hunter2"),
        (Yaml, "password: !hunter2 x"),
        (Yaml, "password: 'hunter2"),
        (Yaml, "password: hunter2: hunter2"),
        (Yaml, "password: hunter2\npassword: hunter2\n"),
        (Yaml, "<<: hunter2\n"),
    ] {
        let error = error(format, text);
        assert!(!error.message.contains(secret), "{error:?}");
    }
}

#[test]
fn a_long_or_odd_key_is_shown_on_one_short_line() {
    let key = "k\n".repeat(200);
    let quoted = serde_json::to_string(&key).unwrap();
    let error = error(Json, &format!("{{{quoted}: 1, {quoted}: 2}}"));
    assert!(error.message.contains("`k\\nk\\n") && error.message.contains("…`"), "{}", error.message);
    assert!(error.message.len() < 250 && !error.message.contains('\n'));
}

// JSON.

#[test]
fn json_values() {
    reads(
        Json,
        &[
            ("{}", json!({})),
            (" {\r\n\t} \n", json!({})),
            (
                r#"{"a": {"b": [1, [], {}]}, "c": null, "d": true, "e": false}"#,
                json!({"a": {"b": [1, [], {}]}, "c": null, "d": true, "e": false}),
            ),
            (r#"{"a": "\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é"}"#, json!({"a": "\"\\/\u{8}\u{c}\n\r\té😀é"})),
            (r#"{"": "", "é": "ü"}"#, json!({"": "", "é": "ü"})),
            ("{\"a\": \"\u{7f}\u{2028}\"}", json!({"a": "\u{7f}\u{2028}"})),
        ],
    );
}

#[test]
fn json_numbers_are_those_of_serde_json() {
    const NUMBERS: &str = "0 -0 7 -7 0.0 -0.0 1.5 1e3 1E+3 1e-3 123456789 9223372036854775807 -9223372036854775808 \
         9223372036854775808 18446744073709551615 18446744073709551616 -9223372036854775809 1e308 1e-400 123e-2";
    for digits in NUMBERS.split_whitespace() {
        let text = format!("{{\"a\": {digits}}}");
        let expected: Value = serde_json::from_str(&text).unwrap();
        for format in [Json, Jsonc] {
            let found = value(format, &text);
            assert_eq!(found.to_string(), expected.to_string());
        }
    }
}

#[test]
fn json_refuses_what_is_not_rfc_8259() {
    let cases: &[Refused<'_>] = &[
        ("{\"a\": 1, \"b\": 2, \"a\": 3}", "the key `a` is given twice", "\"a\"", true),
        ("{\"a\": {\"b\": 1, \"\\u0062\": 3}}", "the key `b` is given twice", "\"\\u0062\"", true),
        ("{a: 1}", "expected a key in double quotes", "a", false),
        ("{1: 1}", "expected a key in double quotes", "1", false),
        ("{null: 1}", "expected a key in double quotes", "null", false),
        ("{\"a\": 1 \"b\": 2}", "expected a comma or `}`", "\"b\"", false),
        ("{\"a\": [1 2]}", "expected a comma or `]`", "2", false),
        ("{\"a\" 1}", "expected a colon", "1", false),
        ("{\"a\": 1,, \"b\": 2}", "unexpected comma", ",", false),
        ("{,}", "unexpected comma", ",", false),
        ("{\"a\": [,]}", "unexpected comma, expected a value", ",", false),
        ("{\"a\": ]}", "unexpected `]`, expected a value", "]", false),
        ("{\"a\": [1}}", "unexpected `}`, expected a comma or `]`", "}", false),
        ("{}}", "expected the end of the file", "}", false),
        ("{} {}", "expected the end of the file", "{", false),
        ("{'a': 1}", "double quotes", "'", false),
        ("{\"a\": 'b'}", "double quotes", "'", false),
        ("{\"a\": 0x10}", "decimal", "0", false),
        ("{\"a\": +1}", "no plus sign", "+", false),
        ("{\"a\": .5}", "decimal point", ".", false),
        ("{\"a\": 5.}", "decimal point", "5.", false),
        ("{\"a\": 5.e3}", "decimal point", "5.", false),
        ("{\"a\": 01}", "expected a comma", "1", false),
        ("{\"a\": -}", "lacks a digit", "}", false),
        ("{\"a\": 1e}", "lacks a digit", "}", false),
        ("{\"a\": -Infinity}", "infinity", "-Infinity", false),
        ("{\"a\": NaN}", "no value", "NaN", false),
        ("{\"a\": True}", "no value", "True", false),
        ("{\"a\": 1e999}", "beyond what 64 bits can hold", "1e999", true),
        ("{\"a\": -1e999}", "beyond what 64 bits can hold", "-1e999", true),
        ("{\"a\": \"b\nc\"}", "must be escaped", "\n", false),
        ("{\"a\": \"b\tc\"}", "must be escaped", "\t", false),
        ("{\"a\": \"\\n \u{0}\"}", "must be escaped", "\u{0}", false),
        ("{\"\u{1}\": 1}", "must be escaped", "\u{1}", false),
        ("{\"a\": \"\\x41\"}", "unknown escape", "\\x", false),
        ("{\"a\": \"\\'\"}", "unknown escape", "\\'", false),
        ("{\"a\": \"\\u12g4\"}", "four hexadecimal digits", "\\u12g", false),
        ("{\"a\": \"\\ud800\"}", "half of a surrogate pair", "\\ud800\"", false),
        ("{\"a\": \"\\ud800\\n\"}", "half of a surrogate pair", "\\ud800\\n", false),
        ("{\"a\": \"\\ud800\\u0041\"}", "half of a surrogate pair", "\\ud800\\u0041", false),
        ("{\"a\": \"\\udc00\"}", "half of a surrogate pair", "\\udc00", false),
        ("{\u{a0}}", "another kind of blank", "\u{a0}", false),
        ("{\u{c}}", "another kind of blank", "\u{c}", false),
        ("{}\u{2003}", "another kind of blank", "\u{2003}", false),
    ];
    refuses(Json, cases);
    refuses(Jsonc, cases);
}

#[test]
fn json_that_ends_early_says_so() {
    for format in [Json, Jsonc] {
        refuses(
            format,
            &[
                ("{", "the file ends here, expected a key", "", false),
                ("{\"a", "never closed", "\"a", false),
                ("{\"a\": \"b\\", "never closed", "\"b\\", false),
                ("{\"a\"", "the file ends here, expected a colon", "", false),
                ("{\"a\":", "the file ends here, expected a value", "", false),
                ("{\"a\": tru", "unexpected word", "tru", false),
                ("{\"a\": 1", "the file ends here, expected a comma", "", false),
                ("{\"a\": 1,", "the file ends here, expected a key", "", false),
                ("{\"a\": [", "the file ends here, expected a value", "", false),
                ("{\"a\": 1e999", "beyond what 64 bits", "1e999", false),
            ],
        );
    }
    refuses(Jsonc, &[("{ /* never", "comment is never closed", "/* never", false)]);
}

#[test]
fn only_jsonc_has_comments_and_trailing_commas() {
    let text = "// a\n{ /* b */ \"a\": [1, 2 ,], // c\n \"b\": {\"c\": 3,} ,\n} // d";
    reads(Jsonc, &[(text, json!({"a": [1, 2], "b": {"c": 3}}))]);
    refuses(
        Json,
        &[
            ("// a\n{}", "comments are not part of JSON", "// a", false),
            ("{} /* b */", "comments are not part of JSON", "/* b */", false),
            ("{\"a\": [1,]}", "a comma after the last item is not part of JSON", ",", false),
            ("{\"a\": 1 , }", "a comma after the last item is not part of JSON", ",", false),
        ],
    );
    refuses(Jsonc, &[("# a\n{}", "no value", "#", false), ("{\"a\": 1,,}", "unexpected comma", ",", false)]);
}

#[test]
fn json_places() {
    let text = "{ \"a\": [1, \"é\"],\n  \"ö\": {\"b\": null} }";
    let expected = [
        "/a# = \"a\"",
        "/a/0 = 1",
        "/a/1 = \"é\"",
        "/a = [1, \"é\"]",
        "/ö# = \"ö\"",
        "/ö/b# = \"b\"",
        "/ö/b = null",
        "/ö = {\"b\": null}",
        " = { \"a\": [1, \"é\"],\n  \"ö\": {\"b\": null} }",
    ];
    assert_eq!(places(text, &node(Json, text)), expected);
}

// TOML.

#[test]
fn toml_values() {
    reads(
        Toml,
        &[
            (
                "a = 1\nb.c = 'x'\n\"b\".\"d e\" = \"\"\"y\nz\"\"\"",
                json!({"a": 1, "b": {"c": "x", "d e": "y\nz"}}),
            ),
            ("[a.b]\nc = 1\n[a]\nd = 2\n[a.e.f]", json!({"a": {"b": {"c": 1}, "d": 2, "e": {"f": {}}}})),
            ("[[a]]\nb = 1\n[[a]]\n[a.c]\nd = 2", json!({"a": [{"b": 1}, {"c": {"d": 2}}]})),
            (
                "a = [1, 'x', [true], {b.c = 1.5},\n # comment\n]",
                json!({"a": [1, "x", [true], {"b": {"c": 1.5}}]}),
            ),
            (
                "a = 0xff\nb = 0o17\nc = 0b11\nd = 1_000\ne = +5\nf = -0\ng = 1e5\nh = 6.5e-1_0",
                json!({"a": 255, "b": 15, "c": 3, "d": 1000, "e": 5, "f": 0, "g": 1e5, "h": 6.5e-10}),
            ),
            ("a = 9223372036854775807\nb = -9223372036854775808", json!({"a": i64::MAX, "b": i64::MIN})),
            ("a = \"\\u00e9\\U0001F600\\t\"\r\nb = 'c:\\x'\r\n", json!({"a": "é😀\t", "b": "c:\\x"})),
        ],
    );
}

#[test]
fn toml_dates_are_strings_as_written() {
    for date in [
        "1979-05-27T07:32:00Z",
        "1979-05-27 07:32:00.500-07:00",
        "1979-05-27T00:32:00",
        "1979-05-27",
        "07:32:00",
    ] {
        reads(Toml, &[(&format!("a = {date} # at dawn\n"), json!({"a": date}))]);
    }
}

#[test]
fn toml_errors() {
    refuses(
        Toml,
        &[
            ("a = 1\na = 2\n", "the key `a` is given twice", "a", true),
            ("[a]\nb = 1\n[a]\n", "the key `a` is given twice", "a", true),
            ("[a]\nb = 1\n[a.b]\n", "the key `b` is given twice", "b", true),
            ("a = {b = 1, b = 2}", "the key `b` is given twice", "b", true),
            ("a.b = 1\n[a]\n", "the key `a` is given twice", "a", true),
            ("a = [1]\n[[a]]\n", "the key `a` is given twice", "a", true),
            ("a = 1\na.b = 2\n", "has a value already", "a", true),
            ("a = {}\n[a.b]\n", "has a value already", "a", true),
            ("a = inf", "infinity", "inf", true),
            ("a = [1, -nan]", "infinity", "-nan", true),
            ("a = 1e999\n", "beyond what 64 bits", "1e999", true),
            ("a = 9223372036854775808\n", "beyond what 64 bits", "9223372036854775808", true),
            // A half-written `9223372036854775808.0`.
            ("a = 9223372036854775808", "beyond what 64 bits", "9223372036854775808", false),
            ("a = 0xffffffffffffffff\n", "beyond what 64 bits", "0xffffffffffffffff", true),
            ("a = 017", "leading zero", "0", false),
            ("a = yes", "needs quotes", "yes", false),
            ("a = 1979-13-01", "invalid date", "1979-13-01", false),
            ("a = \"x", "invalid basic string", "", false),
            ("a = \"x\nb = 1", "invalid basic string", "", false),
            ("a = '''x", "invalid multi-line literal string", "", false),
            ("a = [1,", "unclosed array", "", false),
            ("a = {b = 1", "unclosed inline table", "", false),
            ("[a", "unclosed table", "", false),
            ("a", "key with no value", "", false),
            ("a =", "expected a value", "", false),
            ("= 1", "keys cannot be empty", "", false),
        ],
    );
}

#[test]
fn toml_places() {
    let text = "'é' = 1\n[a.b]\nc.d = [ 'x', {e = 2} ] # end\n[[l]]\nk = 1\n[[l]]\nt = 2020-01-01\n";
    let expected = [
        "/a# = a",
        "/a/b# = b",
        "/a/b/c# = c",
        "/a/b/c/d# = d",
        "/a/b/c/d/0 = 'x'",
        "/a/b/c/d/1/e# = e",
        "/a/b/c/d/1/e = 2",
        "/a/b/c/d/1 = {e = 2}",
        "/a/b/c/d = [ 'x', {e = 2} ]",
        "/a/b/c = c",
        "/a/b = [a.b]",
        "/a = a",
        "/l# = l",
        "/l/0/k# = k",
        "/l/0/k = 1",
        "/l/0 = [[l]]",
        "/l/1/t# = t",
        "/l/1/t = 2020-01-01",
        "/l/1 = [[l]]",
        "/l = [[l]]",
        "/é# = 'é'",
        "/é = 1",
        &format!(" = {text}"),
    ];
    assert_eq!(places(text, &node(Toml, text)), expected);
}

// YAML.

#[track_caller]
fn yaml_word(word: &str, expected: &Value) {
    assert_eq!(&value(Yaml, &format!("a: {word}\n"))["a"], expected, "{word}");
    assert_eq!(&value(Yaml, &format!("a: {word} # comment\n"))["a"], expected, "{word}");
    assert_eq!(&value(Yaml, &format!("a: [{word}, {word}]\n"))["a"][0], expected, "{word}");
}

#[test]
fn yaml_words_mean_what_the_core_schema_says() {
    for word in ["~", "null", "Null", "NULL", "!!null ''", "!!null ~"] {
        yaml_word(word, &Value::Null);
    }
    for word in ["true", "True", "TRUE", "!!bool true", "!!bool 'true'"] {
        yaml_word(word, &true.into());
    }
    for word in ["false", "False", "FALSE", "!!bool false"] {
        yaml_word(word, &false.into());
    }
    for (word, expected) in [
        ("0", json!(0)),
        ("12", json!(12)),
        ("+12", json!(12)),
        ("-12", json!(-12)),
        ("0x1F", json!(31)),
        ("0o17", json!(15)),
        ("1.5", json!(1.5)),
        (".5", json!(0.5)),
        ("5.", json!(5.0)),
        ("-1.5e-3", json!(-1.5e-3)),
        ("1E+3", json!(1000.0)),
        ("18446744073709551615", json!(u64::MAX)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("18446744073709551616", json!(18_446_744_073_709_551_616.0)),
        ("!!int 1", json!(1)),
        ("!!int '1'", json!(1)),
        ("!!float 1", json!(1)),
        ("!!seq [1]", json!([1])),
        ("!!map {a: 1}", json!({"a": 1})),
    ] {
        yaml_word(word, &expected);
    }
}

#[test]
fn yaml_words_that_other_yamls_take_for_more_are_text() {
    const WORDS: &str = "yes Yes no NO on off y n nULL tRUE none 017 -017 +08 00 08.5 1_000 0b11 0x 0o8 -0x1F 12:30 \
         12:30:45 1e e3 . + -. 1.2.3 1e5. inf nan infinity +.nan 2001-01-01 a#b b:c = <<";
    for word in WORDS.split_whitespace().chain(["a b"]) {
        yaml_word(word, &word.into());
    }
    for word in ["'017'", "\"017\"", "! 017", "!!str 017", "!<tag:yaml.org,2002:str> 017"] {
        yaml_word(word, &"017".into());
    }
}

#[test]
fn yaml_styles() {
    reads(
        Yaml,
        &[
            (
                "a: 1\nb:\n  c: [x, {y: z}]\n  d:\n  - 1\n  -\n  - 2\n",
                json!({"a": 1, "b": {"c": ["x", {"y": "z"}], "d": [1, null, 2]}}),
            ),
            ("a: |\n  x\n   y\n\n  z\n\nb: >-\n  x\n  y\n", json!({"a": "x\n y\n\nz\n", "b": "x y"})),
            ("a: |+\n  x\n\nb: |2-\n   x\n", json!({"a": "x\n\n", "b": " x"})),
            ("a: 'it''s'\nb: \"\\x41\\u00e9\\n\\ud83d\\ude00\"\n", json!({"a": "it's", "b": "Aé\n😀"})),
            ("a: x\n  y\n\n  z\n", json!({"a": "x y\nz"})),
            ("? a\n: 1\n? b\n", json!({"a": 1, "b": null})),
            ("{a: 1, \"b\":2, c, }", json!({"a": 1, "b": 2, "c": null})),
            ("a: [b: 1, c]", json!({"a": [{"b": 1}, "c"]})),
            ("%YAML 1.1\n---\na: yes\n...\n", json!({"a": "yes"})),
            ("a: 1\r\nb:\r\n- c\r\n", json!({"a": 1, "b": ["c"]})),
            ("a: b:c\nd: #e\nf: g#h\n", json!({"a": "b:c", "d": null, "f": "g#h"})),
        ],
    );
}

#[test]
fn yaml_keys_are_text() {
    reads(
        Yaml,
        &[
            (
                "1: a\n1.50: b\ntrue: c\nno: d\n0x10: e\n'~': f\n",
                json!({"1": "a", "1.50": "b", "true": "c", "no": "d", "0x10": "e", "~": "f"}),
            ),
            ("&k a: 1\nb: {*k : 2}\n", json!({"a": 1, "b": {"a": 2}})),
        ],
    );
    let message = "a key is text, a number, true or false, not null, a table or a list";
    refuses(
        Yaml,
        &[
            ("~: 1\n", message, "~", false),
            ("a: {null: 1}\n", message, "null", false),
            (": 1\n", message, "", false),
            ("? [a]\n: 1\n", message, "[", false),
            ("{a: 1}: 1\n", message, "{", false),
            ("&l a: &m [1]\n*m : 2\n", message, "*m", false),
        ],
    );
}

#[test]
fn yaml_errors() {
    refuses(
        Yaml,
        &[
            ("a: 1\na: 2\n", "the key `a` is given twice", "a", true),
            ("a: {b: 1, 'b': 2}\n", "the key `b` is given twice", "'b'", true),
            ("1: a\n'1': b\n", "the key `1` is given twice", "'1'", true),
            ("&k a: 1\n*k : 2\n", "the key `a` is given twice", "*k", true),
            // A half-written `a:b: 2`.
            ("a: 1\na:", "the key `a` is given twice", "a", false),
            ("a: .inf\n", "infinity", ".inf", true),
            ("a: [-.Inf, 1]\n", "infinity", "-.Inf", true),
            ("a: .nan # comment", "infinity", ".nan", true),
            // A half-written `.information`.
            ("a: .inf", "infinity", ".inf", false),
            ("a: 1e999\n", "beyond what 64 bits", "1e999", true),
            ("a: 0xfffffffffffffffff\n", "beyond what 64 bits", "0xfffffffffffffffff", true),
            ("a: 1\n---\nb: 2\n", "a second one starts here", "---", true),
            ("--- {a: 1}\n--- {b: 2}\n", "a second one starts here", "---", true),
            ("a: !secret x\n", "no tags but those of plain YAML", "!secret", true),
            ("a: !!binary aGk=\n", "no tags but those of plain YAML", "!!binary", true),
            ("a: !secret {b: 1}\n", "no tags but those of plain YAML", "!secret", true),
            ("a: !!seq {b: 1}\n", "not of the type that its tag names", "!!seq", false),
            ("a: !!map x\n", "not of the type that its tag names", "!!map", false),
            ("a: !!int 1.5\n", "not of the type that its tag names", "1.5", false),
            ("a: !!int 017\n", "not of the type that its tag names", "017", false),
            ("a: !!bool yes\n", "not of the type that its tag names", "yes", false),
            ("a: *nothing\n", "no anchor before it", "*", false),
            ("a: &a [*a]\n", "stands within what it means", "*a", true),
            ("a: &a {b: {c: *a}}\n", "stands within what it means", "*a", true),
            ("a: b: c\n", "unexpected colon", ":", false),
            ("a: 1\n b: 2\n", "unexpected colon", ":", false),
            ("a:\n\tb: 1\n", "a tab cannot indent", "b", false),
            ("a: @b\n", "needs quotes", "@", false),
            ("a: `b`\n", "needs quotes", "`", false),
            ("a: 'b\n", "never closed", "'", false),
            ("a: \"b", "never closed", "\"", false),
            ("a: [1, 2", "never closed", "[", false),
            ("a: {b: 1", "never closed", "{", false),
            ("a: [1}", "mismatched bracket", "[", false),
            ("a: 'b' c\n", "invalid trailing content", "c", false),
            ("a: 1\nb\n", "expected a colon after the key", "b", false),
            ("a: \"\\ud800\"\n", "surrogate", "\"", false),
            ("a: \"\\q\"\n", "unknown escape", "\"", false),
        ],
    );
}

#[test]
fn yaml_merge_keys_fill_in_what_a_table_lacks() {
    reads(
        Yaml,
        &[
            (
                "a: &a {x: 1, y: 2}\nb:\n  y: 3\n  <<: *a\n",
                json!({"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}),
            ),
            (
                "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc:\n  <<: [*a, *b]\n",
                json!({"a": {"x": 1}, "b": {"x": 2, "y": 2}, "c": {"x": 1, "y": 2}}),
            ),
            ("<<: {x: 1}\n", json!({"x": 1})),
            (
                "a: &a {<<: {x: 1, y: 1}, y: 2}\nb: {<<: *a}\n",
                json!({"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 2}}),
            ),
            ("'<<': 1\n", json!({"<<": 1})),
        ],
    );
    refuses(
        Yaml,
        &[
            ("<<: 1\n", "`<<` merges tables", "<<", false),
            ("<<: [{a: 1}, 2]\n", "`<<` merges tables", "<<", false),
            ("<<: {a: 1}\n<<: {b: 1}\n", "the key `<<` is given twice", "<<", true),
        ],
    );
}

#[test]
fn yaml_places() {
    let text = "é: 1 # one\nb:\n  c: [x, {y: 'z'}]\n  d: |\n    te\n    xt\n\n  e: \nl:\n- 1\n-  - 2\nm: &m\n  n: 3\no: *m\n";
    let expected = [
        "/b# = b",
        "/b/c# = c",
        "/b/c/0 = x",
        "/b/c/1/y# = y",
        "/b/c/1/y = 'z'",
        "/b/c/1 = {y: 'z'}",
        "/b/c = [x, {y: 'z'}]",
        "/b/d# = d",
        "/b/d = te\n    xt",
        "/b/e# = e",
        "/b/e = ",
        "/b = c: [x, {y: 'z'}]\n  d: |\n    te\n    xt\n\n  e",
        "/l# = l",
        "/l/0 = 1",
        "/l/1/0 = 2",
        "/l/1 = - 2",
        "/l = - 1\n-  - 2",
        "/m# = m",
        "/m/n# = n",
        "/m/n = 3",
        "/m = n: 3",
        "/o# = o",
        // An alias stands where it is written, what is in it where that was.
        "/o/n# = n",
        "/o/n = 3",
        "/o = *m",
        "/é# = é",
        "/é = 1",
        &format!(" = {}", text.trim_end()),
    ];
    assert_eq!(places(text, &node(Yaml, text)), expected);
}

#[test]
fn alias_bombs_stop_soon() {
    let mut laughs = "a: &a [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n".to_owned();
    for (last, next) in ('a'..='y').zip('b'..='z') {
        writeln!(laughs, "{next}: &{next} [{}]", vec![format!("*{last}"); 9].join(",")).unwrap();
    }
    let mut empty = "a0: &a0 {}\n".to_owned();
    let mut merges = "a0: &a0 {k: {}}\n".to_owned();
    for level in 1..100 {
        let last = level - 1;
        writeln!(empty, "a{level}: &a{level} [*a{last}, *a{last}]").unwrap();
        writeln!(merges, "a{level}: &a{level} {{k{level}: *a{last}, <<: [*a{last}, *a{last}]}}").unwrap();
    }
    let large = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(25_000));
    let keys = format!("a: &a {{{}: 1}}\nb: [{}]\n", "x".repeat(1_000), "*a, ".repeat(25_000));
    let many = format!("a: &a x\nb: [{}]\n", "*a, ".repeat(100_000));
    for text in [laughs, empty, merges, large, keys, many] {
        let error = stops_soon(Yaml, &text);
        assert!(error.definitive && error.message.contains("the aliases up to this one"), "{error:?}");
        assert!(text[error.span].starts_with('*'));
    }
}

#[test]
fn ordinary_use_of_aliases_is_within_the_budget() {
    let defaults: String = (0..100).map(|i| format!("  key{i}: a value of some length\n")).collect();
    let services: String = (0..100).map(|i| format!("service{i}:\n  <<: *defaults\n  own: {i}\n")).collect();
    let value = value(Yaml, &format!("defaults: &defaults\n{defaults}{services}"));
    assert_eq!(value["service99"]["key99"], "a value of some length");
}

/// What is wrong is told without the value: it may be a secret.
#[test]
fn no_error_quotes_a_value() {
    let texts = [
        (
            Toml,
            "password = \"s3cr3t\"\nother = 's3cr3t'\nlist = [\"s3cr3t\", 1]\n[t]\nx = \"\"\"\ns3cr3t\"\"\"\n",
        ),
        (
            Yaml,
            "password: s3cr3t\nother: \"s3cr3t\"\nlist: [s3cr3t, 's3cr3t']\ntext: |\n  s3cr3t\nmap:\n  - x: s3cr3t\n",
        ),
        (Json, "{\"password\": \"s3cr3t\", \"list\": [\"s3cr3t\", 1, true]}"),
        (Jsonc, "{\"password\": \"s3cr3t\", /* s3cr3t */ \"list\": [\"s3cr3t\", 1, true]}"),
    ];
    for (format, text) in texts {
        for at in 0..text.len() {
            let inserted =
                ["\"", "'", "{", "[", "]", ":", "=", "\\", "\n", "\t", "#", "*", "&", "!", "%", "\u{1}", "é"];
            let inserted = inserted.map(|more| format!("{}{more}{}", &text[..at], &text[at..]));
            let without = format!("{}{}", &text[..at], &text[at + 1..]);
            for broken in inserted.into_iter().chain([without, text[..at].to_owned()]) {
                let Err(fault) = parse(format, &broken, 0) else { continue };
                assert!(!fault.message.contains("3cr3"), "{format:?} {broken:?}: {}", fault.message);
            }
        }
    }
}
