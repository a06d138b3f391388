//! What is asked for, what is answered, and what is said of it.

use http::{Method, StatusCode};

use super::*;

const PLAIN: &[(&str, &str)] = &[("content-type", "text/html")];

/// Whether an answer of this kind gets a tag; if not, nothing of it is changed.
fn is_injected(wish: &Wish, status: u16, headers: &[(&'static str, &str)]) -> bool {
    let mut answer = response(headers, "<!doctype html><title>t</title>");
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    let before = answer.headers().clone();
    let answer = apply(wish, TAG, answer);
    let after = answer.headers().clone();
    let is_injected = bytes(answer.into_body()).windows(8).any(|it| it == b"live.js?");
    assert!(is_injected || before == after, "{before:?} became {after:?}");
    is_injected
}

#[test]
fn pages_and_error_pages_get_a_tag_and_other_answers_do_not() {
    let page = navigation(&[]);
    for status in [200, 201, 202, 203, 400, 401, 403, 404, 418, 429, 500, 503] {
        assert!(is_injected(&page, status, PLAIN), "{status}");
    }
    for status in [100, 101, 103, 204, 205, 206, 300, 301, 302, 303, 304, 307, 308] {
        assert!(!is_injected(&page, status, PLAIN), "{status}");
    }
}

#[test]
fn only_html_to_be_shown_gets_a_tag() {
    let page = navigation(&[]);
    let gets: [&[(&str, &str)]; 5] = [
        &[("content-type", "text/html;charset=utf-8")],
        &[("content-type", "Text/HTML ; Charset=\"UTF-8\"")],
        &[("content-type", "text/html"), ("content-disposition", "inline; filename=a.html")],
        &[("content-type", "text/html"), ("content-encoding", "identity")],
        &[("content-type", "text/html; charset=no-such"), ("cache-control", "no-store, max-age=0")],
    ];
    for headers in gets {
        assert!(is_injected(&page, 200, headers), "{headers:?}");
    }
    let gets_not: [&[(&str, &str)]; 20] = [
        &[],
        &[("content-type", "text/plain")],
        &[("content-type", "text/html-template")],
        &[("content-type", "application/json")],
        &[("content-type", "text/event-stream")],
        &[("content-type", "text/vnd.turbo-stream.html")],
        &[("content-type", "multipart/x-mixed-replace; boundary=a")],
        &[("content-type", "image/svg+xml")],
        &[("content-type", "text/html"), ("content-type", "text/plain")],
        &[("content-type", "text/html; charset=utf-16")],
        &[("content-type", "text/html"), ("content-disposition", "attachment")],
        &[("content-type", "text/html"), ("content-disposition", "Attachment; filename=\"a.html\"")],
        &[("content-type", "text/html"), ("content-disposition", "filename=a.html")],
        &[("content-type", "text/html"), ("cache-control", "public, No-Transform")],
        &[("content-type", "text/html"), ("content-encoding", "compress")],
        &[("content-type", "text/html"), ("content-encoding", "deflate")],
        &[("content-type", "text/html"), ("content-encoding", "dcb")],
        &[("content-type", "text/html"), ("content-encoding", "gzip, br")],
        &[("content-type", "text/html"), ("content-encoding", "gzip"), ("content-encoding", "gzip")],
        &[("content-type", "text/html"), ("content-encoding", "aws-chunked")],
    ];
    for headers in gets_not {
        assert!(!is_injected(&page, 200, headers), "{headers:?}");
    }
}

#[test]
fn fragments_and_what_is_loaded_into_a_page_get_no_tag() {
    let gets: [&[(&str, &str)]; 9] = [
        &[],
        &[("accept", "*/*")],
        &[("sec-fetch-dest", "document")],
        &[("sec-fetch-dest", "iframe")],
        &[("sec-fetch-dest", "empty")],
        &[("sec-fetch-dest", "empty"), ("hx-request", "true"), ("hx-boosted", "true")],
        &[("hx-request", "true"), ("hx-history-restore-request", "true")],
        &[("sec-fetch-dest", "document"), ("sec-purpose", "prefetch;prerender")],
        &[("sec-fetch-dest", "empty"), ("hx-request", "true"), ("rekindle-page", "1")],
    ];
    for headers in gets {
        assert!(is_injected(&request(headers).0, 200, PLAIN), "{headers:?}");
    }
    let gets_not: [&[(&str, &str)]; 8] = [
        &[("sec-fetch-dest", "empty"), ("hx-request", "true")],
        &[("turbo-frame", "messages")],
        &[("x-requested-with", "XMLHttpRequest")],
        &[("x-pjax", "true")],
        &[("sec-fetch-dest", "script")],
        &[("sec-fetch-dest", "image")],
        &[("sec-fetch-dest", "serviceworker")],
        &[("sec-fetch-dest", "video"), ("range", "bytes=0-")],
    ];
    for headers in gets_not {
        assert!(!is_injected(&request(headers).0, 200, PLAIN), "{headers:?}");
    }
}

#[test]
fn what_fetches_a_page_for_its_client_gets_a_tag_even_if_it_is_no_whole_document() {
    let (wish, _) = request(&[("sec-fetch-dest", "empty"), ("rekindle-page", "1")]);
    assert_eq!(bytes(apply(&wish, TAG, html("<p>x")).into_body()), format!("{TAG}<p>x"));
}

#[test]
fn an_answer_without_a_body_of_its_own_is_left_alone() {
    for method in [Method::HEAD, Method::CONNECT] {
        let (parts, ()) = Request::builder().method(method).uri("/").body(()).unwrap().into_parts();
        let mut headers = parts.headers.clone();
        let mut wish = Wish::of(&parts);
        wish.prepare(&mut headers, STAMP);
        assert!(!is_injected(&wish, 200, &[("content-type", "text/html"), ("content-length", "31")]));
    }
}

#[test]
fn headers_say_nothing_that_is_true_of_the_former_body_alone() {
    let answer = response(
        &[
            ("content-type", "text/html"),
            ("content-length", "12"),
            ("content-md5", "x"),
            ("digest", "x"),
            ("content-digest", "x"),
            ("repr-digest", "x"),
            ("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT"),
            ("accept-ranges", "bytes"),
            ("content-range", "bytes */12"),
            ("vary", "accept-encoding, cookie"),
            ("cache-control", "max-age=60"),
            ("set-cookie", "a=b"),
            ("transfer-encoding", "chunked"),
        ],
        "<p>x",
    );
    let answer = apply(&navigation(&[]), TAG, answer);
    let mut left: Vec<String> =
        answer.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    left.sort();
    assert_eq!(
        left,
        [
            "accept-ranges: none",
            "cache-control: max-age=60",
            "content-type: text/html",
            "set-cookie: a=b",
            "transfer-encoding: chunked",
            "vary: accept-encoding, cookie",
        ]
    );
}

/// The validator that a browser is told for the handler's.
fn told(validator: &str) -> String {
    let answer = response(&[("content-type", "text/html"), ("etag", validator)], "<p>x");
    let answer = apply(&navigation(&[]), TAG, answer);
    answer.headers()["etag"].to_str().unwrap().to_owned()
}

#[test]
fn a_page_that_is_asked_for_again_is_answered_unchanged_only_with_the_same_tag() {
    for original in ["\"v1\"", "W/\"v1\""] {
        let told = told(original);
        assert!(told.starts_with("W/\"v1-live-"), "{told}");

        let (wish, handlers) = request(&[
            ("sec-fetch-dest", "document"),
            ("if-none-match", &told),
            ("if-modified-since", "Mon, 01 Jan 2024 00:00:00 GMT"),
        ]);
        assert_eq!(handlers["if-none-match"], original, "the handler is asked with its own");
        assert!(!handlers.contains_key("if-modified-since"));

        let mut unchanged =
            response(&[("etag", original), ("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT")], "");
        *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
        let unchanged = apply(&wish, TAG, unchanged);
        assert_eq!(unchanged.status(), 304);
        assert_eq!(unchanged.headers()["etag"], told.as_str(), "the browser's copy has this one");
        assert!(!unchanged.headers().contains_key("last-modified"));
    }
}

#[test]
fn a_page_with_an_older_tag_is_rendered_anew() {
    // Else it would come out of the cache with a revision that is not known any more, and be loaded again and again.
    let told = told("\"v1\"");
    let (mut parts, ()) = Request::get("/")
        .header("if-none-match", &told)
        .header("sec-fetch-dest", "document")
        .body(())
        .unwrap()
        .into_parts();
    let mut wish = Wish::of(&parts);
    wish.prepare(&mut parts.headers, "BBBBBBBBBBBBBBBB.0123456789abcdef");
    assert!(!parts.headers.contains_key("if-none-match"));
}

#[test]
fn a_page_load_is_never_answered_with_a_page_from_before_there_was_a_tag() {
    let (_, handlers) = request(&[
        ("sec-fetch-dest", "document"),
        ("if-none-match", "\"v1\", *"),
        ("if-modified-since", "Mon, 01 Jan 2024 00:00:00 GMT"),
    ]);
    assert!(!handlers.contains_key("if-none-match"));
    assert!(!handlers.contains_key("if-modified-since"));
    // Without a secure context a browser does not say where it wants to show it, but that it prefers HTML.
    let (_, handlers) = request(&[("accept", "text/html,*/*;q=0.8"), ("if-none-match", "\"v1\"")]);
    assert!(!handlers.contains_key("if-none-match"));
}

#[test]
fn the_conditions_of_other_requests_stay() {
    let headers = [
        ("if-none-match", "\"v1\", W/\"v2\""),
        ("if-modified-since", "Mon, 01 Jan 2024 00:00:00 GMT"),
        ("if-match", "\"v1\""),
        ("range", "bytes=5-"),
    ];
    for dest in ["image", "script", "empty", "video"] {
        let headers = [&headers[..], &[("sec-fetch-dest", dest)]].concat();
        let (_, handlers) = request(&headers);
        for (name, value) in headers {
            assert_eq!(handlers[name], value, "{dest}");
        }
    }
    let (_, handlers) = request(&headers);
    assert_eq!(handlers["range"], "bytes=5-", "curl and wget resume like this");
}

#[test]
fn a_page_comes_whole_and_a_download_is_resumed() {
    let (_, handlers) = request(&[("sec-fetch-dest", "document"), ("range", "bytes=5-")]);
    assert!(!handlers.contains_key("range"));

    let told = told("\"v1\"");
    let (_, handlers) = request(&[("range", "bytes=5-"), ("if-range", &told)]);
    assert!(!handlers.contains_key("range"), "the place is one in a page with a tag");
    assert!(!handlers.contains_key("if-range"));

    let (_, handlers) =
        request(&[("sec-fetch-dest", "document"), ("range", "bytes=5-"), ("if-range", "\"v1\"")]);
    assert_eq!(handlers["range"], "bytes=5-");
    assert_eq!(handlers["if-range"], "\"v1\"");
}

#[test]
fn a_write_on_condition_of_a_page_is_one_on_condition_of_what_the_handler_knows() {
    let (_, handlers) = request(&[("if-match", &told("\"v1\""))]);
    assert_eq!(handlers["if-match"], "\"v1\"");
}

#[test]
fn without_a_stamp_a_page_has_no_validator() {
    let (parts, ()) = Request::get("/").body(()).unwrap().into_parts();
    let answer = response(&[("content-type", "text/html"), ("etag", "\"v1\"")], "");
    assert!(!apply(&Wish::of(&parts), TAG, answer).headers().contains_key("etag"));
}

#[test]
fn what_is_no_tag_is_put_nowhere() {
    for tag in ["", "<script></script>", "<script src=\"\"></script>", "<link src=\"/a\">"] {
        let answer = apply(&navigation(&[]), tag, html("<p>x"));
        assert_eq!(bytes(answer.into_body()), "<p>x");
    }
}
