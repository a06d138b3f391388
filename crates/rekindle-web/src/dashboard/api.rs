//! Questions and orders of the page: requests of the control protocol, of which some are allowed.

use http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN};
use http::request::Parts;
use http::{Response, StatusCode};
use rekindle::HotReloadManager;
use serde_json::{Value, json};

use super::fleet::Fleet;
use super::headers::json as answer_in_json;
use super::{About, problems};
use crate::Body;

/// What only looks.
const QUESTIONS: [&str; 8] = ["overview", "status", "list", "get", "explain", "diff", "history", "receipts"];

/// What changes something.
const ORDERS: [&str; 3] = ["restore", "reload", "rollout"];

/// The longest request, in bytes.
const LONGEST: usize = 64 * 1024;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

type Refusal = (StatusCode, &'static str);

/// Answers a request.
pub(super) async fn answer(
    (manager, fleet): (&HotReloadManager, &Fleet),
    parts: &Parts,
    body: &[u8],
    about: &About<'_>,
) -> Response<Body> {
    match request(&parts.headers, body) {
        Err((status, why)) => {
            let error = json!({"kind": "request", "message": why});
            answer_in_json(status, &json!({"ok": false, "rekindle": 1, "error": error}))
        }
        Ok(request) if request["cmd"] == "overview" => {
            answer_in_json(StatusCode::OK, &overview(manager, fleet, about).await)
        }
        Ok(request) if request["cmd"] == "rollout" => {
            answer_in_json(StatusCode::OK, &fleet.ask(&request).await)
        }
        Ok(request) => answer_in_json(StatusCode::OK, &manager.control(request).await),
    }
}

/// The request, if it is one that the page may make.
fn request(headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    let mime = headers.get(CONTENT_TYPE).and_then(|mime| mime.to_str().ok()).unwrap_or_default();
    // A form of another site can send anything, but not call it this.
    if mime.split(';').next().map(str::trim) != Some("application/json") {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "a request is `application/json`"));
    }
    if body.len() > LONGEST {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, "a request has 64 KiB at the most"));
    }
    let request: Value =
        serde_json::from_slice(body).map_err(|_| (StatusCode::BAD_REQUEST, "the request is no JSON"))?;
    match request["cmd"].as_str() {
        Some(command) if QUESTIONS.contains(&command) => Ok(request),
        Some(command) if ORDERS.contains(&command) && is_same_origin(headers) => Ok(request),
        Some(command) if ORDERS.contains(&command) => {
            Err((StatusCode::FORBIDDEN, "only the dashboard itself may ask for changes"))
        }
        _ => Err((StatusCode::FORBIDDEN, "this command is not for the dashboard; use the control socket")),
    }
}

/// Whether the page that asks is of this very server, and not merely of an origin that is allowed. What the
/// browser says of that counts; where it is silent, who is asked has to be where the page is from. What is
/// no browser says neither, and has the token.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text(FETCH_SITE), text(ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin.split_once("://").map(|(_, host)| host) == text(HOST),
        (None, None) => true,
    }
}

/// All that the page shows at first, in one answer.
async fn overview(manager: &HotReloadManager, fleet: &Fleet, about: &About<'_>) -> Value {
    let mut told = manager.control(json!({"rekindle": 1, "cmd": "status"})).await;
    let mut receipts = manager.control(json!({"rekindle": 1, "cmd": "receipts"})).await;
    let mut problems = problems::of_configs(manager).await;
    problems.extend(about.problems.iter().filter(|problem| !problem.id.starts_with("config:")).cloned());
    told["receipts"] = receipts["receipts"].take();
    told["problems"] = json!(problems);
    told["browsers"] = json!(about.browsers);
    told["fleet"] = fleet.seen().map_or(Value::Null, |seen| seen.borrow().clone());
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), value.parse().expect("a header's value"))
        };
        all.iter().map(header).collect()
    }

    #[test]
    fn only_a_page_of_this_server_is_of_the_same_origin() {
        let cases: [(&[_], bool); 7] = [
            (&[], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", "https://a"), ("host", "b")], true),
            (&[("sec-fetch-site", "same-site"), ("origin", "http://a"), ("host", "a")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "http://localhost:1"), ("host", "localhost:1")], true),
            (&[("origin", "http://localhost:2"), ("host", "localhost:1")], false),
            (&[("origin", "null"), ("host", "localhost:1")], false),
        ];
        for (given, expected) in cases {
            assert_eq!(is_same_origin(&headers(given)), expected, "{given:?}");
        }
    }

    #[test]
    fn what_is_no_request_of_the_page_is_refused() {
        let as_json = headers(&[("content-type", "application/json; charset=utf-8")]);
        let status =
            |headers: &HeaderMap, body: &str| request(headers, body.as_bytes()).map_err(|(status, _)| status);
        assert_eq!(status(&headers(&[]), "{}"), Err(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        assert_eq!(
            status(&headers(&[("content-type", "text/plain")]), "{}"),
            Err(StatusCode::UNSUPPORTED_MEDIA_TYPE)
        );
        assert_eq!(status(&as_json, "{"), Err(StatusCode::BAD_REQUEST));
        assert_eq!(status(&as_json, &" ".repeat(LONGEST + 1)), Err(StatusCode::PAYLOAD_TOO_LARGE));
        for body in ["[]", "{}", r#"{"cmd": "set"}"#, r#"{"cmd": "events"}"#, r#"{"cmd": ["status"]}"#] {
            assert_eq!(status(&as_json, body), Err(StatusCode::FORBIDDEN), "{body}");
        }
        assert!(status(&as_json, r#"{"cmd": "status"}"#).is_ok());
        for order in [r#"{"cmd": "restore"}"#, r#"{"cmd": "rollout", "action": "abort"}"#] {
            assert!(status(&as_json, order).is_ok());
            let mut other = as_json.clone();
            other.insert(FETCH_SITE, http::HeaderValue::from_static("same-site"));
            assert_eq!(status(&other, order), Err(StatusCode::FORBIDDEN));
        }
    }
}
