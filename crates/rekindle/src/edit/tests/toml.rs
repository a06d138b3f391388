//! Before, patch, after: TOML.

use serde_json::{Value, json};

use super::*;

fn table(cases: &[(&str, Value, &str)]) {
    for (before, patch, after) in cases {
        check("app.toml", before, patch, after);
    }
}

#[test]
fn a_value_is_replaced_and_everything_around_it_stays() {
    table(&[
        ("a = 1", json!({"a": 2}), "a = 2"),
        ("# top\na   =   1 # one\n\n\n  b = 2\n", json!({"a": 3}), "# top\na   =   3 # one\n\n\n  b = 2\n"),
        (
            "[s] # s\nhost = 'h'\nport = 0x50 # hex\n",
            json!({"s": {"port": 81}}),
            "[s] # s\nhost = 'h'\nport = 81 # hex\n",
        ),
        ("p = 'C:\\x'\n", json!({"p": "D:\\y"}), "p = 'D:\\y'\n"),
        ("p = 'x'\n", json!({"p": "it's"}), "p = \"it's\"\n"),
        ("p = \"x\"\n", json!({"p": "a\n\"b\"\\\u{7f}é"}), "p = \"a\\n\\\"b\\\"\\\\\\u007fé\"\n"),
        (
            "a.b.c = 1 # c\na.d = 2\nx = 3\na.e = 4\n",
            json!({"a": {"b": {"c": 5}, "e": 6}}),
            "a.b.c = 5 # c\na.d = 2\nx = 3\na.e = 6\n",
        ),
        ("p = { x = 1, y.z = 2 } # p\n", json!({"p": {"y": {"z": 3}}}), "p = { x = 1, y.z = 3 } # p\n"),
        ("l = [\n  1, # one\n  2, # two\n]\n", json!({"l": [1, 3]}), "l = [\n  1, # one\n  3, # two\n]\n"),
        ("a = 1\n", json!({"a": {"b": 1}}), "a = { b = 1 }\n"),
        ("a = 1\n", json!({"a": 1.0}), "a = 1.0\n"),
        ("a = 1\n", json!({"a": 1}), "a = 1\n"),
    ]);
}

#[test]
fn a_date_stays_a_date_while_it_is_one() {
    table(&[
        ("d = 2020-01-01 # d\n", json!({"d": "2021-02-03"}), "d = 2021-02-03 # d\n"),
        ("d = 2020-01-01T00:00:00Z\n", json!({"d": "2021-02-03 04:05:06Z"}), "d = 2021-02-03 04:05:06Z\n"),
        ("d = 2020-01-01\n", json!({"d": "soon"}), "d = \"soon\"\n"),
        ("d = '2020-01-01'\n", json!({"d": "2021-02-03"}), "d = '2021-02-03'\n"),
        ("d = [2020-01-01]\n", json!({"d": ["2021-02-03", "2021-02-04"]}), "d = [2021-02-03, 2021-02-04]\n"),
    ]);
}

#[test]
fn a_new_key_goes_to_the_end_of_its_table() {
    table(&[
        ("a = 1 # one\n\n[s]\nx = 1\n", json!({"b": 2}), "a = 1 # one\nb = 2\n\n[s]\nx = 1\n"),
        ("a = 1", json!({"b": 2}), "a = 1\nb = 2\n"),
        ("# only a comment\n", json!({"b": 2}), "# only a comment\nb = 2\n"),
        ("# file\n\n# about s\n[s]\nx = 1\n", json!({"b": 2}), "# file\n\nb = 2\n\n# about s\n[s]\nx = 1\n"),
        (
            "[s]\n  x = 1 # x\n  # below\n\n[t]\ny = 1\n",
            json!({"s": {"z": [1]}}),
            "[s]\n  x = 1 # x\n  z = [1]\n  # below\n\n[t]\ny = 1\n",
        ),
        ("[s]\n[t]\ny = 1\n", json!({"s": {"z": 1}}), "[s]\nz = 1\n[t]\ny = 1\n"),
        ("a.b = 1\nc = 2\n", json!({"a": {"d": 3}}), "a.b = 1\na.d = 3\nc = 2\n"),
        (
            "[s]\na.b = 1\nc = 2\n",
            json!({"s": {"a": {"d": {"e": 3}}}}),
            "[s]\na.b = 1\na.d = { e = 3 }\nc = 2\n",
        ),
        ("p = { x = 1 }\n", json!({"p": {"y": 2}}), "p = { x = 1, y = 2 }\n"),
        ("p = {}\n", json!({"p": {"y": {"z": 2}}}), "p = { y = { z = 2 } }\n"),
        ("p = { x.y = 1 }\n", json!({"p": {"x": {"z": 2}}}), "p = { x.y = 1, x.z = 2 }\n"),
        ("# about b\n[a.b]\nx = 1\n", json!({"a": {"y": 2}}), "[a]\ny = 2\n\n# about b\n[a.b]\nx = 1\n"),
    ]);
}

#[test]
fn a_new_table_is_a_section() {
    table(&[
        ("a = 1\n", json!({"s": {"x": 1, "t": {"y": 2}}}), "a = 1\n\n[s]\nx = 1\n\n[s.t]\ny = 2\n"),
        (
            "[s]\nx = 1\n\n# about u\n[u]\n",
            json!({"s": {"t": {"y": 2}}}),
            "[s]\nx = 1\n\n[s.t]\ny = 2\n\n# about u\n[u]\n",
        ),
        ("a = 1\n", json!({"l": [{"x": 1}, {"x": 2}]}), "a = 1\n\n[[l]]\nx = 1\n\n[[l]]\nx = 2\n"),
        ("a = 1\n", json!({"s": {}}), "a = 1\n\n[s]\n"),
        (
            "[[l]]\nx = 1\n\n[[l]]\nx = 2\n",
            json!({"l": [{"x": 1, "t": {"y": 1}}, {"x": 2}]}),
            "[[l]]\nx = 1\n\n[l.t]\ny = 1\n\n[[l]]\nx = 2\n",
        ),
        (
            "[[l]]\nx = 1\n\n[[l]]\nx = 2 # two\n",
            json!({"l": [{"x": 1}, {"x": 3, "y": 4}]}),
            "[[l]]\nx = 1\n\n[[l]]\nx = 3 # two\ny = 4\n",
        ),
    ]);
}

#[test]
fn a_removed_key_takes_its_line_and_no_other() {
    table(&[
        ("# a\na = 1 # one\n# b\nb = 2\n", json!({"a": null}), "# a\n# b\nb = 2\n"),
        ("a = [\n 1,\n]\nb = 2\n", json!({"a": null}), "b = 2\n"),
        ("a = 1\n", json!({"a": null}), "# Nothing is set here.\n"),
        ("a.b = 1\na.c = 2\n", json!({"a": {"b": null}}), "a.c = 2\n"),
        ("x = 1\na.b = 1\n", json!({"a": {"b": null}}), "x = 1\n\n[a]\n"),
        ("a.b = 1\nx = 1\na.c = 2\n", json!({"a": null}), "x = 1\n"),
        ("p = { x = 1, y = 2, z = 3 }\n", json!({"p": {"x": null}}), "p = { y = 2, z = 3 }\n"),
        ("p = { x = 1, y = 2, z = 3 }\n", json!({"p": {"y": null}}), "p = { x = 1, z = 3 }\n"),
        ("p = { x = 1, y = 2, z = 3 }\n", json!({"p": {"z": null}}), "p = { x = 1, y = 2 }\n"),
        ("p = { x = 1 }\n", json!({"p": {"x": null}}), "p = {}\n"),
        ("p = { x.y = 1, z = 2 }\n", json!({"p": {"x": {"y": null}}}), "p = { x = {}, z = 2 }\n"),
        (
            "a = 1\n\n# s\n[s]\nx = 1 # x\n\n# t\n[t]\ny = 1\n",
            json!({"s": null}),
            "a = 1\n\n# s\n\n# t\n[t]\ny = 1\n",
        ),
        ("a = 1\n\n[s]\nx = 1\n\n[t]\ny = 1\n", json!({"s": null}), "a = 1\n\n[t]\ny = 1\n"),
        ("a = 1\n\n[s]\nx = 1\n\n[t]\ny = 1\n", json!({"t": null}), "a = 1\n\n[s]\nx = 1\n"),
        ("a = 1\n\n[s.t]\nx = 1\n", json!({"s": {"t": null}}), "a = 1\n\n[s]\n"),
        ("[s]\nx = 1\n[s.t]\ny = 1\n[u]\n[s.v]\nz = 1\n", json!({"s": null}), "[u]\n"),
        ("[[l]]\nx = 1\n\n[[l]]\nx = 2\n\n[m]\n", json!({"l": null}), "[m]\n"),
    ]);
}

#[test]
fn a_list_changes_item_by_item() {
    table(&[
        (
            "l = [\n  1, # one\n  2, # two\n]\n",
            json!({"l": [1, 2, 3]}),
            "l = [\n  1, # one\n  2, # two\n  3,\n]\n",
        ),
        ("l = [1, 2, 3] # l\n", json!({"l": [1, 3]}), "l = [1, 3] # l\n"),
        ("l = [1] # l\n", json!({"l": ["a", {"b": 1}]}), "l = [\"a\", { b = 1 }] # l\n"),
        (
            "# one\n[[l]]\nx = 1 # x\n\n# end\n",
            json!({"l": [{"x": 1}, {"x": 2}]}),
            "# one\n[[l]]\nx = 1 # x\n\n[[l]]\nx = 2\n\n# end\n",
        ),
        (
            "# one\n[[l]]\nx = 1\n\n# two\n[[l]]\nx = 2\n\n# three\n[[l]]\nx = 3 # 3\n",
            json!({"l": [{"x": 1}, {"x": 3}]}),
            "# one\n[[l]]\nx = 1\n\n# two\n\n# three\n[[l]]\nx = 3 # 3\n",
        ),
        (
            "[[l]]\nx = 1\n\n[l.t]\ny = 1\n\n[m]\n",
            json!({"l": [{"x": 1, "t": {"y": 1}}, {}]}),
            "[[l]]\nx = 1\n\n[l.t]\ny = 1\n\n[[l]]\n\n[m]\n",
        ),
        ("[[l]]\nx = 1\n", json!({"l": [{"x": 1}, 2]}), "l = [{ x = 1 }, 2]\n"),
    ]);
}

#[test]
fn line_breaks_and_the_byte_order_mark_stay() {
    table(&[
        (
            "\u{feff}a = 1\r\n\r\n[s]\r\nx = 1 # x\r\n",
            json!({"a": 2, "b": 3, "s": {"y": 1}, "t": {"z": 1}}),
            "\u{feff}a = 2\r\nb = 3\r\n\r\n[s]\r\nx = 1 # x\r\ny = 1\r\n\r\n[t]\r\nz = 1\r\n",
        ),
        ("a = 1\r\nb = 2\r\n", json!({"a": null}), "b = 2\r\n"),
    ]);
}

#[test]
fn keys_of_every_kind_are_found_and_written() {
    let keys = json!({"a/b": 2, "~": 2, "a.b": 2, "\"": 2, "'": 2, "": 2, "é": 2, " ": 2, "\n": 2});
    let mut before = String::new();
    for (at, key) in
        ["'a/b'", "\"~\"", "\"a.b\"", "'\"'", "\"'\"", "''", "\"é\"", "' '", "\"\\n\""].iter().enumerate()
    {
        before.push_str(&format!("{key} = 1 # {at}\n"));
    }
    check("app.toml", &before, &keys, &before.replace("= 1", "= 2"));
    let made = one("app.toml", "x = 1\n", &Patch::merge(keys.clone())).unwrap();
    let made = one("app.toml", &made, &Patch::remove("/x")).unwrap();
    assert_eq!(tree("app.toml", &made).to_value(), keys);
}

#[test]
fn what_toml_does_not_have_is_refused() {
    let error = one("app.toml", "a = 1\n", &Patch::set("/a", Value::Null)).unwrap_err();
    assert_eq!(error.to_string(), "app.toml: TOML has no null: remove the key instead");
    assert_eq!(error.pointer(), Some("/a"));
    let error = one("app.toml", "a = 1\n", &Patch::set("/a", json!([u64::MAX]))).unwrap_err();
    assert_eq!(error.to_string(), "app.toml: TOML's integers have 64 bits with a sign, this one is larger");
}
