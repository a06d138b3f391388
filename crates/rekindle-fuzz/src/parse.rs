//! Any bytes as a configuration file of each format.
//!
//! Refused or accepted, never a panic. What is refused is refused at a place in the file. What is
//! accepted has all its places in the file, means what an independent parser of the format says, and
//! cut off anywhere is no error for good.

use rekindle::internals::{self, Refusal, Tree};
use serde_json::Value;

/// Inputs beyond this are not handed to parsers that do not limit what they build.
const SMALL: usize = 2048;

/// TOML, compared with the `toml` crate's own way from text to values.
pub(crate) fn toml(bytes: &[u8]) {
    let read = read("app.toml", bytes);
    let Some(text) = text(bytes).filter(|text| text.len() <= SMALL) else { return };
    match (read, toml::from_str::<toml::Table>(text)) {
        (Ok(ours), Ok(theirs)) => assert_same_toml(&ours, &toml::Value::Table(theirs)),
        (Ok(ours), Err(error)) => panic!("{ours} is no TOML: {error}"),
        (Err(refusal), Ok(theirs)) => {
            let blank = text.trim().is_empty();
            assert!(refusal.definitive || blank, "{theirs:?} is TOML: {}", refusal.error);
        }
        (Err(_), Err(_)) => {}
    }
}

fn assert_same_toml(ours: &Value, theirs: &toml::Value) {
    let same = match (ours, theirs) {
        (Value::Object(ours), toml::Value::Table(theirs)) => {
            assert_eq!(ours.len(), theirs.len(), "{ours:?} is not {theirs:?}");
            for (key, theirs) in theirs {
                // In whatever order: that is for whoever builds this to choose.
                let ours = ours.get(key).unwrap_or_else(|| panic!("{ours:?} lacks {key:?}"));
                assert_same_toml(ours, theirs);
            }
            true
        }
        (Value::Array(ours), toml::Value::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len());
            ours.iter().zip(theirs).for_each(|(ours, theirs)| assert_same_toml(ours, theirs));
            true
        }
        // As it is written; two ways of writing a time may be one time.
        (Value::String(ours), toml::Value::Datetime(theirs)) => ours.parse().ok() == Some(*theirs),
        (Value::String(ours), toml::Value::String(theirs)) => ours == theirs,
        (Value::Bool(ours), toml::Value::Boolean(theirs)) => ours == theirs,
        (Value::Number(ours), toml::Value::Integer(theirs)) => ours.as_i64() == Some(*theirs),
        (Value::Number(ours), toml::Value::Float(theirs)) => ours.is_f64() && ours.as_f64() == Some(*theirs),
        _ => false,
    };
    assert!(same, "{ours} is not {theirs:?}");
}

/// JSON, strict and with comments, compared with `serde_json`.
pub(crate) fn json(bytes: &[u8]) {
    let (strict, lenient) = (read("app.json", bytes), read("app.jsonc", bytes));
    let Some(text) = text(bytes) else { return };
    match (&strict, serde_json::from_str::<Value>(text)) {
        (Ok(ours), Ok(theirs)) => assert!(alike(ours, &theirs), "{ours} is not {theirs}"),
        (Ok(ours), Err(error)) if !error.to_string().contains("recursion") => {
            panic!("{ours} is no JSON: {error}")
        }
        (Err(refusal), Ok(theirs)) => {
            // The others are a key given twice and what goes beyond a limit.
            assert!(refusal.definitive || !theirs.is_object(), "{theirs} is JSON: {}", refusal.error);
        }
        _ => {}
    }
    if let Ok(strict) = &strict {
        assert_eq!(lenient.ok().as_ref(), Some(strict), "what is JSON is JSON with comments");
    }
}

/// YAML, compared with libyaml as far as its older version of YAML means the same, and with our own
/// JSON, which is YAML.
pub(crate) fn yaml(bytes: &[u8]) {
    let Ok(ours) = read("app.yaml", bytes) else { return };
    if let Ok(json) = read("app.json", bytes) {
        assert!(alike(&ours, &json), "{ours} as YAML is {json} as JSON");
    }
    let Some(text) = text(bytes).filter(|text| is_old_yaml(text)) else { return };
    // Our engine ends the last line of a block of text if the file does not; libyaml does not.
    if let Ok(theirs) = serde_yaml_ng::from_str::<serde_yaml_ng::Value>(&format!("{text}\n")) {
        assert_same_shape(&ours, &theirs);
    }
}

/// Whether the versions of YAML agree on what a text is made of: no tags, no merge keys, no line breaks
/// but the common ones, no words that begin with a question mark.
fn is_old_yaml(text: &str) -> bool {
    let breaks = ['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}', '\r'];
    let disputed = text.contains("<<") || text.contains('!') || text.replace("? ", "").contains('?');
    text.len() <= SMALL && !disputed && !text.contains(breaks)
}

/// The same tables, lists and texts. What a plain word means is left to the versions of YAML.
fn assert_same_shape(ours: &Value, theirs: &serde_yaml_ng::Value) {
    use serde_yaml_ng::Value as Theirs;
    match (ours, theirs) {
        (Value::Object(ours), Theirs::Mapping(theirs)) => {
            assert_eq!(ours.len(), theirs.len(), "{ours:?} is not {theirs:?}");
            let named = theirs.iter().filter_map(|(key, value)| Some((key.as_str()?, value)));
            for (key, theirs) in named {
                let ours = ours.get(key).unwrap_or_else(|| panic!("{key:?} is missing in {ours:?}"));
                assert_same_shape(ours, theirs);
            }
        }
        (Value::Array(ours), Theirs::Sequence(theirs)) => {
            assert_eq!(ours.len(), theirs.len(), "{ours:?} is not {theirs:?}");
            ours.iter().zip(theirs).for_each(|(ours, theirs)| assert_same_shape(ours, theirs));
        }
        (Value::String(ours), Theirs::String(theirs)) => assert_eq!(ours, theirs),
        (ours, theirs) => {
            let branch = ours.is_object() || ours.is_array() || theirs.is_mapping() || theirs.is_sequence();
            assert!(!branch, "{ours} is not {theirs:?}");
        }
    }
}

/// Parses, and checks what holds in every format.
fn read(name: &str, bytes: &[u8]) -> Result<Value, Refusal> {
    match internals::parse(name, bytes) {
        Ok(tree) => {
            check_places(bytes, &tree);
            check_cut(name, bytes);
            Ok(tree.value())
        }
        Err(refusal) => {
            check_refusal(bytes, &refusal);
            Err(refusal)
        }
    }
}

/// Every value and every key lies in the file, on whole characters.
fn check_places(bytes: &[u8], tree: &Tree) {
    let text = std::str::from_utf8(bytes).expect("what is accepted is UTF-8");
    for place in tree.places() {
        assert_eq!(place.source, 0);
        for span in place.key.iter().chain([&place.span]) {
            assert!(text.get(span.clone()).is_some(), "{place:?} is not in the file");
        }
    }
}

/// A good file that ends early is what a writer leaves for a moment: it must not be refused for good.
fn check_cut(name: &str, bytes: &[u8]) {
    // Anywhere, and for the same bytes always in the same place.
    let mixed = bytes.iter().fold(7_usize, |mixed, byte| mixed.wrapping_mul(31) + usize::from(*byte));
    let end = mixed % bytes.len().max(1);
    if let Err(refusal) = internals::parse(name, &bytes[..end]) {
        check_refusal(&bytes[..end], &refusal);
        assert!(!refusal.definitive, "cut off after {end} bytes: {}", refusal.error);
    }
}

/// The error says something, on one line, and points into the file.
fn check_refusal(bytes: &[u8], refusal: &Refusal) {
    let error = &refusal.error;
    assert!(!error.message().is_empty() && !error.message().contains('\n'), "{error}");
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    assert!(error.line().is_none_or(|line| (1..=lines).contains(&line)), "{error}");
    assert!(error.column().is_none_or(|column| column >= 1), "{error}");
    assert!(error.span().is_none_or(|span| span.start <= span.end && span.end <= bytes.len()), "{error}");
}

/// The text of a file without the mark that some editors begin it with.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Equal, but for the last digits of a float: `serde_json` rounds some of them another way.
fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(key, one)| other.get(key).is_some_and(|other| alike(one, other));
            one.len() == other.len() && one.iter().all(same)
        }
        (Value::Number(one), Value::Number(other)) => {
            let (a, b) = (one.as_f64().unwrap_or_default(), other.as_f64().unwrap_or_default());
            one == other || (a - b).abs() <= 8.0 * f64::EPSILON * a.abs()
        }
        _ => one == other,
    }
}
