//! Before, patch, after: JSON, and JSON with comments.

use serde_json::{Value, json};

use super::*;

fn table(cases: &[(&str, Value, &str)]) {
    for (before, patch, after) in cases {
        check("app.jsonc", before, patch, after);
    }
}

#[test]
fn a_value_is_replaced_and_everything_around_it_stays() {
    table(
        &[
            (r#"{"a":1}"#, json!({"a": 2}), r#"{"a":2}"#),
            ("{\n\t\"a\" :  1, // one\n}\n", json!({"a": "é\n"}), "{\n\t\"a\" :  \"é\\n\", // one\n}\n"),
            (r#"{"l": [1, /* two */ 2]}"#, json!({"l": [1, 3]}), r#"{"l": [1, /* two */ 3]}"#),
            (
                "{\n  \"a\": 1\n}",
                json!({"a": {"b": [1, {"c": null}]}}),
                "{\n  \"a\": {\"b\": [1, {\"c\": 2}]}\n}",
            ),
            (
                "{\n  \"a\": {\n    \"x\": 1\n  }\n}",
                json!({"a": [{"y": 2}]}),
                "{\n  \"a\": [\n    {\n      \"y\": 2\n    }\n  ]\n}",
            ),
        ]
        .map(|(before, patch, after)| {
            // A merge patch cannot set null.
            let patch =
                if patch.pointer("/a/b/1/c").is_some() { json!({"a": {"b": [1, {"c": 2}]}}) } else { patch };
            (before, patch, after)
        }),
    );
}

#[test]
fn a_new_member_goes_to_the_end_as_the_others_are_written() {
    table(&[
        (r#"{"a": 1}"#, json!({"b": 2}), r#"{"a": 1, "b": 2}"#),
        (r#"{"a":1,"b":2}"#, json!({"c": 3}), r#"{"a":1,"b":2,"c": 3}"#),
        (r#"{ "a": 1 }"#, json!({"b": 2}), r#"{ "a": 1, "b": 2 }"#),
        ("{}", json!({"b": {"c": 1}}), "{\n  \"b\": {\n    \"c\": 1\n  }\n}"),
        (r#"{"a": {}}"#, json!({"a": {"b": 2}}), r#"{"a": {"b": 2}}"#),
        (
            "{\n    \"a\": 1\n}\n",
            json!({"b": {"c": [1]}}),
            "{\n    \"a\": 1,\n    \"b\": {\n        \"c\": [1]\n    }\n}\n",
        ),
        (
            "{\n  \"a\": 1 // one\n  // end\n}",
            json!({"b": 2}),
            "{\n  \"a\": 1, // one\n  \"b\": 2\n  // end\n}",
        ),
        ("{\n  \"a\": 1, // one\n}", json!({"b": 2}), "{\n  \"a\": 1, // one\n  \"b\": 2,\n}"),
        ("{\n  // nothing\n}", json!({"b": 2}), "{\n  // nothing\n  \"b\": 2\n}"),
        ("{ /* nothing */ }", json!({"b": 2}), "{ /* nothing */ \"b\": 2 }"),
        (
            "{\r\n  \"a\": 1\r\n}",
            json!({"b": {"c": 1}}),
            "{\r\n  \"a\": 1,\r\n  \"b\": {\r\n    \"c\": 1\r\n  }\r\n}",
        ),
        ("\u{feff}{\"a\": 1}", json!({"b": 2}), "\u{feff}{\"a\": 1, \"b\": 2}"),
    ]);
}

#[test]
fn a_list_changes_item_by_item() {
    table(&[
        (
            "{\n  \"l\": [\n    1, // one\n    2 // two\n  ]\n}",
            json!({"l": [1, 2, {"x": 3}]}),
            "{\n  \"l\": [\n    1, // one\n    2, // two\n    {\n      \"x\": 3\n    }\n  ]\n}",
        ),
        (
            "{\n  \"l\": [\n    1, // one\n    2, // two\n    3 // three\n  ]\n}",
            json!({"l": [1, 3]}),
            "{\n  \"l\": [\n    1, // one\n    3 // three\n  ]\n}",
        ),
        (r#"{"l": [1, /* two */ 2, 3]}"#, json!({"l": [4, 5, 3, 6]}), r#"{"l": [4, /* two */ 5, 3, 6]}"#),
        (r#"{"l": [1, 2]}"#, json!({"l": []}), r#"{"l": []}"#),
    ]);
}

#[test]
fn a_removed_member_takes_its_comma_along() {
    table(&[
        (r#"{"a": 1, "b": 2, "c": 3}"#, json!({"a": null}), r#"{"b": 2, "c": 3}"#),
        (r#"{"a": 1, "b": 2, "c": 3}"#, json!({"b": null}), r#"{"a": 1, "c": 3}"#),
        (r#"{"a": 1, "b": 2, "c": 3}"#, json!({"c": null}), r#"{"a": 1, "b": 2}"#),
        (r#"{"a": 1}"#, json!({"a": null}), "{}"),
        ("{\n  \"a\": 1\n}", json!({"a": null}), "{}"),
        (
            "{\n  // a\n  \"a\": 1, // one\n  // b\n  \"b\": 2\n}",
            json!({"a": null}),
            "{\n  // a\n  // b\n  \"b\": 2\n}",
        ),
        (
            "{\n  \"a\": 1, // one\n  // b\n  \"b\": 2 // two\n}",
            json!({"b": null}),
            "{\n  \"a\": 1 // one\n  // b\n}",
        ),
        ("{\n  \"a\": 1,\n  \"b\": 2,\n}", json!({"b": null}), "{\n  \"a\": 1,\n}"),
        ("{\n  \"a\": {\n    \"x\": 1\n  },\n  \"b\": 2\n}", json!({"a": null}), "{\n  \"b\": 2\n}"),
        (r#"{"l": [{"x": 1, "y": 2}]}"#, json!({"l": [{"x": 1}]}), r#"{"l": [{"x": 1}]}"#),
    ]);
}

#[test]
fn strict_json_has_null_and_every_key() {
    let made = one("app.json", "{\"a\": 1}", &Patch::set("/a", Value::Null)).unwrap();
    assert_eq!(made, "{\"a\": null}");
    let keys = json!({"a/b": 2, "~": 2, "a.b": 2, "\"": 2, "\\": 2, "": 2, "é": 2, "\u{1}": 2, "😀": 2});
    let made = one("app.json", "{\"x\": 1}", &Patch::merge(keys.clone())).unwrap();
    let made = one("app.json", &made, &Patch::remove("/x")).unwrap();
    assert_eq!(tree("app.json", &made).to_value(), keys);
}
