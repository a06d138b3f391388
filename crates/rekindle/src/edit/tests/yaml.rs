//! Before, patch, after: YAML.

use serde_json::{Value, json};

use super::*;

fn table(cases: &[(&str, Value, &str)]) {
    for (before, patch, after) in cases {
        check("app.yaml", before, patch, after);
    }
}

#[test]
fn a_value_is_replaced_and_everything_around_it_stays() {
    table(&[
        ("a: 1 # one\n# end\n", json!({"a": 2}), "a: 2 # one\n# end\n"),
        ("a: 1", json!({"a": "text"}), "a: text"),
        (
            "s:\n    host: 'h'   # h\n    port: 0x50\n",
            json!({"s": {"host": "it", "port": 81}}),
            "s:\n    host: 'it'   # h\n    port: 81\n",
        ),
        ("a: 'x'\n", json!({"a": "it's"}), "a: \"it's\"\n"),
        ("a: x\n", json!({"a": "no"}), "a: \"no\"\n"),
        ("a: x\n", json!({"a": "12:30"}), "a: \"12:30\"\n"),
        ("a: x\n", json!({"a": "a: b #c\n\u{85}"}), "a: \"a: b #c\\n\\u0085\"\n"),
        ("l:\n  - 1 # one\n  - 2 # two\n", json!({"l": [1, 3]}), "l:\n  - 1 # one\n  - 3 # two\n"),
        (
            "l:\n  - 1 # one\n  - 2 # two\n  # end\n",
            json!({"l": [1, 2, "x"]}),
            "l:\n  - 1 # one\n  - 2 # two\n  - x\n  # end\n",
        ),
        (
            "l:\n  - 1 # one\n  - 2 # two\n  - 3 # three\n",
            json!({"l": [1, 3]}),
            "l:\n  - 1 # one\n  - 3 # three\n",
        ),
        ("l: [1, 2] # l\n", json!({"l": [2]}), "l: [2] # l\n"),
        ("l: [1, x]\n", json!({"l": [1, "y"]}), "l: [1, \"y\"]\n"),
        ("t: |\n  many\n  lines\nb: 1\n", json!({"t": "one\n"}), "t: \"one\\n\"\nb: 1\n"),
        ("a:\nb: 1 # b\n", json!({"a": 5}), "a: 5\nb: 1 # b\n"),
        ("a: 1 # a\n", json!({"a": {"b": [1]}}), "a: {\"b\": [1]} # a\n"),
        (
            "l:\n- 1\n- 2\nb: 1 # b\n",
            json!({"l": [1, 2, {"x": 1, "z": 2}]}),
            "l:\n- 1\n- 2\n- x: 1\n  z: 2\nb: 1 # b\n",
        ),
        ("\u{feff}a: 1\r\nb: 2\r\n", json!({"a": 3, "c": 4}), "\u{feff}a: 3\r\nb: 2\r\nc: 4\r\n"),
    ]);
}

#[test]
fn a_new_key_goes_to_the_end_of_its_table() {
    table(&[
        ("a: 1 # one\n", json!({"b": 2}), "a: 1 # one\nb: 2\n"),
        ("a: 1", json!({"b": 2}), "a: 1\nb: 2\n"),
        (
            "s:\n    x: 1 # x\nt: 2\n",
            json!({"s": {"w": {"z": [1, "a"]}}}),
            "s:\n    x: 1 # x\n    w:\n      z:\n        - 1\n        - a\nt: 2\n",
        ),
        ("s: {x: 1} # s\n", json!({"s": {"y": "z"}}), "s: {x: 1, \"y\": \"z\"} # s\n"),
        ("s: {} # s\n", json!({"s": {"y": 1}}), "s: {\"y\": 1} # s\n"),
        ("l:\n  - x: 1 # x\n", json!({"l": [{"x": 1, "w": 2}]}), "l:\n  - x: 1 # x\n    w: 2\n"),
    ]);
}

#[test]
fn a_removed_key_takes_its_line_and_no_other() {
    table(&[
        ("# a\na: 1 # one\n# b\nb: 2\n", json!({"a": null}), "# a\n# b\nb: 2\n"),
        ("s:\n  x:\n    y: 1\n  z: 2 # z\n", json!({"s": {"x": null}}), "s:\n  z: 2 # z\n"),
        ("s:\n  x: 1\nt: 2 # t\n", json!({"s": {"x": null}}), "s:\n  {}\nt: 2 # t\n"),
        ("a: 1\n", json!({"a": null}), "{}\n"),
        ("s: {x: 1, y: 2} # s\n", json!({"s": {"x": null}}), "s: {y: 2} # s\n"),
        ("l:\n  - x: 1\n    y: 2 # y\n", json!({"l": [{"y": 2}]}), "l:\n  - y: 2 # y\n"),
    ]);
}

#[test]
fn what_cannot_be_edited_in_place_is_written_anew_if_nothing_is_lost() {
    table(&[
        ("s: 'x'\na: |+\n  x\n\n", json!({"b": {"c": "d: e"}}), "s: x\na: \"x\\n\\n\"\nb:\n  c: \"d: e\"\n"),
        ("? b\n: x: 1\n\na: 2\n", json!({"b": {"z": 2}}), "? b\n: x: 1\n  z: 2\n\na: 2\n"),
    ]);
}

#[test]
fn what_is_peculiar_to_yaml_stays() {
    table(&[
        ("%YAML 1.2\n---\na: 1 # a\n...\n", json!({"a": 2}), "%YAML 1.2\n---\na: 2 # a\n...\n"),
        ("a: &x 1\nb: *x # b\n", json!({"b": 5}), "a: &x 1\nb: 5 # b\n"),
        ("a: !!str 1 # a\n", json!({"a": "2"}), "a: !!str \"2\" # a\n"),
        (
            "b: &b {x: 1}\nc:\n  <<: *b\n  y: 2\n",
            json!({"c": {"y": 3, "z": 4}}),
            "b: &b {x: 1}\nc:\n  <<: *b\n  y: 3\n  z: 4\n",
        ),
    ]);
}

#[test]
fn what_would_lose_something_is_refused_with_its_line() {
    let refused = |text: &str, patch: Value| one("app.yaml", text, &Patch::merge(patch)).unwrap_err();
    let error = refused("a: &a\n  x: 1\nb: *a\n", json!({"b": {"x": 2}}));
    assert_eq!(error.kind(), ErrorKind::Check);
    assert_eq!(
        error.to_string(),
        "app.yaml:2:6: `/b/x` cannot be changed without writing the file anew, which would lose the anchor in line 1 (edit it by hand, here)"
    );
    let error = refused("a: 1\nl:\n  - 1 # one\n  - 2\n", json!({"l": 5}));
    assert_eq!(
        error.to_string(),
        "app.yaml:3:3: `/l` cannot be changed without writing the file anew, which would lose the comment in line 3 (edit it by hand, here)"
    );
}

#[test]
fn keys_of_every_kind_are_found_and_written() {
    let keys = json!({"a/b": 2, "~": 2, "a.b": 2, "\"": 2, "'": 2, "": 2, "é": 2, "yes": 2, "1": 2, "a: b": 2, "- x": 2});
    let made = one("app.yaml", "x: 1 # x\n", &Patch::merge(keys.clone())).unwrap();
    let made = one("app.yaml", &made, &Patch::remove("/x")).unwrap();
    assert_eq!(tree("app.yaml", &made).to_value(), keys);
}
