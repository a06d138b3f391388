use serde_json::json;

use super::*;

fn fields(rule: Rule, pointers: &[&str]) -> Fields {
    let declared = |pointer: &&str| Declared { config: "app".into(), rule, pointer: (*pointer).into() };
    Fields::declared("app", &pointers.iter().map(declared).collect())
}

#[test]
fn what_differs_under_a_rule() {
    let cases = [
        (&["/a"][..], json!({"a": 1, "b": 1}), json!({"a": 1, "b": 2}), &[][..]),
        (&["/a"], json!({"a": 1}), json!({"a": 2}), &["/a"]),
        (&["/a"], json!({"a": 1}), json!({}), &["/a"]),
        (&["/a"], json!({}), json!({"a": 1}), &["/a"]),
        (&["/a", "/a/x"], json!({"a": {"x": 1}}), json!({"a": {"x": 2}}), &["/a"]),
        (&["/a/x"], json!({"a": {"x": 1, "y": 1}}), json!({"a": {"x": 2, "y": 2}}), &["/a/x"]),
        // The table that the field is in comes or goes, and the field with it.
        (&["/a/x"], json!({}), json!({"a": {"x": 1}}), &["/a/x"]),
        (&["/a/x"], json!({"a": {"x": 1}}), json!({}), &["/a/x"]),
        (&["/a/x"], json!({"a": {"y": 1}}), json!({}), &[]),
        // Something else stands in the table's place.
        (&["/a/x"], json!({"a": {"x": 1}}), json!({"a": 5}), &["/a"]),
        (&["/a/x"], json!({"a": 5}), json!({"a": {"x": 1}}), &["/a"]),
        (&["/a/x"], json!({"a": {"y": 1}}), json!({"a": 5}), &[]),
        (&["/a/x"], json!({"a": {"x": 1}}), json!({"a": [1]}), &["/a"]),
        // Any key: an entry comes and goes as a whole.
        (&["/*/x"], json!({"a": {"x": 1}, "b": {"x": 1}}), json!({"a": {"x": 2}, "c": {"x": 1}}), &["/a/x"]),
        (
            &["/p/*"],
            json!({"p": {"a": 1, "b": 1}}),
            json!({"p": {"b": 2, "c": 1}}),
            &["/p/a", "/p/b", "/p/c"],
        ),
        // By index, as far as both lists go.
        (&["/l/*"], json!({"l": [1, 2]}), json!({"l": [1, 3, 4]}), &["/l/1"]),
        (&["/l/*"], json!({"l": [1, 2]}), json!({"l": [2]}), &["/l/0"]),
        (&["/l/*"], json!({"l": [1, 2]}), json!({}), &[]),
        (&["/l/*/x"], json!({"l": [{"x": 1}]}), json!({"l": [{"x": 2}, {"x": 3}]}), &["/l/0/x"]),
        (&["/l/1"], json!({"l": [1, 2]}), json!({"l": [3, 4]}), &["/l/1"]),
        (&["/a~1b/~0"], json!({"a/b": {"~": 1}}), json!({"a/b": {"~": 2}}), &["/a~1b/~0"]),
    ];
    for (pointers, old, new, expected) in cases {
        let changed = fields(Rule::Restart, pointers).changed(Rule::Restart, &old, &new);
        assert_eq!(changed, expected, "{pointers:?}: {old} to {new}");
        assert!(fields(Rule::Secret, pointers).changed(Rule::Restart, &old, &new).is_empty());
    }
}

#[test]
fn a_schema_states_rules_at_any_depth() {
    let secret = json!({"x-rekindle": "secret"});
    let value = json!({"a": "s1", "b": {"c": "s2"}, "l": ["s3", {"d": "s4"}]});
    let cases = [
        (
            json!({"properties": {"a": secret}}),
            json!({"a": "***", "b": {"c": "s2"}, "l": ["s3", {"d": "s4"}]}),
        ),
        (
            json!({"properties": {"a": {"x-rekindle": ["restart", "secret"]}}, "x-other": 1}),
            json!({"a": "***", "b": {"c": "s2"}, "l": ["s3", {"d": "s4"}]}),
        ),
        (
            json!({"properties": {"a": {}}, "additionalProperties": secret}),
            json!({"a": "s1", "b": "***", "l": "***"}),
        ),
        (json!({"patternProperties": {"^b": secret}}), json!({"a": "***", "b": "***", "l": "***"})),
        (
            json!({"properties": {"l": {"items": secret}}}),
            json!({"a": "s1", "b": {"c": "s2"}, "l": ["***", "***"]}),
        ),
        (
            json!({"properties": {"l": {"prefixItems": [{}], "items": secret}}}),
            json!({"a": "s1", "b": {"c": "s2"}, "l": ["s3", "***"]}),
        ),
        (
            json!({"properties": {"l": {"items": [secret], "additionalItems": {}}}}),
            json!({"a": "s1", "b": {"c": "s2"}, "l": ["***", {"d": "s4"}]}),
        ),
        (
            json!({"$defs": {"x y": secret}, "properties": {"b": {"properties": {"c": {"$ref": "#/$defs/x%20y"}}}}}),
            json!({"a": "s1", "b": {"c": "***"}, "l": ["s3", {"d": "s4"}]}),
        ),
        (
            json!({"$defs": {"k": {"$anchor": "key", "x-rekindle": "secret"}}, "properties": {"a": {"$ref": "#key"}}}),
            json!({"a": "***", "b": {"c": "s2"}, "l": ["s3", {"d": "s4"}]}),
        ),
        (
            json!({"$id": "https://a.b/c", "definitions": {"k": secret}, "properties": {"a": {"$ref": "https://a.b/c#/definitions/k"}}}),
            json!({"a": "***", "b": {"c": "s2"}, "l": ["s3", {"d": "s4"}]}),
        ),
        (
            json!({"$id": "https://a.b/c", "$defs": {"k": {"$id": "k.json", "$defs": {"s": secret}}},
                "properties": {"a": {"$ref": "https://a.b/k.json#/$defs/s"}, "b": {"$ref": "/k.json#/$defs/s"}}}),
            json!({"a": "***", "b": "***", "l": ["s3", {"d": "s4"}]}),
        ),
        (
            json!({"anyOf": [{"properties": {"a": secret}}, {"if": {}, "then": {"properties": {"b": secret}}}]}),
            json!({"a": "***", "b": "***", "l": ["s3", {"d": "s4"}]}),
        ),
        (
            json!({"dependentSchemas": {"a": {"properties": {"b": secret}}}}),
            json!({"a": "s1", "b": "***", "l": ["s3", {"d": "s4"}]}),
        ),
        (json!({"x-rekindle": "secret"}), json!("***")),
        (json!({"$ref": "#/$defs/nothing", "$defs": {}}), value.clone()),
        (json!({"$ref": "other.json"}), value.clone()),
        (json!(true), value.clone()),
    ];
    for (schema, expected) in cases {
        let secrets = Fields::of_schema(&schema).expect("rules").secrets();
        assert_eq!(secrets.mask(&value), expected, "{schema}");
    }
}

#[test]
fn a_schema_that_refers_to_itself_holds_at_any_depth() {
    let node = json!({"properties": {"key": {"x-rekindle": "secret"}, "next": {"$ref": "#"}}, "allOf": [{"$ref": "#"}]});
    let secrets = Fields::of_schema(&node).expect("rules").secrets();
    let mut value = json!({"key": "k", "name": "n"});
    for _ in 0..100 {
        value = json!({"key": "k", "next": value});
    }
    assert!(!secrets.mask(&value).to_string().contains("\"k\""));
    assert!(secrets.is_secret("/next/next/key") && !secrets.is_secret("/next/next"));
}

#[test]
fn an_unknown_word_is_pointed_at() {
    let cases = [
        (json!({"properties": {"a": {"x-rekindle": "secrte"}}}), "/properties/a/x-rekindle"),
        (json!({"items": {"x-rekindle": ["secret", 5]}}), "/items/x-rekindle/1"),
        (json!({"x-rekindle": {"secret": true}}), "/x-rekindle"),
    ];
    for (schema, pointer) in cases {
        let unknown = Fields::of_schema(&schema).expect_err("an unknown word");
        assert_eq!(unknown.pointer, pointer);
        assert!(unknown.message.contains("is no rule for a field"), "{}", unknown.message);
    }
    // In a value that is no schema it is a key like any other.
    assert!(
        Fields::of_schema(&json!({"const": {"x-rekindle": 1}, "properties": {"x-rekindle": {}}})).is_ok()
    );
}

#[test]
fn rules_of_code_and_schema_add_up() {
    let schema = Fields::of_schema(&json!({"properties": {"a": {"x-rekindle": "secret"}}})).expect("rules");
    let both = fields(Rule::Secret, &["/b/*"]).and(&schema);
    let value = json!({"a": 1, "b": [1, 2], "c": 3});
    assert_eq!(both.secrets().mask(&value), json!({"a": "***", "b": ["***", "***"], "c": 3}));
    assert_eq!(both.and(&Fields::default()), both);
    assert_eq!(Fields::default().and(&both), both);
    assert_eq!(Fields::of_schema(&json!({"properties": {"a": {}}})).expect("rules"), Fields::default());
}

#[test]
fn a_pointer_is_secret_at_and_below() {
    let secrets = fields(Rule::Secret, &["/db/auth", "/keys/*/pem"]).secrets();
    let cases = [
        ("/db/auth", true),
        ("/db/auth/password", true),
        ("/db", false),
        ("", false),
        ("/keys/a/pem", true),
        ("/keys/0/pem/x", true),
        ("/keys/a/name", false),
    ];
    for (pointer, expected) in cases {
        assert_eq!(secrets.is_secret(pointer), expected, "{pointer}");
    }
    let pointers = ["/db/auth/a", "/db/auth/b", "/db/host", "/keys/a/pem"].map(String::from);
    assert_eq!(secrets.conceal(&pointers), ["/db/auth", "/db/host", "/keys/a/pem"]);
    assert_eq!(secrets.mask_at("/db/auth/a", &json!(1)), json!("***"));
    assert_eq!(
        secrets.mask_at("/keys", &json!({"a": {"pem": 1, "n": 2}})),
        json!({"a": {"pem": "***", "n": 2}})
    );
    let value = json!({"db": {"host": "h", "auth": {}}});
    let concerned = ["", "/db", "/db/auth", "/db/auth/x"].map(|pointer| secrets.concern(pointer, &value));
    assert_eq!(concerned, [true; 4]);
    assert!(!secrets.concern("/db/host", &value));
}

#[test]
fn a_message_is_scrubbed_of_every_form_of_a_secret() {
    let secrets = fields(Rule::Secret, &["/s", "/t"]).secrets();
    let value =
        json!({"s": ["hunter2", "hunter22", "a\"b\nsecond", 12345, "ab"], "t": {"k": "other"}, "u": "user"});
    let scrub = |message: &str| secrets.scrubber([("", &value)]).scrub(message);
    let cases = [
        ("is hunter2, hunter22 or other, user", "is ***, *** or ***, user"),
        ("is \"a\\\"b\\nsecond\"", "is \"***\""),
        ("of 12345", "of ***"),
        ("line second", "line ***"),
        ("too short to look for: ab", "too short to look for: ab"),
    ];
    for (message, expected) in cases {
        assert_eq!(scrub(message), expected);
    }
    assert_eq!(secrets.scrubber([("/t/k", &json!("elsewhere"))]).scrub("from elsewhere"), "from ***");
}

/// A text with what is masked in it as `*`.
fn shown(text: &str, names: Option<&[&str]>) -> String {
    let names = names.map(|names| names.iter().copied().collect());
    let mut shown = text.to_owned();
    for span in text::suspected(text, names.as_ref()).into_iter().rev() {
        shown.replace_range(span, "*");
    }
    shown
}

#[test]
fn of_a_broken_file_whatever_follows_the_name_of_a_secret_is_hidden() {
    let cases = [
        ("port = = 1\npassword = \"x\"\nhost = \"h\"\n", "port = = 1\npassword = *\nhost = \"h\"\n"),
        ("password \"x\"\n", "password \"*\n"),
        ("password: x\nport: [\n", "password: *\nport: [\n"),
        ("{\"password\": \"x\", \"port\": 1\n\"host\": tru}\n", "{\"password\": *\n\"host\": tru}\n"),
        ("passwords = 1\nmy_password = 2\n", "passwords = 1\nmy_password = 2\n"),
        // A table by its header, to the next one.
        ("[password]\na = 1\nb = 2\n[next]\nc = 3\n", "[password]\n*\n*\n[next]\nc = 3\n"),
        ("db.password.a = 1\nb = 2\n", "db.password*\nb = 2\n"),
        // Texts of several lines, with lines that look like entries.
        ("password = \"\"\"\nport = 1\nx\n\"\"\"\nport = 2\n", "password = *\n*\n*\n*\nport = 2\n"),
        ("password: |\n  a\n  b: c\nport: 1\n", "password: *\n  *\n  *\nport: 1\n"),
        ("password: x\nMIIEabc==\nport: 1\n", "password: *\n*\nport: 1\n"),
        // Lists and tables over several lines.
        ("password = [\n\"a\",\n\"b\"\n]\nport = 1\n", "password = *\n*\n*\n*\nport = 1\n"),
        ("password:\n- a: b\n- c\nport: 1\n", "password:\n*\n*\nport: 1\n"),
        ("- password: a\n  user: b\n- user: c\n", "- password: *\n  user: b\n- user: c\n"),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text, Some(&["password"])), expected, "{text}");
    }
    assert_eq!(shown("a = 1\n b = 2\n", None), "*\n *\n", "without a name to look for");
}

#[test]
fn the_names_to_look_for_are_the_last_keys_of_the_rules() {
    let names = |pointers: &[&str]| {
        let fields = fields(Rule::Secret, pointers);
        fields.0.last_keys(Rule::Secret).map(|keys| keys.into_iter().map(String::from).collect::<Vec<_>>())
    };
    assert_eq!(
        names(&["/db/password", "/keys/*", "/list/0"]),
        Some(vec!["keys".into(), "list".into(), "password".into()])
    );
    assert_eq!(names(&["/*"]), None);
    assert_eq!(names(&[]), Some(vec![]));
    assert_eq!(Fields::all_secret().0.last_keys(Rule::Secret), None);
}

#[test]
fn spans_stay_within_their_lines() {
    let text = "a = \"\"\"\n one\n\n two\"\"\"\n";
    let whole = 4..text.len() - 1;
    let spans = text::by_line(text, vec![whole.clone(), 5..6]);
    let pieces: Vec<&str> = spans.iter().map(|span| &text[span.clone()]).collect();
    assert_eq!(pieces, ["\"\"\"", "one", "two\"\"\""]);
}

#[test]
fn a_pointer_from_code_must_be_one() {
    let check = |config: &str, pointer: &str| {
        Declared { config: config.into(), rule: Rule::Secret, pointer: pointer.into() }.check()
    };
    assert!(check("app", "/a/*").is_ok());
    assert_eq!(check("app", "a").expect_err("no slash").kind(), ErrorKind::Pattern);
    assert_eq!(check("app", "").expect_err("the whole").kind(), ErrorKind::Pattern);
    assert_eq!(check("../app", "/a").expect_err("no name").kind(), ErrorKind::Name);
}
