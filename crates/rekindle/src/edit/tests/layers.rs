//! Which file an edit goes to.

use serde_json::{Value, json};

use super::*;

const BASE: Written<'_> = ("app.toml", "a = 1\n\n[s]\nx = 1\ny = 1\n");
const LOCAL: Written<'_> = ("app.local.json", r#"{"s": {"y": 2}, "b": 1}"#);

fn both(patch: &Patch) -> [String; 2] {
    patched(&[BASE, LOCAL], patch).unwrap().try_into().unwrap()
}

#[test]
fn a_value_changes_where_it_is_set_and_a_new_one_joins_its_table() {
    let (base, local) = (BASE.1, LOCAL.1);
    let cases = [
        (json!({"a": 2}), base.replace("a = 1", "a = 2"), local.into()),
        (json!({"s": {"x": 2}}), base.replace("x = 1", "x = 2"), local.into()),
        (json!({"s": {"y": 3}}), base.into(), local.replace("\"y\": 2", "\"y\": 3")),
        (json!({"s": {"z": 3}}), base.into(), local.replace("\"y\": 2", "\"y\": 2, \"z\": 3")),
        (json!({"c": 3}), base.replace("a = 1", "a = 1\nc = 3"), local.into()),
        (json!({"s": {"y": null}}), base.replace("y = 1\n", ""), local.replace("\"y\": 2", "")),
        (json!({"s": 5}), base.into(), local.replace("{\"y\": 2}", "5")),
        (json!({}), base.into(), local.into()),
    ];
    for (patch, new_base, new_local) in cases {
        assert_eq!(both(&Patch::merge(patch.clone())), [new_base, new_local], "{patch}");
    }
}

#[test]
fn what_a_replaced_value_hid_does_not_come_back() {
    let files = [("app.toml", "[s]\nx = 1\ny = 1\n"), ("app.local.json", r#"{"s": 5}"#)];
    let made = patched(&files, &Patch::set("/s", json!({"y": 2, "z": 3}))).unwrap();
    assert_eq!(made, ["[s]\ny = 1\n", r#"{"s": {"y": 2, "z": 3}}"#]);
}

#[test]
fn a_list_belongs_to_the_strongest_that_sets_it() {
    let files = [("app.json", r#"{"l": [1, 2, 3]}"#), ("app.local.json", r#"{"l": [4, 5]}"#)];
    let made = patched(&files, &Patch::set("/l/1", 6)).unwrap();
    assert_eq!(made, [r#"{"l": [1, 2, 3]}"#, r#"{"l": [4, 6]}"#]);
}

#[test]
fn what_is_stronger_than_files_is_named() {
    let stronger =
        |pointer: &str| (pointer == "/s/y").then(|| "the environment variable APP__S__Y".to_owned());
    for patch in [Patch::set("/s/y", 3), Patch::remove("/s/y"), Patch::set("/s", 3), Patch::remove("/s")] {
        let error = patched_below(&[BASE, LOCAL], &stronger, &patch).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(
            error.to_string(),
            "`/s/y` is set by the environment variable APP__S__Y, which is stronger than any file (change it there)"
        );
        assert_eq!(error.pointer(), Some("/s/y"));
    }
    assert!(patched_below(&[BASE, LOCAL], &stronger, &Patch::set("/s/x", 3)).is_ok());
}

/// Values that no file sets: the defaults of a program.
fn with_defaults(defaults: &Value, patch: &Patch) -> Result<Vec<(usize, String)>> {
    let node = tree("app.toml", "a = 1\n");
    let layers =
        [FileLayer { path: Path::new("app.toml"), format: Format::Toml, text: "a = 1\n", node: &node }];
    rewrite(defaults, &layers, &|_| None, patch)
}

#[test]
fn a_default_can_be_set_but_not_removed() {
    let defaults = json!({"a": 1, "d": {"e": 1}, "l": [1, 2]});
    let made = with_defaults(&defaults, &Patch::set("/d/e", 2)).unwrap();
    assert_eq!(made, [(0, "a = 1\n\n[d]\ne = 2\n".to_owned())]);
    let made = with_defaults(&defaults, &Patch::set("/l/0", 2)).unwrap();
    assert_eq!(made, [(0, "a = 1\nl = [2, 2]\n".to_owned())]);
    let error = with_defaults(&defaults, &Patch::remove("/d/e")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`/d/e` is set in no file, so that no file can be without it (it is one of the program's defaults: set it to another value)"
    );
}

#[test]
fn without_a_file_there_is_nothing_to_change() {
    let error = rewrite(&json!({"a": 1}), &[], &|_| None, &Patch::set("/a", 2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_large_file_is_edited_in_one_go() {
    let mut text = String::new();
    for at in 0..20_000 {
        text.push_str(&format!("[table_{at}]\nkey = \"some text\" # {at}\nother = {at}\n\n"));
    }
    let patch =
        Patch::merge(json!({"table_7": {"key": "new"}, "table_19999": {"more": 1}, "table_10000": null}));
    let made = one("app.toml", &text, &patch).unwrap();
    let expected = text
        .replacen("[table_7]\nkey = \"some text\"", "[table_7]\nkey = \"new\"", 1)
        .replace("[table_10000]\nkey = \"some text\" # 10000\nother = 10000\n\n", "")
        .replace("other = 19999\n", "other = 19999\nmore = 1\n");
    assert!(made == expected);
}
