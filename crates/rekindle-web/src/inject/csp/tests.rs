use super::super::decide::Markup;
use super::*;

const CASES: &str = include_str!("cases.txt");
const SCRIPT_TAG: &str = "<script src=\"/_rekindle/live.js?token\" defer></script>";

fn needs(host: Option<&str>) -> Needs {
    Needs::new(&Tag::new(SCRIPT_TAG, Markup::Html).unwrap(), host)
}

fn headers(name: &HeaderName, policies: &[&str]) -> HeaderMap {
    policies.iter().map(|policy| (name.clone(), HeaderValue::from_str(policy).unwrap())).collect()
}

fn values<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Vec<&'h str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

fn fresh() -> Option<String> {
    Some("fresh".to_owned())
}

/// The lines of a case that begin with a word.
fn lines<'c>(case: &'c str, word: &str) -> Vec<&'c str> {
    case.lines().filter_map(|line| line.strip_prefix(word)?.strip_prefix(':')).map(str::trim).collect()
}

fn unabbreviated(answer: &str) -> String {
    let words = answer.split(' ').map(|word| {
        let (word, mark) = word.split_at(word.trim_end_matches([';', ',']).len());
        let word = match word {
            "live" => "localhost:3000/_rekindle/live.js",
            "worker" => "localhost:3000/_rekindle/worker.js",
            "own" => "'self' ws://localhost:3000 wss://localhost:3000",
            word => word,
        };
        format!("{word}{mark}")
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_policy_lets_the_client_run_and_otherwise_says_what_it_said() {
    let mut count = 0;
    for case in CASES.split("\n\n").map(|case| case.trim_start_matches('\n')) {
        let policies = lines(case, "policy");
        if policies.is_empty() {
            continue;
        }
        count += 1;
        let mut headers = headers(&CONTENT_SECURITY_POLICY, &policies);
        let result = extend_headers(&mut headers, &needs(Some("localhost:3000")), fresh);
        if case.contains("left alone") {
            result.expect_err(case);
            assert_eq!(values(&headers, &CONTENT_SECURITY_POLICY), policies);
            continue;
        }
        let nonce = lines(case, "nonce").into_iter().find(|nonce| *nonce != "-");
        assert_eq!(result.unwrap().as_deref(), nonce, "{case}");
        let stays = case.lines().any(|line| line == "=");
        let becomes: Vec<String> = if stays {
            policies.iter().map(|policy| (*policy).to_owned()).collect()
        } else {
            lines(case, "becomes").into_iter().map(unabbreviated).collect()
        };
        assert_eq!(values(&headers, &CONTENT_SECURITY_POLICY), becomes, "{case}");
    }
    assert!(count > 35, "all cases were found: {count}");
}

#[test]
fn extending_twice_changes_nothing_more() {
    for policy in CASES.lines().filter_map(|line| line.strip_prefix("policy: ")) {
        let mut once = headers(&CONTENT_SECURITY_POLICY, &[policy]);
        if extend_headers(&mut once, &needs(Some("localhost:3000")), fresh).is_err() {
            continue;
        }
        let mut twice = once.clone();
        extend_headers(&mut twice, &needs(Some("localhost:3000")), fresh).unwrap();
        assert_eq!(once, twice, "{policy}");
    }
}

#[test]
fn a_policy_that_only_reports_is_extended_too_but_puts_nothing_into_a_sandbox() {
    let name = CONTENT_SECURITY_POLICY_REPORT_ONLY;
    let mut headers = headers(&name, &["script-src 'nonce-n'; sandbox"]);
    let nonce = extend_headers(&mut headers, &needs(Some("localhost:3000")), fresh).unwrap();
    assert_eq!(nonce.as_deref(), Some("n"));
    assert_eq!(
        values(&headers, &name),
        ["script-src 'nonce-n'; sandbox; worker-src localhost:3000/_rekindle/worker.js"]
    );
}

#[test]
fn without_a_host_that_a_policy_can_name_the_own_origin_is_allowed() {
    let mut headers = headers(&CONTENT_SECURITY_POLICY, &["default-src 'none'"]);
    extend_headers(&mut headers, &needs(None), fresh).unwrap();
    assert_eq!(
        values(&headers, &CONTENT_SECURITY_POLICY),
        ["default-src 'none'; worker-src 'self'; connect-src 'self'; script-src 'self'"]
    );
}

#[test]
fn without_randomness_a_page_that_needs_it_is_left_alone() {
    let mut headers = headers(&CONTENT_SECURITY_POLICY, &["script-src 'strict-dynamic'"]);
    extend_headers(&mut headers, &needs(None), || None).unwrap_err();
    assert_eq!(values(&headers, &CONTENT_SECURITY_POLICY), ["script-src 'strict-dynamic'"]);
}

#[test]
fn a_policy_in_the_page_is_extended_as_it_is_written() {
    let needs = needs(Some("a.test"));
    let cases = [
        ("script-src 'self'", None),
        (
            "default-src 'self'",
            Some("default-src &#39;self&#39;; connect-src &#39;self&#39; ws://a.test wss://a.test"),
        ),
        ("connect-src &#39;none&#39;", Some("connect-src &#39;self&#39; ws://a.test wss://a.test")),
        ("connect-src &apos;none&#x27;", Some("connect-src &#39;self&#39; ws://a.test wss://a.test")),
        // Perhaps without quotes: a space would end it.
        ("connect-src", Some("connect-src&#32;&#39;self&#39;&#32;ws://a.test&#32;wss://a.test")),
        // The tag is before it, and needs no nonce of its.
        ("script-src 'strict-dynamic' 'nonce-n'", None),
        // What cannot be read is not touched.
        ("connect-src &lpar;", None),
        ("connect-src é", None),
        ("connect-src 'none'; report-uri /a?b&c", None),
    ];
    for (content, extended) in cases {
        assert_eq!(needs.extend_meta(content).as_deref(), extended, "{content}");
    }
}
