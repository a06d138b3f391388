//! Pages under a policy: what blocks other tools' scripts (rack-livereload#71) lets this one run.

use super::*;

#[test]
fn the_tag_carries_the_nonce_of_the_page() {
    let answer = response(
        &[("content-type", "text/html"), ("content-security-policy", "script-src 'nonce-r4nd0m'")],
        "<head></head>",
    );
    let answer = apply(&navigation(&[]), TAG, answer);
    let policy = &answer.headers()["content-security-policy"];
    assert_eq!(policy, "script-src 'nonce-r4nd0m'; worker-src localhost:3000/_rekindle/worker.js");
    let tag = TAG.replace("<script ", "<script nonce=\"r4nd0m\" ");
    assert_eq!(bytes(answer.into_body()), format!("<head>{tag}</head>"));
}

#[test]
fn a_nonce_that_is_made_here_is_another_for_every_page() {
    let page = || {
        let headers =
            [("content-type", "text/html"), ("content-security-policy", "script-src 'strict-dynamic'")];
        let answer = apply(&navigation(&[]), TAG, response(&headers, ""));
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        let nonce = policy
            .strip_prefix("script-src 'strict-dynamic' 'nonce-")
            .unwrap()
            .trim_end_matches('\'')
            .to_owned();
        let page = bytes(answer.into_body());
        assert_eq!(page, TAG.replace("<script ", &format!("<script nonce=\"{nonce}\" ")));
        nonce
    };
    assert_ne!(page(), page());
}

#[test]
fn a_page_in_a_sandbox_is_left_alone_with_its_policy() {
    let headers = [
        ("content-type", "text/html"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("etag", "\"a\""),
    ];
    let answer = apply(&navigation(&[]), TAG, response(&headers, "<head></head>"));
    assert_eq!(answer.headers()["content-security-policy"], "sandbox; default-src 'none'");
    assert_eq!(answer.headers()["etag"], "\"a\"");
    assert_eq!(bytes(answer.into_body()), "<head></head>");
}

#[test]
fn behind_a_proxy_the_policy_names_no_host() {
    let wish = navigation(&[("x-forwarded-host", "site.test")]);
    let headers = [("content-type", "text/html"), ("content-security-policy", "script-src 'none'")];
    let answer = apply(&wish, TAG, response(&headers, ""));
    assert_eq!(answer.headers()["content-security-policy"], "script-src 'self'; worker-src 'self'");
}

#[test]
fn a_host_that_is_not_one_never_gets_into_a_policy() {
    for host in ["a.test; script-src *", "a.test, b", "[::1]:3000", "a.test:", "", "a test", "*.test"] {
        let (wish, _) = request(&[("host", host)]);
        let headers = [("content-type", "text/html"), ("content-security-policy", "script-src 'none'")];
        let answer = apply(&wish, TAG, response(&headers, ""));
        assert_eq!(
            answer.headers()["content-security-policy"],
            "script-src 'self'; worker-src 'self'",
            "{host}"
        );
    }
}

#[test]
fn policies_in_the_head_of_the_page_are_extended_there() {
    let cases = [
        (
            "<head><meta http-equiv=\"Content-Security-Policy\" content=\"connect-src 'none'\"><title>t</title></head><body>",
            "<head>@<meta http-equiv=\"Content-Security-Policy\" content=\"connect-src &#39;self&#39; ws://localhost:3000 wss://localhost:3000\"><title>t</title></head><body>",
        ),
        // Without a head, and without quotes.
        (
            "<meta content=connect-src http-equiv=content-security-policy><p>x",
            "@<meta content=connect-src&#32;&#39;self&#39;&#32;ws://localhost:3000&#32;wss://localhost:3000 http-equiv=content-security-policy><p>x",
        ),
        // A policy counts in the head alone, and some metas are none.
        (
            "<head><meta name=x content='connect-src a'><meta http-equiv=refresh content=5></head><body><meta http-equiv=content-security-policy content=\"connect-src 'none'\">",
            "<head>@<meta name=x content='connect-src a'><meta http-equiv=refresh content=5></head><body><meta http-equiv=content-security-policy content=\"connect-src 'none'\">",
        ),
        (
            "<head><meta http-equiv=content-security-policy></head>",
            "<head>@<meta http-equiv=content-security-policy></head>",
        ),
        // A page that has a tag has had its policy extended, too.
        (
            "<head><script src=/_rekindle/live.js></script><meta http-equiv=content-security-policy content=\"connect-src 'none'\">",
            "<head><script src=/_rekindle/live.js></script><meta http-equiv=content-security-policy content=\"connect-src 'none'\">",
        ),
    ];
    for (page, extended) in cases {
        assert_eq!(shown(page), extended);
        for size in [1, 5] {
            let out =
                bytes(apply(&navigation(&[]), TAG, html(chunked(page.as_bytes().chunks(size)))).into_body());
            assert_eq!(String::from_utf8_lossy(&out).replace(TAG, "@"), extended, "in chunks of {size}");
        }
    }
}
