//! The examples of RFC 7396 and RFC 6902, and what becomes of a patch that does not fit.

use serde_json::{Value, json};

use super::*;

/// RFC 7396, appendix A, those whose results are tables.
#[test]
fn the_test_cases_of_rfc_7396() {
    let cases = [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b"}), json!({"a": null}), json!({})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
        (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
        (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
        (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
    ];
    for (before, patch, after) in cases {
        assert_eq!(Patch::merge(patch.clone()).apply(&before).unwrap(), after, "{before} + {patch}");
    }
    for patch in [json!(["c"]), json!(null), json!("bar")] {
        assert_eq!(Patch::merge(patch).apply(&json!({"a": 1})).unwrap_err().kind(), ErrorKind::Check);
    }
}

/// RFC 6902, appendix A.
#[test]
fn the_examples_of_rfc_6902() {
    let cases = [
        (
            json!({"foo": "bar"}),
            json!([{"op": "add", "path": "/baz", "value": "qux"}]),
            json!({"baz": "qux", "foo": "bar"}),
        ),
        (
            json!({"foo": ["bar", "baz"]}),
            json!([{"op": "add", "path": "/foo/1", "value": "qux"}]),
            json!({"foo": ["bar", "qux", "baz"]}),
        ),
        (
            json!({"baz": "qux", "foo": "bar"}),
            json!([{"op": "remove", "path": "/baz"}]),
            json!({"foo": "bar"}),
        ),
        (
            json!({"foo": ["bar", "qux", "baz"]}),
            json!([{"op": "remove", "path": "/foo/1"}]),
            json!({"foo": ["bar", "baz"]}),
        ),
        (
            json!({"baz": "qux", "foo": "bar"}),
            json!([{"op": "replace", "path": "/baz", "value": "boo"}]),
            json!({"baz": "boo", "foo": "bar"}),
        ),
        (
            json!({"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}}),
            json!([{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}]),
            json!({"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}),
        ),
        (
            json!({"foo": ["all", "grass", "cows", "eat"]}),
            json!([{"op": "move", "from": "/foo/1", "path": "/foo/3"}]),
            json!({"foo": ["all", "cows", "eat", "grass"]}),
        ),
        (
            json!({"baz": "qux", "foo": ["a", 2, "c"]}),
            json!([{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}]),
            json!({"baz": "qux", "foo": ["a", 2, "c"]}),
        ),
        (
            json!({"foo": "bar"}),
            json!([{"op": "add", "path": "/child", "value": {"grandchild": {}}}]),
            json!({"foo": "bar", "child": {"grandchild": {}}}),
        ),
        (
            json!({"foo": "bar"}),
            json!([{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}]),
            json!({"foo": "bar", "baz": "qux"}),
        ),
        (
            json!({"/": 9, "~1": 10}),
            json!([{"op": "test", "path": "/~01", "value": 10}]),
            json!({"/": 9, "~1": 10}),
        ),
        (
            json!({"foo": ["bar"]}),
            json!([{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}]),
            json!({"foo": ["bar", ["abc", "def"]]}),
        ),
    ];
    for (before, patch, after) in cases {
        assert_eq!(Patch::json(patch.clone()).unwrap().apply(&before).unwrap(), after, "{before} + {patch}");
    }
}

fn refusal(patch: Value) -> (ErrorKind, String, Option<String>) {
    let error =
        Patch::json(patch).and_then(|patch| patch.apply(&json!({"foo": "bar", "l": [1]}))).unwrap_err();
    (error.kind(), error.message().to_owned(), error.pointer().map(str::to_owned))
}

#[test]
fn an_operation_that_does_not_fit_is_named_with_its_pointer() {
    let test = json!({"op": "test", "path": "/foo", "value": "bar"});
    let cases = [
        (
            json!({"op": "test", "path": "/foo", "value": "secret"}),
            "/foo",
            "the value at `/foo` is not what was tested for",
        ),
        (
            json!({"op": "add", "path": "/baz/bat", "value": "qux"}),
            "/baz/bat",
            "there is nothing to change at `/baz/bat`",
        ),
        (json!({"op": "remove", "path": "/none"}), "/none", "there is nothing to change at `/none`"),
        (
            json!({"op": "replace", "path": "/l/1", "value": 1}),
            "/l/1",
            "there is nothing to change at `/l/1`",
        ),
        (json!({"op": "copy", "from": "/none", "path": "/x"}), "/none", "there is no value at `/none`"),
        (
            json!({"op": "move", "from": "/l", "path": "/l/0"}),
            "/l/0",
            "`/l` cannot move into itself, to `/l/0`",
        ),
    ];
    for (operation, pointer, message) in cases {
        let expected =
            (ErrorKind::Conflict, format!("operation 2 of the patch: {message}"), Some(pointer.to_owned()));
        assert_eq!(refusal(json!([test, operation])), expected);
    }
    assert_eq!(refusal(json!([{"op": "grow", "path": ""}])).0, ErrorKind::Check);
    assert_eq!(refusal(json!([{"op": "replace", "path": "", "value": 1}])).0, ErrorKind::Check);
}

#[test]
fn a_pointer_is_set_and_removed() {
    let value = json!({"a": {"b": 1}, "l": [1, 2]});
    let apply = |patch: Patch| patch.apply(&value);
    assert_eq!(apply(Patch::set("/a/c/d", 2)).unwrap(), json!({"a": {"b": 1, "c": {"d": 2}}, "l": [1, 2]}));
    assert_eq!(apply(Patch::remove("/l/0")).unwrap(), json!({"a": {"b": 1}, "l": [2]}));
    for (patch, message) in [
        (Patch::set("a", 1), "`a` is no JSON pointer"),
        (Patch::remove("/x"), "there is no value at `/x`"),
        (Patch::remove(""), "there is no value at ``"),
        (
            Patch::set("/a/b/c", 1),
            "nothing can be set at `/a/b/c`: something on the way is neither a table nor a list with such an item",
        ),
    ] {
        assert_eq!(apply(patch).unwrap_err().message(), message);
    }
}

#[test]
fn debug_shows_no_value() {
    let patches = [
        Patch::set("/p", "hunter2"),
        Patch::remove("/p"),
        Patch::merge(json!({"p": "hunter2"})),
        Patch::json(json!([{"op": "add", "path": "/p", "value": "hunter2"}])).unwrap(),
    ];
    let shown = patches.map(|patch| format!("{patch:?}"));
    assert_eq!(
        shown,
        ["Patch::set(\"/p\", ..)", "Patch::remove(\"/p\")", "Patch::merge(..)", "Patch::json [\"/p\"]"]
    );
}
