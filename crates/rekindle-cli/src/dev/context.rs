//! What a page is rendered with: a snapshot of the configurations and a request in, one value out.
//!
//! Pure.

use percent_encoding::percent_decode_str;
use rekindle::Snapshot;
use serde_json::{Map, Value, json};

/// The name of what is said of the request. A configuration of this name is hidden by it.
const REQUEST: &str = "request";

/// Every configuration by its name, with its secrets masked, and the request.
///
/// All of one generation: a page is never made of halves of two.
pub(super) fn context(snapshot: &Snapshot, path: &str, query: Option<&str>) -> Value {
    let masked = |name: &str| Some((name.to_owned(), snapshot.secrets(name).mask(snapshot.get(name)?)));
    let mut context: Map<String, Value> = snapshot.names().into_iter().filter_map(masked).collect();
    context.insert(REQUEST.to_owned(), request(path, query));
    Value::Object(context)
}

fn request(path: &str, query: Option<&str>) -> Value {
    let path = percent_decode_str(path).decode_utf8_lossy();
    json!({ "path": path, "query": parameters(query.unwrap_or_default()) })
}

/// The fields of a form, as `application/x-www-form-urlencoded` has them (WHATWG URL, section 5.1). The last of a
/// name counts.
fn parameters(query: &str) -> Map<String, Value> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (decoded(name), decoded(value).into()))
        .collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded_as_browsers_encode_it() {
        let expected =
            json!({ "path": "/größe", "query": { "name": "A B & C", "empty": "", "last": "2", "": "x" } });
        let query = "name=A+B+%26%20C&empty&last=1&&last=2&=x";
        assert_eq!(request("/gr%C3%B6%C3%9Fe", Some(query)), expected);
    }

    #[test]
    fn what_is_no_text_is_no_error() {
        assert_eq!(request("/%ff", Some("%zz=%e0"))["query"]["%zz"], "\u{fffd}");
    }
}
